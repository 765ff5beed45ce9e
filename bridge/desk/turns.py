"""What every action call asks first: was it answered, and who has the conversation."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.desk.answers import ASSIST, HANDOFF, Answer
from bridge.model import Owner, derive
from bridge.store import Store, Tx, assignments, turns
from bridge.store.assignments import Standing
from bridge.store.turns import TurnRecord
from bridge.turn import Turn


@dataclass(frozen=True, slots=True)
class Seen:
    """The store's side of a turn, before anything is done about it."""

    key: str
    record: TurnRecord | None
    standing: Standing | None
    handed_back_at: float | None

    @property
    def with_agent(self) -> Standing | None:
        """The standing, if an agent answers the customer now."""
        standing = self.standing
        if standing is not None and standing.open and standing.owner is Owner.AGENT:
            return standing
        return None


def key_of(turn: Turn) -> str:
    """The name of an action call: the same request has the same."""
    return derive("turn", turn.sender_id, turn.message_id, turn.action_name, turn.ordinal)


def look(store: Store, turn: Turn) -> Seen:
    """Read what is stored of the turn and its conversation."""
    key = key_of(turn)

    def query(tx: Tx) -> Seen:
        # The record last: each statement sees its own moment, and whoever made the agent the
        # owner stored the record with it.
        standing = assignments.latest(tx, turn.sender_id)
        handed_back = assignments.handed_back_at(tx, turn.sender_id)
        return Seen(key, turns.get(tx, key), standing, handed_back)

    return store.read(query)


def pause_again(tx: Tx, standing: Standing, turn: Turn) -> Answer | None:
    """The handoff's answer once more, if Rasa lifted our pause while the agent has the call.

    Rasa does so when its session expires; that a newer message got here shows it.
    """
    if turn.message_at is None or turn.paused:
        return None
    if standing.handed_off_at is None or turn.message_at <= standing.handed_off_at:
        return None
    record = turns.last_of_call(tx, standing.assignment.call_id)
    if record is None or record.answer is None:
        return None
    answer = Answer.of_json(record.answer)
    paused_by_us = answer.pause and answer.state in (HANDOFF, ASSIST)
    return answer if paused_by_us else None

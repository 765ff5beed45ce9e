"""What every action call asks first: was it answered, and who has the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.desk.answers import ASSIST, HANDOFF, Answer
from bridge.model import Owner, derive
from bridge.store import Store, Tx, handoffs, turns
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
    return look_at_all(store, [turn])[0]


def look_at_all(store: Store, asked: Sequence[Turn]) -> list[Seen]:
    """Read what is stored of turns and their conversations, in their order."""
    names = [(key_of(turn), turn.sender_id) for turn in asked]
    found = store.read(lambda tx: handoffs.look(tx, names))
    return [
        Seen(key, one.record, one.standing, one.handed_back_at)
        for (key, _), one in zip(names, found, strict=True)
    ]


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

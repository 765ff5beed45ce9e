"""Who has which customer: assignments with their owner, one row a conversation and call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    false,
    null,
    or_,
    select,
    update,
)

from bridge.model import AgentId, Assignment, CallId, Card, Channel, Line, Owner, SenderId
from bridge.store.prepared import Prepared, Row
from bridge.store.schema import assignments
from bridge.store.sql import upsert


@dataclass(frozen=True, slots=True)
class Standing:
    """An assignment, and how things stand with it."""

    assignment: Assignment
    owner: Owner
    source: str
    given_at: float
    handed_off_at: float | None = None
    handed_back_at: float | None = None
    ended_at: float | None = None
    untold: bool = False  # a promise was not kept: the customer was told nothing of it
    card_erased_at: float | None = None  # there was a handoff card; it is too old to be kept

    @property
    def open(self) -> bool:
        """Whether the call still is this agent's."""
        return self.ended_at is None


_a = assignments.c
STANDING = (  # the columns of a Standing
    "sender_id",
    "call_id",
    "agent_id",
    "user_id",
    "channel",
    "channel_config_id",
    "agent_nickname",
    "agent_avatar",
    "owner",
    "source",
    "given_at",
    "handed_off_at",
    "handed_back_at",
    "ended_at",
    "untold",
    "erased_at",
)
_THIS = and_(_a.sender_id == bindparam("b_sender"), _a.call_id == bindparam("b_call"))
_latest = (
    select(assignments)
    .where(_a.sender_id == bindparam("b_sender"))
    .order_by(_a.given_at.desc())
    .limit(1)
)
_of_call = (
    select(assignments)
    .where(_a.call_id == bindparam("b_call"))
    .order_by(_a.given_at.desc())
    .limit(1)
)
# Held, a row stays as it was read until its transaction is over, whatever another replica does.
# SQLite's writers hold everything.
_LATEST, _LATEST_HELD = Prepared(_latest), Prepared(_latest.with_for_update())
_OF_CALL, _OF_CALL_HELD = Prepared(_of_call), Prepared(_of_call.with_for_update())
_OF_BOTH = Prepared(select(assignments).where(_THIS))
_HAND_OFF = Prepared(
    update(assignments)
    .where(_THIS)
    .values(
        owner=Owner.AGENT.value,
        handed_off_at=bindparam("b_now"),
        untold=false(),
        card=bindparam("b_card"),
        erased_at=null(),
    )
)
_STANDINGS = select(
    assignments.c.sender_id,
    assignments.c.call_id,
    assignments.c.agent_id,
    assignments.c.ended_at,
).where(assignments.c.call_id.in_(bindparam("b_calls", expanding=True)))
_COLUMNS = (
    "agent_id",
    "user_id",
    "channel",
    "channel_config_id",
    "agent_nickname",
    "agent_avatar",
    "owner",
    "source",
    "given_at",
    "ended_at",
)


_GIVE = upsert(assignments, ("sender_id", "call_id"), _COLUMNS)


def latest(tx: Connection, sender_id: str, *, hold: bool = False) -> Standing | None:
    """The newest assignment of a conversation, open or ended.

    ``hold`` it in a transaction that writes by it.
    """
    row = (_LATEST_HELD if hold else _LATEST).first(tx, b_sender=sender_id)
    return standing(row) if row else None


def of_call(tx: Connection, call_id: str, *, hold: bool = False) -> Standing | None:
    """The newest assignment of a call, open or ended; ``hold`` as for ``latest``."""
    row = (_OF_CALL_HELD if hold else _OF_CALL).first(tx, b_call=call_id)
    return standing(row) if row else None


def of_sender_and_call(tx: Connection, sender_id: str, call_id: str) -> Standing | None:
    """One conversation's assignment to one call, open or ended."""
    row = _OF_BOTH.first(tx, b_sender=sender_id, b_call=call_id)
    return standing(row) if row else None


def give(tx: Connection, assignment: Assignment, owner: Owner, source: str, *, now: float) -> None:
    """Store an assignment as the conversation's newest; one to the same call is replaced."""
    values = {
        **asdict(assignment),
        "channel": assignment.channel.value,
        "owner": owner.value,
        "source": source,
        "given_at": now,
        "ended_at": None,
    }
    _GIVE.run(tx, **values)


def written_card(card: Card | None) -> str | None:
    """A handoff card as it is stored."""
    if card is None:
        return None
    turns = [{"who": line.who, "text": line.text, "at": line.at} for line in card.turns]
    found = {"reason": card.reason, "slots": dict(card.slots), "turns": turns}
    return json.dumps(found, ensure_ascii=False)


def hand_off(
    tx: Connection, sender_id: str, call_id: str, *, card: Card | None, now: float
) -> None:
    """Make the agent the owner, and keep what the agent is shown."""
    shown = written_card(card)
    _HAND_OFF.run(tx, b_sender=sender_id, b_call=call_id, b_now=now, b_card=shown)


def hand_back(
    tx: Connection, sender_id: str, call_id: str, *, now: float, untold: bool = False
) -> bool:
    """Make the bot the owner; False where it is already, or the call is over.

    ``untold``: a promise was not kept, and the customer heard nothing of it.
    """
    statement = (
        update(assignments)
        .where(_is(sender_id, call_id), assignments.c.owner == Owner.AGENT.value)
        .where(assignments.c.ended_at.is_(None))
        .values(owner=Owner.BOT.value, handed_back_at=now, untold=untold)
    )
    return bool(tx.execute(statement).rowcount)


def take_back(tx: Connection, sender_id: str, call_id: str) -> None:
    """Undo a handoff of which the customer was told nothing: no cool-down follows."""
    tx.execute(
        update(assignments)
        .where(_is(sender_id, call_id))
        .values(owner=Owner.BOT.value, handed_off_at=None)
    )


def end(tx: Connection, sender_id: str, call_id: str, *, now: float) -> bool:
    """The call ended, or went to somebody else; False where it had."""
    statement = (
        update(assignments)
        .where(_is(sender_id, call_id), assignments.c.ended_at.is_(None))
        .values(ended_at=now, owner=Owner.BOT.value)
    )
    return bool(tx.execute(statement).rowcount)


def standings_of(
    tx: Connection, call_ids: Sequence[str]
) -> dict[tuple[str, str], tuple[str, float | None]]:
    """For calls about to be written to: (sender, call) to (agent, ended at)."""
    rows = tx.execute(_STANDINGS, {"b_calls": list(call_ids)})
    return {(row.sender_id, row.call_id): (row.agent_id, row.ended_at) for row in rows}


def card_of(tx: Connection, call_id: str) -> Card | None:
    """The handoff card of a call's newest assignment."""
    statement = (
        select(assignments.c.card)
        .where(assignments.c.call_id == call_id)
        .order_by(assignments.c.given_at.desc())
        .limit(1)
    )
    stored = tx.execute(statement).scalar()
    if not stored:
        return None
    card: Mapping[str, Any] = json.loads(stored)
    return Card(card["reason"], card["slots"], tuple(Line(**line) for line in card["turns"]))


def list_calls(
    tx: Connection,
    *,
    agent_id: str | None,
    ended: bool,
    before: tuple[float, str] | None,
    limit: int,
) -> list[Standing]:
    """Calls, the newest assignment first; ``before`` is (given_at, call ID) to go on from."""
    statement = select(assignments).order_by(_a.given_at.desc(), _a.call_id.desc()).limit(limit)
    if agent_id is not None:
        statement = statement.where(_a.agent_id == agent_id)
    if not ended:
        statement = statement.where(_a.ended_at.is_(None))
    if before is not None:
        at, call_id = before
        older = or_(_a.given_at < at, and_(_a.given_at == at, _a.call_id < call_id))
        statement = statement.where(older)
    return [found for row in tx.execute(statement) if (found := standing(row))]


def _is(sender_id: str, call_id: str) -> ColumnElement[bool]:
    return and_(assignments.c.sender_id == sender_id, assignments.c.call_id == call_id)


def standing(row: Row) -> Standing | None:
    """The standing of a row that has the columns of ``STANDING``; None where they are null."""
    if row.agent_id is None:
        return None
    return Standing(
        assignment=Assignment(
            sender_id=SenderId(row.sender_id),
            agent_id=AgentId(row.agent_id),
            call_id=CallId(row.call_id),
            user_id=row.user_id,
            channel=Channel(row.channel),
            channel_config_id=row.channel_config_id,
            agent_nickname=row.agent_nickname,
            agent_avatar=row.agent_avatar,
        ),
        owner=Owner(row.owner),
        source=row.source,
        given_at=row.given_at,
        handed_off_at=row.handed_off_at,
        handed_back_at=row.handed_back_at,
        ended_at=row.ended_at,
        untold=bool(row.untold),
        card_erased_at=row.erased_at,
    )

"""Agents' sessions: the GUID that all processes share, and who is signing in or polling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Column, Connection, bindparam, select, update

from bridge.model import AgentId, Guid
from bridge.store.prepared import Prepared
from bridge.store.schema import sessions
from bridge.store.sql import insert_or_ignore, upsert

_APART = 60.0  # seconds; clocks of several machines that work together differ by less


class SessionState(str, Enum):
    """How an agent stands with the gateway, as far as is known."""

    SIGNED_IN = "signed_in"
    DOUBTED = "doubted"  # the gateway refused the GUID and yet says that we are signed in
    GONE = "gone"  # the GUID is no longer good
    REFUSED = "refused"  # the last sign-in was refused; the error says why
    SIGNED_OUT = "signed_out"  # on purpose; nothing is to be signed in


@dataclass(frozen=True, slots=True)
class Session:
    """An agent's session as stored. ``guid`` is a secret."""

    agent_id: AgentId
    guid: Guid | None
    state: SessionState
    ours: bool
    generation: int  # moves with every new GUID, and when a doubted one is to be tried again
    renewed_at: float  # when its state last changed
    error_code: str | None = None
    error_message: str | None = None

    @property
    def usable(self) -> bool:
        """Whether its GUID is worth a try."""
        return self.guid is not None and self.state in (
            SessionState.SIGNED_IN,
            SessionState.DOUBTED,
        )


_NEXT_GENERATION = Prepared(
    update(sessions)
    .where(sessions.c.agent_id == bindparam("b_agent"))
    .values(generation=sessions.c.generation + 1)
)
_GET = Prepared(select(sessions).where(sessions.c.agent_id == bindparam("b_agent")))
_ENSURE = insert_or_ignore(
    sessions, "agent_id", "guid", "state", "ours", "generation", "renewed_at"
)
_RENEWED = ("guid", "state", "renewed_at", "error_code", "error_message")
_RENEW = upsert(sessions, ("agent_id",), (*_RENEWED, "ours"), also=("generation",))
_RENEW_WHOSEVER = upsert(sessions, ("agent_id",), _RENEWED, also=("ours", "generation"))


def get(tx: Connection, agent_id: str) -> Session | None:
    """The session of one agent."""
    row = _GET.first(tx, b_agent=agent_id)
    if row is None:
        return None
    return Session(
        AgentId(row.agent_id),
        Guid(row.guid) if row.guid else None,
        SessionState(row.state),
        bool(row.ours),
        row.generation,
        row.renewed_at,
        row.error_code,
        row.error_message,
    )


def unattended(
    tx: Connection, *, now: float, dead: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """The agents whose sessions are the bridge's, and whom no process keeps signed in."""
    statement = select(sessions.c.agent_id, sessions.c.keeper, sessions.c.keeper_until).where(
        sessions.c.ours.is_(True),
        sessions.c.state.in_([SessionState.SIGNED_IN.value, SessionState.DOUBTED.value]),
    )
    return [
        row.agent_id
        for row in tx.execute(statement)
        if row.keeper is None or row.keeper_until < now or dead(row.keeper)
    ]


def renew(tx: Connection, agent_id: str, guid: str, *, ours: bool | None, now: float) -> None:
    """Store the newest GUID; ``ours`` None leaves open whose session it is."""
    values = {
        "agent_id": agent_id,
        "guid": guid,
        "state": SessionState.SIGNED_IN.value,
        "ours": bool(ours),
        "generation": 0,
        "renewed_at": now,
        "error_code": None,
        "error_message": None,
    }
    (_RENEW_WHOSEVER if ours is None else _RENEW).run(tx, **values)
    _NEXT_GENERATION.run(tx, b_agent=agent_id)


def mark(
    tx: Connection,
    agent_id: str,
    state: SessionState,
    *,
    guid: str | None,
    now: float,
    error: tuple[str, str] | None = None,
) -> bool:
    """Change the state if ``guid`` still is the session's; False where somebody renewed it.

    A doubted session is a new generation: its GUID is to be tried once more.
    """
    code, message = error or (None, None)
    statement = (
        update(sessions)
        .where(sessions.c.agent_id == agent_id)
        .where(sessions.c.guid.is_(None) if guid is None else sessions.c.guid == guid)
        .values(state=state.value, renewed_at=now, error_code=code, error_message=message)
    )
    changed = bool(tx.execute(statement).rowcount)
    if changed and state is SessionState.DOUBTED:
        _NEXT_GENERATION.run(tx, b_agent=agent_id)
    return changed


def forget(tx: Connection, agent_id: str) -> None:
    """The session was signed out on purpose."""
    tx.execute(
        update(sessions)
        .where(sessions.c.agent_id == agent_id)
        .values(state=SessionState.SIGNED_OUT.value, guid=None, keeper=None, signing_in=None)
    )


class Turn(Enum):
    """Whose turn it is to sign an agent in."""

    OTHERS = "others"  # another process is at it
    OURS = "ours"
    ABANDONED = "abandoned"  # ours, and whoever was at it died before its outcome was stored


def claim_sign_in(
    tx: Connection,
    agent_id: str,
    who: str,
    *,
    now: float,
    seconds: float,
    dead: Callable[[str], bool] = lambda _: False,
) -> Turn:
    """Take the right to sign the agent in, also from a holder that is ``dead``."""
    right = (sessions.c.signing_in, sessions.c.signing_in_until)
    former = _claim(tx, agent_id, right, who, now=now, until=now + seconds, dead=dead)
    if former is None:
        return Turn.OTHERS
    return Turn.ABANDONED if former not in ("", who) else Turn.OURS


def release_sign_in(tx: Connection, agent_id: str, who: str) -> None:
    """Give the right back."""
    tx.execute(
        update(sessions)
        .where(sessions.c.agent_id == agent_id, sessions.c.signing_in == who)
        .values(signing_in=None, signing_in_until=None)
    )


def claim_keeping(
    tx: Connection,
    agent_id: str,
    who: str,
    *,
    now: float,
    seconds: float,
    dead: Callable[[str], bool] = lambda _: False,
) -> bool:
    """Take, or hold on to, the right to poll for the agent: reading consumes events."""
    right = (sessions.c.keeper, sessions.c.keeper_until)
    return _claim(tx, agent_id, right, who, now=now, until=now + seconds, dead=dead) is not None


def _claim(
    tx: Connection,
    agent_id: str,
    right: tuple[Column[Any], Column[Any]],
    who: str,
    *,
    now: float,
    until: float,
    dead: Callable[[str], bool],
) -> str | None:
    """Take a right, a column for its holder and one for its end; None while another has it.

    Returns who held it before, ``""`` where nobody did.
    """
    _ensure(tx, agent_id, now)
    this = sessions.c.agent_id == agent_id
    holder, held_until = tx.execute(select(*right).where(this).with_for_update()).one()
    others = holder not in (None, who)
    # An end too far ahead was written before the clock was set back.
    if others and now <= held_until <= until + _APART and not dead(holder):
        return None
    values = {right[0].name: who, right[1].name: until}
    tx.execute(update(sessions).where(this).values(values))
    return holder or ""


def release_keeping(tx: Connection, agent_id: str, who: str) -> None:
    """Let another process poll."""
    tx.execute(
        update(sessions)
        .where(sessions.c.agent_id == agent_id, sessions.c.keeper == who)
        .values(keeper=None, keeper_until=None)
    )


def _ensure(tx: Connection, agent_id: str, now: float) -> None:
    _ENSURE.run(
        tx,
        agent_id=agent_id,
        guid=None,
        state=SessionState.GONE.value,
        ours=False,
        generation=0,
        renewed_at=now,
    )

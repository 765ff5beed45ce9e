"""Counts for those who watch: what is open, however much is kept. Reads only."""

from __future__ import annotations

from sqlalchemy import Connection, func, literal_column, select

from bridge.metrics import Figures
from bridge.store import errands
from bridge.store.delivery_rows import OPEN, WAITING
from bridge.store.prepared import Prepared
from bridge.store.schema import assignments, deliveries, sessions, suggestions
from bridge.store.sessions import SessionState

# Each in the words of its partial index, but for calls and sessions: those are looked through.
_DELIVERIES = Prepared(
    select(deliveries.c.state, func.count().label("number"))
    .where(OPEN)
    .group_by(deliveries.c.state)
)
_OLDEST = Prepared(select(func.min(deliveries.c.created_at)).where(deliveries.c.state == WAITING))
_CALLS = Prepared(
    select(func.count()).select_from(assignments).where(assignments.c.ended_at.is_(None))
)
_SESSIONS = Prepared(
    select(sessions.c.state, func.count().label("number")).group_by(sessions.c.state)
)
_OFFERED = Prepared(
    select(func.count())
    .select_from(suggestions)
    .where(suggestions.c.state == literal_column("'offered'"))
)


def read(tx: Connection) -> Figures:
    """How much of everything is open at this moment."""
    waiting = {row.state: row.number for row in _DELIVERIES.all(tx)}
    agents = {row.state: row.number for row in _SESSIONS.all(tx)}
    still_open, failed = errands.counts(tx)
    return Figures(
        deliveries={state: waiting.get(state, 0) for state in ("waiting", "sending")},
        oldest_waiting_at=_OLDEST.scalar(tx),
        open_calls=_CALLS.scalar(tx),
        sessions={state.value: agents.get(state.value, 0) for state in SessionState},
        suggestions_offered=_OFFERED.scalar(tx),
        errands={"open": still_open, "failed": failed},
    )

"""The partial indexes, which find open rows quickly however many settled ones are kept.

A separate module, because SQLAlchemy loads PostgreSQL's dialect to check them, which opening an
existing database need not wait for. Importing it completes ``schema.metadata``.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from bridge.store import schema

_a, _d, _s, _u = (
    schema.assignments.c,
    schema.deliveries.c,
    schema.suggestions.c,
    schema.rasa_updates.c,
)
_c, _q = schema.calls.c, schema.call_requests.c
_PARTIAL = (
    ("assignments_open", "ended_at IS NULL", (_a.given_at, _a.call_id)),
    ("assignments_agent_open", "ended_at IS NULL", (_a.agent_id, _a.given_at, _a.call_id)),
    ("assignments_alert", "alert_at IS NOT NULL", (_a.alert_at,)),
    ("events_open", "handled_at IS NULL", (schema.events.c.seq,)),
    ("suggestions_offered", "state = 'offered'", (_s.sender_id, _s.expires_at)),
    ("rasa_updates_open", "state IN ('waiting', 'sending')", (_u.sender_id, _u.seq)),
    ("calls_live", "state <> 'ended'", (_c.agent_id, _c.begun_at)),
    ("call_requests_open", "state IN ('waiting', 'sending')", (_q.line, _q.seq)),
    ("rasa_updates_failed", "state = 'failed'", (_u.seq,)),
    (
        "deliveries_open",
        "state IN ('waiting', 'sending')",
        (
            _d.call_id,
            _d.seq,
            _d.state,
        ),  # otherwise SQLite uses the index of all of a call's deliveries
    ),
    (
        "deliveries_due",
        "state = 'waiting'",
        (_d.due_at, _d.seq),  # otherwise PostgreSQL sorts all due deliveries for each claim
    ),
    ("deliveries_waiting_agent", "state = 'waiting'", (_d.agent_id, _d.error_code)),
    ("deliveries_failed", "state IN ('failed', 'expired', 'uncertain')", (_d.state, _d.seq)),
)
# Enforces, across all processes, that one delivery of a call is being sent at a time.
_ONE_SENDING = "state = 'sending'"
Index(
    "deliveries_sending",
    _d.call_id,
    unique=True,
    sqlite_where=text(_ONE_SENDING),
    postgresql_where=text(_ONE_SENDING),
)

for _name, _where, _columns in _PARTIAL:
    Index(_name, *_columns, sqlite_where=text(_where), postgresql_where=text(_where))

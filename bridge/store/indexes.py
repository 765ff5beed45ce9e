"""The partial indexes: what is open is found quickly, however much is kept.

A module of its own: SQLAlchemy loads PostgreSQL's dialect to check them, which a database that is
there already need not wait for. Importing it completes ``schema.metadata``.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from bridge.store import schema

_PARTIAL = (
    ("events_open", "handled_at IS NULL", (schema.events.c.seq,)),
    ("suggestions_offered", "state = 'offered'", (schema.suggestions.c.sender_id,)),
    (
        "errands_open",
        "state IN ('waiting', 'doing')",
        (
            schema.errands.c.sender_id,
            schema.errands.c.seq,
        ),
    ),
    ("errands_failed", "state = 'failed'", (schema.errands.c.seq,)),
    (
        "deliveries_open",
        "state IN ('waiting', 'sending')",
        (
            schema.deliveries.c.call_id,
            schema.deliveries.c.seq,
            schema.deliveries.c.state,  # else SQLite takes the index of all of a call's deliveries
        ),
    ),
    (
        "deliveries_due",
        "state = 'waiting'",
        (
            schema.deliveries.c.due_at,
            schema.deliveries.c.seq,  # else PostgreSQL sorts all that is due for each claim
        ),
    ),
)

for _name, _where, _columns in _PARTIAL:
    Index(_name, *_columns, sqlite_where=text(_where), postgresql_where=text(_where))

"""Statements of the queues whose rows are leased, and worked on one at a time per line.

Such a table has the columns ``seq``, ``state`` (waiting, sending, done, failed), ``due_at``,
``lease``, ``lease_until``, and one that names the line.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table

from bridge.store import rows, schema
from bridge.store.statements import Select

SLICE = 500
_OPEN = "q.state IN ('waiting', 'sending')"  # must match the partial index word for word


def first_of_each(table: str, alias: str, of: str) -> str:
    """Return the SQL condition that a queued row is first in its line and none is being sent."""
    return (
        f"NOT EXISTS (SELECT 1 FROM {table} o WHERE o.{of} = {alias}.{of}"  # noqa: S608
        f" AND o.state IN ('waiting', 'sending') AND o.seq <> {alias}.seq"
        f" AND (o.seq < {alias}.seq OR o.state = 'sending'))"
    )


class LeasedQueue:
    """One queue.

    Args:
        table: its table.
        columns: the columns of the rows that the statements return.
        line: the column that names the line.
        lock: prefix of the keys by which PostgreSQL locks a line.
        only: condition of the rows that may be claimed, in SQL; all others are claimed apart.

    Attributes:
        due: rows that may be claimed, and those whose lease has expired, the longest due first;
            for a time (twice) and a number of rows.
        times: the earliest due time, the earliest in the future, the earliest end of a lease.
        open: rows that wait or are being sent.
        numbered: rows by number.
    """

    def __init__(
        self, table: Table, columns: Sequence[str], *, line: str, lock: str, only: str = "true"
    ) -> None:
        self.name = table.name
        self.lock = lock
        self.line_at = columns.index(line)
        listed = ", ".join(f"q.{name}" for name in columns)
        listing = f"SELECT {listed} FROM {table.name} q"  # noqa: S608 - the schema's own names
        self.due = Select(
            f"{listing} WHERE ((q.state = 'waiting' AND q.due_at <= {{value}})"
            f" OR (q.state = 'sending' AND q.lease_until < {{value}})) AND {_OPEN} AND {only}"
            f" AND {first_of_each(table.name, 'q', line)}"
            " ORDER BY q.due_at, q.seq LIMIT {value}"
        )
        self.times = Select(
            f"SELECT min(CASE WHEN q.state = 'waiting' THEN q.due_at END),"  # noqa: S608
            " min(CASE WHEN q.state = 'waiting' AND q.due_at > {value} THEN q.due_at END),"
            " min(CASE WHEN q.state = 'sending' THEN q.lease_until END)"
            f" FROM {table.name} q WHERE {_OPEN}"
        )
        self.open = Select(f"{listing} WHERE {_OPEN} LIMIT {SLICE}")
        self.numbered = Select(
            f"SELECT {listed} FROM {{numbers}} CROSS JOIN {table.name} q"  # noqa: S608
            " WHERE q.seq = k.value"
        )


UPDATES, INQUIRIES = (
    LeasedQueue(schema.rasa_updates, rows.UPDATE, line="sender_id", lock="update", only=only)
    for only in ("q.kind <> 'inquiry'", "q.kind = 'inquiry'")
)
_U = ", ".join(f"q.{name}" for name in rows.UPDATE)
EXPIRED_INQUIRIES = Select(  # wherever they stand in their lines
    f"SELECT {_U} FROM rasa_updates q WHERE {_OPEN} AND q.state = 'waiting'"  # noqa: S608
    f" AND q.kind = 'inquiry' AND q.expires_at <= {{value}} LIMIT {SLICE}"
)
REQUESTS = LeasedQueue(schema.call_requests, rows.CALL_REQUEST, line="line", lock="request")

"""Make rows readable that no version of the bridge should have written.

A row may have been edited by hand, restored from a damaged file, or written by a program with a
fault. It must not stop a batch, a claim or a list: it is read with replacements, and if it is
open, it is set aside, so that it is not loaded again and again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, Table

from bridge import untrusted
from bridge.store import schema
from bridge.store.statements import Select, Transaction

logger = logging.getLogger(__name__)

UNREADABLE = "unreadable"
_MESSAGE = "its stored row could not be read; the log names it"

# The state of an open row that cannot be read, by table.
_CLOSED = {
    "deliveries": "failed",
    "suggestions": "expired",
    "rasa_updates": "failed",
    "call_requests": "failed",
}
_OPEN = frozenset({"waiting", "sending", "offered"})
_HIGHEST = 2**63

# Values that are used whatever is stored: they select a converter, or are JSON of a certain shape.
_ALWAYS: dict[str, dict[str, Any]] = {
    "suggestions": {"source": '{"kind": "unreadable"}', "drafts": "[]", "kept": "[]"},
    "sessions": {"state": "gone", "guid": None},
    "rasa_updates": {"body": "{}"},
    "call_requests": {"body": "{}"},
    "calls": {"held": "[]", "state": "ended"},
    "messages": {"attachment": None},
    "assignments": {"bot_note": None},
    "turns": {"answer": None, "unavailable": None},
    "events": {"content": "null"},
}
_REASON = {
    "deliveries": (UNREADABLE, _MESSAGE),
    "rasa_updates": (_MESSAGE,),
    "call_requests": (_MESSAGE,),
}
_SET_ASIDE = {
    "deliveries": Select(
        "UPDATE deliveries SET state = 'failed', lease = NULL, lease_until = NULL,"
        " error_code = {value}, error_message = {value}, settled_at = {value}"
        " FROM {numbers} WHERE seq = k.value"
    ),
    "rasa_updates": Select(
        "UPDATE rasa_updates SET state = 'failed', lease = NULL, lease_until = NULL,"
        " error = {value}, settled_at = {value}"
        " FROM {numbers} WHERE seq = k.value"
    ),
    "call_requests": Select(
        "UPDATE call_requests SET state = 'failed', lease = NULL, lease_until = NULL,"
        " error = {value}, settled_at = {value}"
        " FROM {numbers} WHERE seq = k.value"
    ),
    "suggestions": Select(
        "UPDATE suggestions SET state = 'expired', settled_at = {value}"
        " FROM {numbers} WHERE seq = k.value"
    ),
}


def require_times(*times: float | None) -> None:
    """Raise ValueError or TypeError if a stored time is none that the bridge writes."""
    for at in times:
        if at is not None and not -untrusted.LATEST < at < untrusted.LATEST:
            message = "not a time"
            raise ValueError(message)


def require_texts(*texts: str | None) -> None:
    """Raise TypeError if a stored value is neither text nor null."""
    "".join([text for text in texts if text is not None])


def repaired(
    table: Table, names: Sequence[str], values: dict[str, frozenset[str]], row: Sequence[Any]
) -> tuple[Any, ...]:
    """Return a row's values with replacements for those that cannot be read.

    Args:
        table: the row's table.
        names: the columns of the row, in order.
        values: the values that a column may have, by column; others become the least of them.
        row: the row as stored.
    """
    columns = table.c
    found = {name: _readable(columns[name], value) for name, value in zip(names, row, strict=True)}
    found |= {name: value for name, value in _ALWAYS.get(table.name, {}).items() if name in found}
    for name, allowed in values.items():
        if found[name] not in allowed:
            found[name] = min(allowed)
    closed = _CLOSED.get(table.name)
    if closed is not None and (found["state"] in _OPEN or row[names.index("state")] in _OPEN):
        found["state"] = closed
        if table is schema.deliveries:
            found |= {"error_code": UNREADABLE, "error_message": _MESSAGE, "lease": None}
    return tuple(found[name] for name in names)


def set_aside(tx: Transaction, table: str, numbers: Sequence[int], now: float) -> None:
    """Close open rows that cannot be read, and log their numbers."""
    logger.error(
        "Stored rows cannot be read and are set aside: table=%s numbers=%s",
        table,
        ",".join(map(str, numbers)),
    )
    reason = _REASON.get(table, ())
    _SET_ASIDE[table].run(tx, *reason, now, list(numbers))


def _readable(column: Column[Any], value: Any) -> Any:
    if value is None and column.nullable:
        return None
    kind = column.type
    if isinstance(kind, Float):
        return _time(value, nullable=bool(column.nullable))
    if isinstance(kind, Boolean):
        return bool(value)
    if isinstance(kind, Integer):
        whole = isinstance(value, int) and -_HIGHEST <= value < _HIGHEST
        return value if whole else 0
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return untrusted.text("" if value is None else str(value))


def _time(value: Any, *, nullable: bool) -> float | None:
    """Return a time for one that is not readable; lists are ordered as by the stored value."""
    seconds = untrusted.number(value)
    if seconds is not None and -untrusted.LATEST < seconds < untrusted.LATEST:
        return seconds
    if nullable:
        return None
    return 0.0 if seconds is not None and seconds < 0 else untrusted.LATEST - 1

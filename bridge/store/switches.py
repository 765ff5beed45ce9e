"""Switches that hold for all processes at once."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from bridge.store.prepared import Prepared
from bridge.store.schema import switches
from bridge.store.sql import upsert

_GET = Prepared(select(switches.c.value).where(switches.c.name == bindparam("b_name")))
_PUT = upsert(switches, ("name",), ("value", "changed_at"))


def get(tx: Connection, name: str) -> str | None:
    """A switch's value, or None where it was never set or was lifted."""
    value: str | None = _GET.scalar(tx, b_name=name)
    return value


def put(tx: Connection, name: str, value: str | None, *, now: float) -> None:
    """Set a switch; None lifts it."""
    _PUT.run(tx, name=name, value=value, changed_at=now)

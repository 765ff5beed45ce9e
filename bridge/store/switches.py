"""Switches that hold for all processes at once."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from bridge.store.schema import switches
from bridge.store.sql import upsert

_GET = select(switches.c.value).where(switches.c.name == bindparam("b_name"))


def get(tx: Connection, name: str) -> str | None:
    """A switch's value, or None where it was never set or was lifted."""
    value: str | None = tx.execute(_GET, {"b_name": name}).scalar()
    return value


def put(tx: Connection, name: str, value: str | None, *, now: float) -> None:
    """Set a switch; None lifts it."""
    tx.execute(
        upsert(tx, switches, ("name",), ("value", "changed_at")),
        {"name": name, "value": value, "changed_at": now},
    )

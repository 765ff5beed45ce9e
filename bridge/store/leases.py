"""Duties that one process at a time does for all: who is at it, and when it was last done."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select, update

from bridge.store.schema import leases
from bridge.store.sql import insert_or_ignore

_ENSURE = insert_or_ignore(leases, "name")


def claim(
    tx: Connection,
    name: str,
    who: str,
    *,
    now: float,
    seconds: float,
    dead: Callable[[str], bool] = lambda _: False,
) -> bool:
    """Take a duty, or hold on to it; also from a holder that is ``dead``."""
    _ENSURE.run(tx, name=name)
    this = leases.c.name == name
    held = select(leases.c.holder, leases.c.held_until).where(this).with_for_update()
    holder, until = tx.execute(held).one()
    if holder not in (None, who) and until >= now and not dead(holder):
        return False
    tx.execute(update(leases).where(this).values(holder=who, held_until=now + seconds))
    return True


def release(tx: Connection, name: str, who: str, *, done_at: float | None = None) -> None:
    """Give a duty back; ``done_at`` where it was done to its end."""
    given_back: dict[str, object] = {"holder": None, "held_until": None}
    if done_at is not None:
        given_back["done_at"] = done_at
    mine = (leases.c.name == name) & (leases.c.holder == who)
    tx.execute(update(leases).where(mine).values(given_back))


def done_at(tx: Connection, name: str) -> float | None:
    """When a duty was last done to its end, by whichever process."""
    at: float | None = tx.execute(select(leases.c.done_at).where(leases.c.name == name)).scalar()
    return at

"""Tokens that are no longer good before their time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select

from bridge.store.schema import revocations
from bridge.store.sql import upsert

_PUT = upsert(revocations, ("subject",), ("revoked_at", "expires_at"))
_FIND = select(revocations.c.subject, revocations.c.revoked_at).where(
    revocations.c.subject.in_(bindparam("b_subjects", expanding=True))
)


def revoke(tx: Connection, subject: str, *, now: float, until: float) -> None:
    """Revoke what ``subject`` names: a token's ``jti``, or ``agent:ID`` for all made so far."""
    drop_void(tx, now=now)
    _PUT.run(tx, subject=subject, revoked_at=now, expires_at=until)


def find(tx: Connection, subjects: Sequence[str]) -> dict[str, float]:
    """Which of ``subjects`` were revoked, and when."""
    rows = tx.execute(_FIND, {"b_subjects": list(subjects)})
    return {row.subject: row.revoked_at for row in rows}


def drop_void(tx: Connection, *, now: float) -> int:
    """Drop the revocations of tokens that are void by themselves; how many that were."""
    gone = delete(revocations).where(revocations.c.expires_at < now)
    return int(tx.execute(gone).rowcount)

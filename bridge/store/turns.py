"""Action calls that did something: the first stored wins, a repeat gets the same answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bridge.store.prepared import Prepared, Row
from bridge.store.schema import turns
from bridge.store.sql import insert_or_ignore


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One action call; ``answer`` is None until somebody gave one."""

    key: str
    sender_id: str
    call_id: str | None
    made_at: float
    answer: dict[str, Any] | None


_GET = Prepared(select(turns).where(turns.c.key == bindparam("b_key")))
_BEGIN = insert_or_ignore(turns, "key", "sender_id", "call_id", "made_at", "answer")
_LAST = Prepared(
    select(turns)
    .where(turns.c.call_id == bindparam("b_call"))
    .order_by(turns.c.made_at.desc())
    .limit(1)
)
_ANSWER = Prepared(
    update(turns)
    .where(turns.c.key == bindparam("b_key"), turns.c.answer.is_(None))
    .values(answer=bindparam("b_answer"))
)


def get(tx: Connection, key: str) -> TurnRecord | None:
    """The action call of ``key``, if it was stored."""
    row = _GET.first(tx, b_key=key)
    return _record(row) if row else None


def last_of_call(tx: Connection, call_id: str) -> TurnRecord | None:
    """The newest action call that handed this call off."""
    row = _LAST.first(tx, b_call=call_id)
    return _record(row) if row else None


def begin(
    tx: Connection,
    key: str,
    *,
    sender_id: str,
    call_id: str | None,
    now: float,
    answer: dict[str, Any] | None = None,
) -> bool:
    """Store an action call; False where it was stored already."""
    values = {
        "key": key,
        "sender_id": sender_id,
        "call_id": call_id,
        "made_at": now,
        "answer": json.dumps(answer) if answer is not None else None,
    }
    return bool(_BEGIN.run(tx, **values))


def settle(tx: Connection, key: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Store the answer unless there is one; return the one that counts."""
    if _ANSWER.run(tx, b_key=key, b_answer=json.dumps(answer)):
        return answer
    record = get(tx, key)
    return record.answer if record and record.answer is not None else answer


def _record(row: Row) -> TurnRecord:
    answer = json.loads(row.answer) if row.answer else None
    return TurnRecord(row.key, row.sender_id, row.call_id, row.made_at, answer)

"""Action calls that did something: the first stored wins, a repeat gets the same answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Subquery, Update, bindparam, select, update

from bridge.store.bulk import Bulk
from bridge.store.prepared import Prepared, Row
from bridge.store.schema import turns
from bridge.store.sql import insert_ignoring, insert_or_ignore


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
    return _of(row) if row else None


def last_of_call(tx: Connection, call_id: str) -> TurnRecord | None:
    """The newest action call that handed this call off."""
    row = _LAST.first(tx, b_call=call_id)
    return _of(row) if row else None


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


_BEGIN_ALL = Bulk(
    {name: turns.c[name].type for name in ("key", "sender_id", "call_id", "made_at")},
    lambda given, dialect: insert_ignoring(turns, dialect).values(given.as_values()),
)
_ANSWER_ALL = Bulk(
    {"key": turns.c.key.type, "answer": turns.c.answer.type},
    lambda given, _dialect: _answer_all(given.table()),
)


def _answer_all(given: Subquery) -> Update:
    return (
        update(turns)
        .where(turns.c.key == given.c.key, turns.c.answer.is_(None))
        .values(answer=given.c.answer)
    )


def begin_all(tx: Connection, rows: Sequence[tuple[str, str, str, float]]) -> int:
    """Store action calls, each (key, sender, call, when); how many were not stored already."""
    return _BEGIN_ALL.run(tx, rows)


def settle_all(tx: Connection, answers: Sequence[tuple[str, dict[str, Any]]]) -> list[None]:
    """Store answers to action calls unless there are some, each (key, answer)."""
    _ANSWER_ALL.run(tx, [(key, json.dumps(answer)) for key, answer in answers])
    return [None] * len(answers)


def settle(tx: Connection, key: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Store the answer unless there is one; return the one that counts."""
    if _ANSWER.run(tx, b_key=key, b_answer=json.dumps(answer)):
        return answer
    stored = get(tx, key)
    return stored.answer if stored and stored.answer is not None else answer


def record(
    key: str, sender_id: str, call_id: str | None, made_at: float, answer: str | None
) -> TurnRecord:
    """An action call of what is stored of it."""
    told = json.loads(answer) if answer else None
    return TurnRecord(key, sender_id, call_id, made_at, told)


def _of(row: Row) -> TurnRecord:
    return record(row.key, row.sender_id, row.call_id, row.made_at, row.answer)

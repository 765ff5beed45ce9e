"""What the gateway told of an agent, in the order in which it came. Events have no id."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from bridge.store.schema import events


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came; ``content`` is whatever JSON the gateway gave."""

    seq: int
    agent_id: str
    event_type: str
    content: Any
    received_at: float


def add(tx: Connection, agent_id: str, batch: Iterable[tuple[str, Any]], *, now: float) -> None:
    """Store events of ``agent_id``: pairs of type and content."""
    rows = [
        {
            "agent_id": agent_id,
            "event_type": event_type[:128],
            "content": json.dumps(content, ensure_ascii=False),
            "received_at": now,
        }
        for event_type, content in batch
    ]
    if rows:
        tx.execute(insert(events), rows)


def of_agent(tx: Connection, agent_id: str, *, limit: int = 100) -> list[Event]:
    """The newest events of an agent, oldest first."""
    statement = (
        select(events)
        .where(events.c.agent_id == agent_id)
        .order_by(events.c.seq.desc())
        .limit(limit)
    )
    rows = list(tx.execute(statement))
    return [
        Event(row.seq, row.agent_id, row.event_type, json.loads(row.content), row.received_at)
        for row in reversed(rows)
    ]

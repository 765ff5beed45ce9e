"""What the store holds of a customer, in every table: made, and looked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, Table, select

from bridge.model import (
    AgentId,
    CallId,
    Card,
    DeliveryState,
    Draft,
    Line,
    MediaType,
    Owner,
    SenderId,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.store import Store, assignments, errands, events, queue, schema, suggestions, turns
from bridge.store.errands import Errand, Kind
from tests.making import assignment, delivery, envelope


def history(
    store: Store,
    who: str,
    call: str,
    user: str,
    at: float,
    state: DeliveryState = DeliveryState.DELIVERED,
    offered: SuggestionState = SuggestionState.EDITED,
    errand: str = "done",
    *,
    ended: bool = True,
) -> None:
    """One conversation of ``who`` at ``at``, with words that name them, in every table."""
    words = f"the words of {who} at {at}"
    given = assignment(sender_id=SenderId(who), call_id=CallId(call), user_id=user)
    drafts = (Draft(MediaType.TEXT, words),)
    key = derive("turn", who, call, at)
    sent = delivery(
        sender_id=SenderId(who),
        envelope=replace(envelope(), call_id=CallId(call), user_id=user),
        draft=drafts[0],
        message_code=derive("code", who, call, at),
        reply_key=derive("reply", who, call, at),
        turn_key=key,
        state=state,
        created_at=at,
        expires_at=at + 300,
        due_at=at,
        settled_at=at + 1 if state.settled else None,
        lease="somebody" if state is DeliveryState.SENDING else None,
        lease_until=at + 10 if state is DeliveryState.SENDING else None,
    )
    suggested = Suggestion(
        id=derive("suggestion", who, call, at),
        group=key,
        sender_id=SenderId(who),
        agent_id=AgentId("291"),
        call_id=CallId(call),
        state=SuggestionState.OFFERED,
        created_at=at,
        expires_at=at + 300 if offered is not SuggestionState.OFFERED else 4e9,
        source=Source("assist", "ask_price", 0.9, 0.4, "utter_price"),
        text=words,
        drafts=drafts,
        kept=drafts,
        message_id=f"{who}-1",
    )
    told = Errand(
        seq=0,
        id=derive("errand", who, call, at),
        sender_id=who,
        call_id=call,
        kind=Kind.WRITE_BACK,
        body={"text": words},
        made_at=at,
        due_at=at,
        give_up_at=at + 60,
    )

    def write(tx: Connection) -> None:
        assignments.give(tx, given, Owner.AGENT, "http", now=at)
        card = Card("asked for a person", {"name": who}, (Line("customer", words, at),))
        assignments.hand_off(tx, who, call, card=card, now=at)
        turns.begin(tx, key, sender_id=who, call_id=call, now=at, answer={"state": "handoff"})
        queue.add(tx, [sent])
        suggestions.offer(tx, [suggested])
        if offered is not SuggestionState.OFFERED:
            suggestions.settle(
                tx, suggested.id, offered, by="291", now=at, edited_text=words, reason=words
            )
        errands.add(tx, told)
        if errand != "waiting":
            claimed = [
                item
                for item in errands.claim(tx, lease="x", now=at, until=at + 9, limit=100)
                if item.id == told.id
            ]
            for one in claimed:
                if errand != "doing":
                    errands.settle(tx, one, state=errand, now=at, due=at, error=None)
        heard = {"callid": call, "caller": user, "message": words}
        events.add(tx, "291", [("AgentEvent_MessageData", heard)], now=at)
        if ended:
            assignments.end(tx, who, call, now=at)

    store.write(write)


def dump(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""

    def query(tx: Connection) -> dict[str, list[dict[str, Any]]]:
        return {
            table.name: [dict(row._mapping) for row in tx.execute(_in_order(table))]
            for table in schema.metadata.sorted_tables
        }

    return store.read(query)


def written(store: Store) -> str:
    """The whole database as text, to look for words in."""
    return json.dumps(dump(store), ensure_ascii=False)


def _in_order(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key.columns)

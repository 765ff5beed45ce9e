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
    MessageCode,
    Owner,
    SenderId,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.state.calls import Apology, CallRecord, CallRequest, CallRequestKind, CallState
from bridge.state.records import (
    HANDOFF,
    ActionAnswer,
    AssignmentRecord,
    Change,
    ChangeKind,
    EventRecord,
    MessageRecord,
    RasaUpdate,
    TurnRecord,
    UpdateKind,
    UpdateState,
)
from bridge.store import Store, changes, schema
from tests.making import assignment, delivery, envelope
from tests.store.machine import keep


def history(
    store: Store,
    who: str,
    call: str,
    user: str,
    at: float,
    state: DeliveryState = DeliveryState.DELIVERED,
    offered: SuggestionState = SuggestionState.EDITED,
    update: UpdateState = UpdateState.DONE,
    *,
    ended: bool = True,
) -> None:
    """One conversation of ``who`` at ``at``, with words that name them, in every table."""
    words = f"the words of {who} at {at}"
    sender, call_id, key = SenderId(who), CallId(call), derive("turn", who, call, at)
    drafts = (Draft(MediaType.TEXT, words),)
    under_way = state is DeliveryState.SENDING
    sent = delivery(
        sender_id=sender,
        envelope=replace(envelope(), call_id=call_id, user_id=user),
        draft=drafts[0],
        message_code=MessageCode(derive("code", who, call, at)),
        reply_key=derive("reply", who, call, at),
        turn_key=key,
        state=state,
        created_at=at,
        expires_at=at + 300,
        due_at=at,
        settled_at=at + 1 if state.settled else None,
        lease="somebody" if under_way else None,
        lease_until=at + 10 if under_way else None,
    )
    open_offer = offered is SuggestionState.OFFERED
    suggested = Suggestion(
        id=derive("suggestion", who, call, at),
        group=key,
        sender_id=sender,
        agent_id=AgentId("291"),
        call_id=call_id,
        state=offered,
        created_at=at,
        expires_at=4e9 if open_offer else at + 300,
        source=Source("assist", "ask_price", 0.9, 0.4, "utter_price"),
        text=words,
        drafts=drafts,
        kept=drafts,
        message_id=f"{who}-1",
        question=words,
        edited_text=None if open_offer else words,
        reason=None if open_offer else words,
        settled_at=None if open_offer else at,
        settled_by=None if open_offer else "291",
    )
    told = RasaUpdate(
        seq=0,
        id=derive("update", who, call, at),
        sender_id=who,
        call_id=call,
        kind=UpdateKind.WRITE_BACK,
        body={
            "text": words,
            "media_type": "TEXT",
            "origin": "agent",
            "agent_id": "291",
            "approved_by": "291",
            "at": at,
        },
        created_at=at,
        due_at=at,
        expires_at=at + 60,
        state=update,
        lease="x" if update is UpdateState.SENDING else None,
        lease_until=at + 9 if update is UpdateState.SENDING else None,
        settled_at=at if update in (UpdateState.DONE, UpdateState.FAILED) else None,
        shadow=f"assist-{who[:20]}-{call}",
    )
    given = assignment(sender_id=sender, call_id=call_id, user_id=user)
    card = Card("asked for a person", {"name": who}, (Line("customer", words, at),))
    heard = {"callid": call, "caller": user, "message": words}
    keep(
        store,
        assignments=[
            AssignmentRecord(
                given,
                Owner.AGENT,
                "http",
                at,
                handed_off_at=at,
                ended_at=at if ended else None,
                card=card,
            )
        ],
        turns=[TurnRecord(key, who, call, at, ActionAnswer(state=HANDOFF))],
        deliveries=[sent],
        suggestions=[suggested],
        messages=[MessageRecord(who, call, f"{who}-1", words, at, at, attachment={"name": words})],
        calls=[
            CallRecord(
                call,
                "291",
                CallState.ENDED if ended else CallState.TALKING,
                at,
                ended_at=at if ended else None,
                caller=user,
                sender_id=who,
                held=(MessageRecord(f"cc-{call}", call, f"{who}-0", words, at, at),),
                apology=Apology("i-1", f"{who}-0", (Draft(MediaType.TEXT, words),)),
            )
        ],
        requests=[
            CallRequest(
                0,
                derive("request", who, call, at),
                call,
                call,
                "291",
                CallRequestKind.ANSWER,
                at,
                at,
                at + 30,
                state=update,
                lease="x" if update is UpdateState.SENDING else None,
                lease_until=at + 9 if update is UpdateState.SENDING else None,
                settled_at=at if update in (UpdateState.DONE, UpdateState.FAILED) else None,
            )
        ],
        updates=[told],
        events=[EventRecord("291", "AgentEvent_MessageData", heard, at)],
    )
    with store.transaction() as tx:
        changes.append(tx, [Change(ChangeKind.CALL, call, who, call, "291")], at)


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

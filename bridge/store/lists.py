"""Read-only queries for the edge, on reading connections: lists, single rows and counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, and_, func, literal_column, or_, select, tuple_

from bridge.metrics import Figures
from bridge.model import Card, Delivery, DeliveryState, Origin, Suggestion, SuggestionState
from bridge.state.calls import CallKey, CallRecord, CallRequest
from bridge.state.records import (
    AssignmentRecord,
    EventRecord,
    LeaderRecord,
    MessageRecord,
    RasaUpdate,
    SessionRecord,
    SessionState,
    SwitchRecord,
    TurnRecord,
    UpdateKind,
)
from bridge.store import rows, schema

T = TypeVar("T")

_a, _d, _e = schema.assignments.c, schema.deliveries.c, schema.events.c
_s, _u, _m = schema.suggestions.c, schema.rasa_updates.c, schema.messages.c
_c, _q = schema.calls.c, schema.call_requests.c
_assignments = select(*(_a[name] for name in rows.ASSIGNMENT_READ))
_updates = select(*(_u[name] for name in rows.UPDATE))
# Literals, word for word as in the partial indexes: otherwise the engines do not use those indexes.
_OPEN = _d.state.in_([literal_column("'waiting'"), literal_column("'sending'")])
_WAITING = _d.state == literal_column("'waiting'")
_FAILED = _d.state.in_(
    [literal_column("'failed'"), literal_column("'expired'"), literal_column("'uncertain'")]
)
_FORMER = 10  # former IDs of a call, at most
_OPEN_STATES = frozenset((DeliveryState.WAITING, DeliveryState.SENDING))
_UPDATES_OPEN = _u.state.in_([literal_column("'waiting'"), literal_column("'sending'")])
_UPDATES_FAILED = _u.state == literal_column("'failed'")
_OFFERED = _s.state == literal_column("'offered'")
_LIVE = _c.state != literal_column("'ended'")
_calls = select(*(_c[name] for name in rows.CALL))


# -- deliveries ------------------------------------------------------------------------------------


def deliveries(
    tx: Connection,
    *,
    call_id: str | None = None,
    states: Iterable[DeliveryState] = (),
    agent_id: str | None = None,
    after: int = 0,
    limit: int,
) -> list[Delivery]:
    """Return deliveries in the order of storing, those with a number above ``after``."""
    statement = select(schema.deliveries).where(_d.seq > after).order_by(_d.seq).limit(limit)
    matching = _of_states(tx, statement, call_id, states, agent_id)
    return sorted(matching, key=lambda item: item.seq)[:limit]


def newest_deliveries(
    tx: Connection,
    *,
    call_id: str | None = None,
    states: Iterable[DeliveryState] = (),
    agent_id: str | None = None,
    limit: int,
) -> list[Delivery]:
    """Return the newest matching deliveries, in the order of storing."""
    statement = select(schema.deliveries).order_by(_d.seq.desc()).limit(limit)
    matching = _of_states(tx, statement, call_id, states, agent_id)
    return sorted(matching, key=lambda item: item.seq)[-limit:]


def counted_deliveries(
    tx: Connection, *, call_id: str | None, agent_id: str | None
) -> dict[str, int]:
    """Return the number of deliveries by state."""
    statement = _narrowed(select(_d.state, func.count()), call_id, (), agent_id)
    return {row[0]: row[1] for row in tx.execute(statement.group_by(_d.state))}


def delivery(tx: Connection, seq: int) -> Delivery | None:
    """Return a delivery by its number."""
    return _first(_deliveries(tx, select(schema.deliveries).where(_d.seq == seq)))


def deliveries_by_number(tx: Connection, numbers: Sequence[int]) -> dict[int, Delivery]:
    """Return the deliveries with these numbers."""
    found = _deliveries(tx, select(schema.deliveries).where(_d.seq.in_(list(numbers))))
    return {item.seq: item for item in found}


def parts(tx: Connection, delivery: Delivery) -> list[Delivery]:
    """Return all parts of a delivery's reply, in order."""
    statement = (
        select(schema.deliveries)
        .where(_d.call_id == delivery.envelope.call_id, _d.reply_key == delivery.reply_key)
        .order_by(_d.part)
    )
    return _deliveries(tx, statement)


def last_delivered(tx: Connection, call_id: str) -> int:
    """Return the number of a call's newest delivered delivery, or 0."""
    statement = select(func.max(_d.seq)).where(
        _d.call_id == call_id, _d.state == literal_column("'delivered'")
    )
    return int(tx.execute(statement).scalar() or 0)


def of_turn(tx: Connection, turn_key: str) -> list[Delivery]:
    """Return the deliveries of an action call, in order."""
    record = turn(tx, turn_key)
    if record is None or record.call_id is None:
        return []
    of_call = deliveries(tx, call_id=record.call_id, limit=1 << 30)
    return [item for item in of_call if item.turn_key == turn_key]


def _of_states(
    tx: Connection,
    statement: Select[Any],
    call_id: str | None,
    states: Iterable[DeliveryState],
    agent_id: str | None,
) -> list[Delivery]:
    """Query open and unsuccessful deliveries separately, because each has its own index."""
    wanted = frozenset(states)
    groups = [wanted & _OPEN_STATES, wanted - _OPEN_STATES]
    if not wanted or DeliveryState.DELIVERED in wanted:
        groups = [wanted]
    return [
        item
        for group in groups
        if group or not wanted
        for item in _deliveries(tx, _narrowed(statement, call_id, group, agent_id))
    ]


def _deliveries(tx: Connection, statement: Select[Any]) -> list[Delivery]:
    return [rows.delivery(row) for row in tx.execute(statement)]


def _narrowed(
    statement: Select[Any],
    call_id: str | None,
    states: Iterable[DeliveryState],
    agent_id: str | None,
) -> Select[Any]:
    if call_id is not None:
        statement = statement.where(_d.call_id == call_id)
    if agent_id is not None:
        statement = statement.where(_d.agent_id == agent_id)
    wanted = [state.value for state in states]
    if not wanted:
        return statement
    if set(wanted) <= {"waiting", "sending"}:
        statement = statement.where(_OPEN)
    elif set(wanted) <= {"failed", "expired", "uncertain"}:
        statement = statement.where(_FAILED)
    elif DeliveryState.DELIVERED.value not in wanted:
        statement = statement.where(or_(_OPEN, _FAILED))
    return statement.where(_d.state.in_(wanted))


# -- calls -----------------------------------------------------------------------------------------


def calls(
    tx: Connection,
    *,
    agent_id: str | None,
    ended: bool,
    before: tuple[float, str] | None,
    limit: int,
) -> list[AssignmentRecord]:
    """Return calls, newest assignment first; ``before`` is the last page's (given_at, call ID)."""
    statement = _assignments.order_by(_a.given_at.desc(), _a.call_id.desc()).limit(limit)
    if agent_id is not None:
        statement = statement.where(_a.agent_id == agent_id)
    if not ended:
        statement = statement.where(_a.ended_at.is_(None))
    if before is not None:
        at, call_id = before
        older = or_(_a.given_at < at, and_(_a.given_at == at, _a.call_id < call_id))
        statement = statement.where(older)
    return [rows.assignment(row) for row in tx.execute(statement)]


def latest_assignment(tx: Connection, sender_id: str) -> AssignmentRecord | None:
    """Return the newest assignment of a conversation, open or ended."""
    statement = _assignments.where(_a.sender_id == sender_id).order_by(_a.given_at.desc())
    return _first([rows.assignment(row) for row in tx.execute(statement.limit(1))])


def assignment_of_call(tx: Connection, call_id: str) -> AssignmentRecord | None:
    """Return the newest assignment of a call, open or ended."""
    statement = _assignments.where(_a.call_id == call_id).order_by(_a.given_at.desc())
    return _first([rows.assignment(row) for row in tx.execute(statement.limit(1))])


def former_calls(tx: Connection, record: AssignmentRecord) -> list[str]:
    """Return the former IDs of a call that was transferred with its conversation, oldest first."""
    earlier = and_(
        _a.sender_id == record.assignment.sender_id,
        _a.call_id != record.assignment.call_id,
        _a.given_at <= record.given_at,
    )
    statement = select(_a.call_id, _a.moved_to).where(earlier).order_by(_a.given_at.desc())
    found: list[str] = []
    for call_id, moved_to in tx.execute(statement.limit(_FORMER)):
        if moved_to is None:
            break
        found.insert(0, call_id)
    return found


def unassigned_calls(
    tx: Connection, *, agent_id: str | None, before: tuple[float, str] | None, limit: int
) -> list[CallRecord]:
    """Return live calls that belong to no conversation yet, newest first; parameters as ``calls``.

    Calls that were only announced are left out.
    """
    assigned = select(_a.call_id).where(_a.call_id == _c.call_id, _a.ended_at.is_(None))
    statement = _calls.where(
        _LIVE, _c.state != "incoming", _c.sender_id.is_(None), ~assigned.exists()
    )
    if agent_id is not None:
        statement = statement.where(_c.agent_id == agent_id)
    if before is not None:
        at, call_id = before
        older = or_(_c.begun_at < at, and_(_c.begun_at == at, _c.call_id < call_id))
        statement = statement.where(older)
    ordered = statement.order_by(_c.begun_at.desc(), _c.call_id.desc()).limit(limit)
    return [rows.call(row) for row in tx.execute(ordered)]


def reader_calls(tx: Connection, call_ids: Sequence[str]) -> dict[CallKey, CallRecord]:
    """Return what the events of their agents say of calls, by call ID and agent ID."""
    found = [rows.call(row) for row in tx.execute(_calls.where(_c.call_id.in_(list(call_ids))))]
    return {record.key: record for record in found}


def call_requests(tx: Connection, call_id: str) -> list[CallRequest]:
    """Return the requests to the gateway about a call, in order."""
    columns = [_q[name] for name in rows.CALL_REQUEST]
    statement = select(*columns).where(_q.call_id == call_id).order_by(_q.seq)
    return [rows.call_request(row) for row in tx.execute(statement)]


def assignments_by_pair(
    tx: Connection, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], AssignmentRecord]:
    """Return the assignments of these pairs of conversation and call."""
    statement = _assignments.where(tuple_(_a.sender_id, _a.call_id).in_(list(pairs)))
    found = [rows.assignment(row) for row in tx.execute(statement)]
    return {(item.assignment.sender_id, item.assignment.call_id): item for item in found}


def card(tx: Connection, call_id: str) -> Card | None:
    """Return the handoff card of a call's newest assignment."""
    statement = select(_a.card).where(_a.call_id == call_id).order_by(_a.given_at.desc())
    return rows.card(tx.execute(statement.limit(1)).scalar())


def turn(tx: Connection, key: str) -> TurnRecord | None:
    """Return an action call by its key."""
    statement = select(schema.turns).where(schema.turns.c.key == key)
    return _first([rows.turn(row) for row in tx.execute(statement)])


# -- messages --------------------------------------------------------------------------------------


def messages_by_id(tx: Connection, ids: Sequence[str]) -> dict[str, MessageRecord]:
    """Return the customers' messages with these IDs."""
    statement = select(*(_m[name] for name in rows.MESSAGE)).where(_m.id.in_(list(ids)))
    found = [rows.message(row) for row in tx.execute(statement)]
    return {item.id: item for item in found}


def messages(tx: Connection, call_id: str, *, limit: int) -> list[MessageRecord]:
    """Return the newest messages of a call's customer, oldest first."""
    statement = select(*(_m[name] for name in rows.MESSAGE)).where(_m.call_id == call_id)
    newest = tx.execute(statement.order_by(_m.created_at.desc(), _m.seq.desc()).limit(limit))
    return [rows.message(row) for row in newest][::-1]


def waiting_since(tx: Connection, records: Sequence[AssignmentRecord]) -> dict[str, float]:
    """Return, by call, when the first message was written that no person has answered yet.

    A person answers by sending a suggestion or a reply that did not fail, by copying a suggestion,
    or elsewhere, as a desktop forwards it. Only calls that an agent owns are considered, and only
    messages since their handoff.
    """
    owned = [record.assignment.call_id for record in records if record.with_agent]
    if not owned:
        return {}
    answered = (
        select(func.max(_d.created_at))
        .where(
            _d.call_id == _m.call_id,
            _d.origin.in_([Origin.SUGGESTION.value, Origin.AGENT.value]),
            _d.state.not_in([DeliveryState.FAILED.value, DeliveryState.EXPIRED.value]),
        )
        .scalar_subquery()
    )
    copied = (
        select(func.max(_s.settled_at))
        .where(_s.call_id == _m.call_id, _s.state == SuggestionState.COPIED.value)
        .scalar_subquery()
    )
    theirs = schema.messages.alias()
    forwarded = (
        select(func.max(theirs.c.created_at))
        .where(theirs.c.call_id == _m.call_id, theirs.c.author == "agent")
        .scalar_subquery()
    )
    statement = (
        select(_m.call_id, func.min(_m.written_at))
        .join(schema.assignments, and_(_a.sender_id == _m.sender_id, _a.call_id == _m.call_id))
        .where(
            _m.call_id.in_(owned),
            _m.author == "customer",
            _m.created_at > func.coalesce(forwarded, 0.0),
            _m.created_at >= func.coalesce(_a.handed_off_at, 0.0),
            _m.created_at > func.coalesce(answered, 0.0),
            _m.created_at > func.coalesce(copied, 0.0),
        )
        .group_by(_m.call_id)
    )
    return {row[0]: row[1] for row in tx.execute(statement)}


# -- suggestions -----------------------------------------------------------------------------------


def suggestions(
    tx: Connection,
    *,
    call_id: str | None = None,
    states: Iterable[SuggestionState] = (),
    agent_id: str | None = None,
    after: int = 0,
    limit: int,
) -> list[tuple[int, Suggestion]]:
    """Return suggestions in the order of storing, each with the cursor to continue after it."""
    statement = select(schema.suggestions).where(_s.seq > after).order_by(_s.seq).limit(limit)
    if call_id is not None:
        statement = statement.where(_s.call_id == call_id)
    if agent_id is not None:
        statement = statement.where(_s.agent_id == agent_id)
    wanted = [state.value for state in states]
    if wanted == [SuggestionState.OFFERED.value]:
        statement = statement.where(_OFFERED)
    elif wanted:
        statement = statement.where(_s.state.in_(wanted))
    return [(row.seq, rows.suggestion(row)) for row in tx.execute(statement)]


def suggestion(tx: Connection, suggestion_id: str) -> Suggestion | None:
    """Return a suggestion by its ID."""
    statement = select(schema.suggestions).where(_s.id == suggestion_id)
    return _first([rows.suggestion(row) for row in tx.execute(statement)])


def suggestions_by_id(tx: Connection, ids: Sequence[str]) -> dict[str, Suggestion]:
    """Return the suggestions with these IDs."""
    statement = select(schema.suggestions).where(_s.id.in_(list(ids)))
    found = [rows.suggestion(row) for row in tx.execute(statement)]
    return {item.id: item for item in found}


def any_expired(tx: Connection, *, now: float) -> bool:
    """Return whether a suggestion is still offered after its expiry."""
    statement = select(_s.seq).where(_OFFERED, _s.expires_at <= now).limit(1)
    return tx.execute(statement).first() is not None


# -- sessions, switches, leaders, updates, events and figures --------------------------------------


def session(tx: Connection, agent_id: str) -> SessionRecord | None:
    """Return an agent's session."""
    statement = select(schema.sessions).where(schema.sessions.c.agent_id == agent_id)
    return _first([rows.session(row) for row in tx.execute(statement)])


def switch(tx: Connection, name: str) -> SwitchRecord | None:
    """Return a switch, or None if it was never set."""
    statement = select(schema.switches).where(schema.switches.c.name == name)
    return _first([rows.switch(row) for row in tx.execute(statement)])


def leader(tx: Connection, name: str) -> LeaderRecord | None:
    """Return a task's leader, and when the task was last completed."""
    statement = select(schema.leaders).where(schema.leaders.c.name == name)
    return _first([rows.leader(row) for row in tx.execute(statement)])


def revocations(tx: Connection, subjects: Sequence[str]) -> dict[str, float]:
    """Return when ``subjects`` were revoked, for those that were."""
    table = schema.revocations.c
    statement = select(table.subject, table.revoked_at).where(table.subject.in_(list(subjects)))
    return {row.subject: row.revoked_at for row in tx.execute(statement)}


def update(tx: Connection, update_id: str) -> RasaUpdate | None:
    """Return an update for Rasa by its ID."""
    return _first([rows.update(row) for row in tx.execute(_updates.where(_u.id == update_id))])


def updates_of_call(tx: Connection, call_id: str) -> list[RasaUpdate]:
    """Return a call's updates for Rasa, in order."""
    statement = _updates.where(_u.call_id == call_id).order_by(_u.seq)
    return [rows.update(row) for row in tx.execute(statement)]


def rasa_knows(tx: Connection, call_id: str) -> bool:
    """Return whether Rasa has no pending handback of a call; until then the bot stays silent."""
    statement = select(_u.seq).where(
        _UPDATES_OPEN, _u.call_id == call_id, _u.kind == UpdateKind.RESUME.value
    )
    return tx.execute(statement.limit(1)).first() is None


def counted_updates(tx: Connection) -> dict[str, int]:
    """Return the numbers of ``open`` and ``failed`` updates for Rasa, without inquiries."""
    count = select(func.count()).select_from(schema.rasa_updates)
    count = count.where(_u.kind != UpdateKind.INQUIRY.value)
    return {
        "open": tx.execute(count.where(_UPDATES_OPEN)).scalar_one(),
        "failed": tx.execute(count.where(_UPDATES_FAILED)).scalar_one(),
    }


def events_of_agent(tx: Connection, agent_id: str, *, limit: int = 100) -> list[EventRecord]:
    """Return an agent's newest events, oldest first."""
    statement = select(schema.events).where(_e.agent_id == agent_id).order_by(_e.seq.desc())
    newest = [rows.event(row) for row in tx.execute(statement.limit(limit))]
    return newest[::-1]


def figures(tx: Connection) -> Figures:
    """Return the current numbers of open rows, for Prometheus."""
    states = select(_d.state, func.count()).where(_OPEN).group_by(_d.state)
    waiting = {row[0]: row[1] for row in tx.execute(states)}
    session_states = select(schema.sessions.c.state, func.count()).group_by(schema.sessions.c.state)
    agents = {row[0]: row[1] for row in tx.execute(session_states)}
    open_calls = select(func.count()).select_from(schema.assignments).where(_a.ended_at.is_(None))
    offered = select(func.count()).select_from(schema.suggestions).where(_OFFERED)
    return Figures(
        deliveries={state: waiting.get(state, 0) for state in ("waiting", "sending")},
        oldest_waiting_at=tx.execute(select(func.min(_d.created_at)).where(_WAITING)).scalar(),
        open_calls=tx.execute(open_calls).scalar_one(),
        sessions={state.value: agents.get(state.value, 0) for state in SessionState},
        suggestions_offered=tx.execute(offered).scalar_one(),
        updates=counted_updates(tx),
    )


def _first(items: Sequence[T]) -> T | None:
    return items[0] if items else None

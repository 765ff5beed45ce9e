"""Views of calls and sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.errors import RefusedError
from bridge.model import (
    AgentId,
    Assignment,
    CallId,
    Card,
    Delivery,
    Owner,
    SenderId,
    evolve,
)
from bridge.planners.compose import Composer
from bridge.queries.paging import MOST, Page, number
from bridge.state.calls import CallRecord
from bridge.state.records import AssignmentRecord, MessageRecord, SessionRecord
from bridge.store import Reader, ReadTransaction, lists


@dataclass(frozen=True, slots=True)
class CallView:
    """A call with its card and its newest deliveries, also those under its former IDs.

    Attributes:
        words: the deliveries' readable text, by number.
        messages: the customer's newest messages while an agent was the owner.
    """

    record: AssignmentRecord
    card: Card | None
    deliveries: tuple[Delivery, ...]
    words: Mapping[int, str] = field(default_factory=dict)
    messages: tuple[MessageRecord, ...] = ()


class Calls:
    """Queries on calls, updates and sessions. Thread-safe; blocking."""

    def __init__(self, store: Reader, composer: Composer) -> None:
        self._store = store
        self._plain = composer.plain

    def listing(self, *, agent_id: str | None, ended: bool, cursor: str | None, limit: int) -> Page:
        """Return a page of calls, newest first.

        Raises:
            RefusedError: 400 for an invalid cursor.
        """
        given_at, _, call_id = (cursor or "").partition("~")
        at = number(given_at or None)
        before = None if at is None else (at, call_id)
        size = max(1, min(limit, MOST))

        def query(tx: ReadTransaction) -> list[AssignmentRecord]:
            found = lists.calls(tx, agent_id=agent_id, ended=ended, before=before, limit=size)
            ringing = lists.unassigned_calls(tx, agent_id=agent_id, before=before, limit=size)
            provisional = [unassigned(call) for call in ringing]
            merged = sorted([*with_details(tx, found), *provisional], key=_place, reverse=True)
            return merged[:size]

        records = self._store.read(query)
        if len(records) < size:
            return Page(tuple(records), None)
        last = records[-1]
        return Page(tuple(records), f"{last.given_at!r}~{last.assignment.call_id}")

    def call(self, call_id: str) -> CallView:
        """Return a call with its card and newest deliveries.

        Raises:
            RefusedError: 404 if no such call was assigned.
        """

        def query(tx: ReadTransaction) -> CallView | None:
            record = lists.assignment_of_call(tx, call_id)
            if record is None or not record.open:
                rings = [call for call in lists.reader_calls(tx, [call_id]).values() if call.live]
                if rings and rings[-1].sender_id is None:
                    return CallView(unassigned(rings[-1]), None, (), messages=rings[-1].held)
            if record is None:
                return None
            calls = [*lists.former_calls(tx, record), call_id]
            batch = [
                delivery
                for each in calls
                for delivery in lists.newest_deliveries(tx, call_id=each, limit=MOST)
            ]
            words = {
                delivery.seq: text
                for delivery in batch
                if not delivery.erased_at and (text := self._plain(delivery))
            }
            (shown,) = with_details(tx, [record])
            messages = tuple(
                message for each in calls for message in lists.messages(tx, each, limit=MOST)
            )
            return CallView(shown, lists.card(tx, call_id), tuple(batch), words, messages)

        view = self._store.read(query)
        if view is None:
            raise RefusedError(404, "not_found", "no such call was assigned")
        return view

    def at_agent(self, call_id: str, agent_id: str) -> AssignmentRecord:
        """Return a call as it is shown, at an agent whose events are read.

        Raises:
            RefusedError: 404 if there is no such call.
        """

        def query(tx: ReadTransaction) -> AssignmentRecord | None:
            record = lists.assignment_of_call(tx, call_id)
            if record is not None:
                return with_details(tx, [record])[0]
            call = lists.reader_calls(tx, [call_id]).get((call_id, agent_id))
            return unassigned(call) if call is not None else None

        found = self._store.read(query)
        if found is None:
            raise RefusedError(404, "not_found", "no such call is known")
        return found

    def rasa_knows(self, call_id: str) -> bool:
        """Return whether Rasa has no pending handback of a call; until then the bot is silent."""
        return self._store.read(lambda tx: lists.rasa_knows(tx, call_id))

    def updates(self) -> dict[str, int]:
        """Return the numbers of ``open`` and ``failed`` updates for Rasa."""
        return self._store.read(lists.counted_updates)

    def session(self, agent_id: str) -> SessionRecord:
        """Return an agent's session.

        Raises:
            RefusedError: 404 if the agent has none.
        """
        record = self.known_session(agent_id)
        if record is None:
            raise RefusedError(404, "not_found", "no session of this agent is known")
        return record

    def known_session(self, agent_id: str) -> SessionRecord | None:
        """Return an agent's session; None if there was none yet."""
        return self._store.read(lambda tx: lists.session(tx, agent_id))


def with_details(
    tx: ReadTransaction, records: Sequence[AssignmentRecord]
) -> list[AssignmentRecord]:
    """Return calls with what is shown beside their assignment.

    This is since when the customer waits for a person's answer, and the call as its agent's events
    describe it.
    """
    since = lists.waiting_since(tx, records)
    calls = lists.reader_calls(tx, [record.assignment.call_id for record in records])
    return [
        evolve(
            record,
            waiting_since=since.get(record.assignment.call_id),
            reader=calls.get((record.assignment.call_id, record.assignment.agent_id)),
        )
        for record in records
    ]


def unassigned(call: CallRecord) -> AssignmentRecord:
    """Return a call of a reader that belongs to no conversation yet, as it is shown."""
    assignment = Assignment(
        SenderId(call.provisional_sender), AgentId(call.agent_id), CallId(call.call_id), call.caller
    )
    return AssignmentRecord(
        assignment,
        Owner.BOT,
        "reader",
        call.begun_at,
        ended_at=call.ended_at,
        reader=call,
    )


def _place(record: AssignmentRecord) -> tuple[float, str]:
    return record.given_at, record.assignment.call_id

"""Assignments, sessions and calls as systems and people ask for them: the API's use cases."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge import trust
from bridge.config.settings import BridgeSettings
from bridge.desk.assigning import ENDED, Freed, Plain, close, give
from bridge.desk.paging import MOST, Page, number
from bridge.errors import AssignmentError, RefusedError
from bridge.gateway import wire
from bridge.gateway.sessions import Sessions
from bridge.model import Card, Delivery, Guid, Owner
from bridge.store import Store, Tx, assignments, deliveries
from bridge.store.assignments import Standing
from bridge.store.sessions import Session


@dataclass(frozen=True, slots=True)
class CallView:
    """A call as people see it."""

    standing: Standing
    card: Card | None
    deliveries: tuple[Delivery, ...]
    words: Mapping[int, str] = field(default_factory=dict)  # of deliveries, as people read them


class Calls:
    """Blocks for the store; thread-safe."""

    def __init__(
        self,
        store: Store,
        settings: BridgeSettings,
        sessions: Sessions,
        *,
        plain: Plain,
        freed: Freed,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._plain = plain
        self._freed = freed
        self._settings = settings
        self._sessions = sessions
        self._clock = clock

    def assign(self, sender_id: str, fields: Mapping[str, Any]) -> tuple[Standing, str | None]:
        """Give a conversation its assignment; what stands now, and a warning in words.

        Raises:
            RefusedError: 422, with the field that is wrong.
        """
        unknown = sorted(
            set(fields)
            - {
                "agent_id",
                "call_id",
                "user_id",
                "channel",
                "channel_config_id",
                "agent_nickname",
                "agent_avatar",
                "owner",
                "sender_id",
            }
        )
        if unknown:
            message = f"an assignment has no field {unknown[0][:64]}"
            raise RefusedError(422, "invalid_assignment", message)
        owner = self._owner(fields.get("owner"))
        try:
            assignment, warning = trust.assignment_of(
                fields, sender_id, highest_agent=self._settings.gateway.max_agent_id
            )
        except AssignmentError as error:
            raise RefusedError(422, error.code, error.message) from error
        now = self._clock()

        def store(tx: Tx) -> Standing | None:
            give(
                tx,
                assignment,
                owner,
                "http",
                given_at=now,
                now=now,
                plain=self._plain,
                freed=self._freed,
            )
            if owner is Owner.AGENT:
                standing = assignments.latest(tx, sender_id)
                if standing is not None and standing.handed_off_at is None:
                    assignments.hand_off(tx, sender_id, assignment.call_id, card=None, now=now)
            return assignments.latest(tx, sender_id)

        standing = self._store.write(store)
        if standing is None:  # pragma: no cover - it was stored a line above
            message = "the assignment was not kept"
            raise RefusedError(500, "internal", message)
        return standing, warning

    def end(self, sender_id: str) -> bool:
        """The conversation's call ended; False where there is none that is open."""

        def store(tx: Tx) -> bool:
            standing = assignments.latest(tx, sender_id, hold=True)
            if standing is None or not standing.open:
                return False
            now = self._clock()
            assignments.end(tx, sender_id, standing.assignment.call_id, now=now)
            close(tx, standing, ENDED, now)
            self._freed(tx, standing, now)
            return True

        return self._store.write(store)

    def push_session(self, agent_id: str, fields: Mapping[str, Any]) -> None:
        """A desktop hands over its agent's current GUID.

        Raises:
            RefusedError: 422 for an agent ID or a GUID that cannot be; 409 for an agent whose
                sessions the bridge owns.
        """
        self._check_agent(agent_id)
        guid = fields.get("guid")
        if set(fields) != {"guid"} or not wire.is_guid(guid):
            message = 'send {"guid": ...}: 1 to 128 characters of A-Z, a-z, 0-9, ., _ and -'
            raise RefusedError(422, "invalid_guid", message)
        entry = self._settings.agent(agent_id)
        if entry is None:
            message = 'the agent is not listed under agents, and there is no "*"'
            raise RefusedError(409, "not_configured", message)
        if entry.session == "sign_in":
            message = "this agent's session is the bridge's own (agents: session: sign_in)"
            raise RefusedError(409, "session_is_ours", message)
        self._sessions.push(agent_id, Guid(str(guid)))

    def session(self, agent_id: str) -> Session:
        """How an agent stands with the gateway.

        Raises:
            RefusedError: 404 where nothing is known of the agent.
        """
        self._check_agent(agent_id)
        session = self._sessions.get(agent_id)
        if session is None:
            raise RefusedError(404, "not_found", "no session of this agent is known")
        return session

    def sign_out(self, agent_id: str) -> None:
        """Sign an agent out whom the bridge signed in; raises GatewayError."""
        self._check_agent(agent_id)
        self._sessions.sign_out(agent_id)

    def listing(self, *, agent_id: str | None, ended: bool, cursor: str | None, limit: int) -> Page:
        """Calls, the newest first.

        Raises:
            RefusedError: 400 for a cursor that is none.
        """
        given_at, _, call_id = (cursor or "").partition("~")
        at = number(given_at or None)
        before = None if at is None else (at, call_id)
        size = max(1, min(limit, MOST))
        found = self._store.read(
            lambda tx: assignments.list_calls(
                tx, agent_id=agent_id, ended=ended, before=before, limit=size
            )
        )
        if len(found) < size:
            return Page(tuple(found), None)
        last = found[-1]
        return Page(tuple(found), f"{last.given_at!r}~{last.assignment.call_id}")

    def call(self, call_id: str) -> CallView:
        """One call with its card and its newest deliveries.

        Raises:
            RefusedError: 404 where no such call was assigned.
        """

        def query(tx: Tx) -> CallView | None:
            standing = assignments.of_call(tx, call_id)
            if standing is None:
                return None
            batch = deliveries.newest_of_call(tx, call_id, limit=MOST)
            words = {
                item.seq: said
                for item in batch
                if not item.erased_at and (said := self._plain(item))
            }
            return CallView(standing, assignments.card_of(tx, call_id), tuple(batch), words)

        view = self._store.read(query)
        if view is None:
            raise RefusedError(404, "not_found", "no such call was assigned")
        return view

    def _check_agent(self, agent_id: str) -> None:
        highest = self._settings.gateway.max_agent_id
        if not wire.is_agent_id(agent_id, highest=highest):
            message = f"an agent ID is a number from {wire.FIRST_AGENT} to {highest}"
            raise RefusedError(422, "invalid_agent_id", message)

    @staticmethod
    def _owner(value: object) -> Owner | None:
        if value is None:
            return None
        try:
            return Owner(value)
        except ValueError:
            message = "owner is bot or agent"
            raise RefusedError(422, "invalid_assignment", message) from None

"""Assignments, calls and deliveries as systems and people ask for them: the API's use cases."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge import trust
from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError, RefusedError
from bridge.gateway import wire
from bridge.gateway.sessions import Sessions
from bridge.model import (
    Assignment,
    Card,
    Delivery,
    DeliveryError,
    DeliveryState,
    Guid,
    Owner,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.store import Store, Tx, assignments, deliveries, suggestions
from bridge.store.assignments import Standing
from bridge.store.sessions import Session

_ENDED = DeliveryError("call_ended", "the call ended before it could be said")
_REASSIGNED = DeliveryError("reassigned", "the call was given to another agent")
_DISCARDED = DeliveryError("discarded", "somebody took it off the list")
SPOKEN = DeliveryError("withdrawn", "the agent has spoken before the bot")
SUSPENDED = DeliveryError("withdrawn", "sending by itself was suspended")
HANDED_BACK = DeliveryError("withdrawn", "the bot has the conversation again")
_MOST = 200  # items of one page
_ID_DIGITS = 18
_REOFFERED_FOR = 300.0  # seconds that a former agent's unsaid words are offered to the next
_HIGHEST = 10**18  # no id of a delivery is higher


def give(
    tx: Tx,
    assignment: Assignment,
    owner: Owner | None,
    source: str,
    *,
    given_at: float,
    now: float,
) -> Standing | None:
    """Store an assignment as the conversation's newest, and close what it replaces.

    The owner stays as it was on the same call unless one is given; a new call is the bot's.
    Returns what was stored before.
    """
    former = assignments.latest(tx, assignment.sender_id)
    kept = Owner.BOT
    if former is not None and former.open:
        if former.assignment.call_id != assignment.call_id:
            call_id = former.assignment.call_id
            assignments.end(tx, assignment.sender_id, call_id, now=now)
            _reoffer(tx, _close(tx, former, _REASSIGNED, now), assignment, now)
        else:
            kept = former.owner
            if former.assignment.agent_id != assignment.agent_id:
                _reoffer(tx, _close(tx, former, _REASSIGNED, now), assignment, now)
    assignments.give(tx, assignment, owner or kept, source, now=given_at)
    return former


def own_call(tx: Tx, call_id: str, agent_id: str | None, *, with_agent: bool = False) -> Standing:
    """A call that ``agent_id`` may reach (None: a system, which may reach all).

    Raises:
        RefusedError: 404, 403; ``with_agent``: 409 where the call is over or the bot's.
    """
    standing = assignments.of_call(tx, call_id)
    if standing is None:
        raise RefusedError(404, "not_found", "no such call was assigned")
    if agent_id is not None and standing.assignment.agent_id != agent_id:
        raise RefusedError(403, "forbidden", "this call is another agent's")
    if with_agent and not standing.open:
        raise RefusedError(409, "call_ended", "this call has ended")
    if with_agent and standing.owner is not Owner.AGENT:
        raise RefusedError(409, "not_with_agent", "the bot has this conversation")
    return standing


def _close(tx: Tx, standing: Standing, error: DeliveryError, now: float) -> list[Delivery]:
    """Withdraw what waits of a call that is over for its agent, and what is offered there."""
    suggestions.expire(tx, now=now, call_id=standing.assignment.call_id)
    return deliveries.withdraw(
        tx,
        error,
        now=now,
        call_id=standing.assignment.call_id,
        sender_id=standing.assignment.sender_id,
    )


def _reoffer(tx: Tx, unsaid: list[Delivery], to: Assignment, now: float) -> None:
    """Offer what the former agent's call had still to say to the new one, reply by reply."""
    by_reply: dict[str, list[Delivery]] = {}
    for delivery in unsaid:
        by_reply.setdefault(delivery.reply_key, []).append(delivery)
    suggestions.offer(
        tx,
        [
            Suggestion(
                id=derive("reoffered", reply, to.agent_id, to.call_id),
                group=derive("reoffered", reply, to.agent_id, to.call_id),
                sender_id=to.sender_id,
                agent_id=to.agent_id,
                call_id=to.call_id,
                state=SuggestionState.OFFERED,
                created_at=now,
                expires_at=now + _REOFFERED_FOR,
                source=Source(kind=parts[0].origin.value),
                text="\n".join(part.draft.content for part in parts),
                drafts=tuple(part.draft for part in parts),
            )
            for reply, parts in by_reply.items()
        ],
    )


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and what to ask for to get the next (None: that was all)."""

    items: tuple[Any, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class CallView:
    """A call as people see it."""

    standing: Standing
    card: Card | None
    deliveries: tuple[Delivery, ...]


class Calls:
    """Blocks for the store; thread-safe."""

    def __init__(
        self,
        store: Store,
        settings: BridgeSettings,
        sessions: Sessions,
        *,
        ring: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings = settings
        self._sessions = sessions
        self._ring = ring
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
            give(tx, assignment, owner, "http", given_at=now, now=now)
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
            standing = assignments.latest(tx, sender_id)
            if standing is None or not standing.open:
                return False
            now = self._clock()
            assignments.end(tx, sender_id, standing.assignment.call_id, now=now)
            _close(tx, standing, _ENDED, now)
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
        if entry is not None and entry.session == "sign_in":
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
        at = _number(given_at or None)
        before = None if at is None else (at, call_id)
        size = max(1, min(limit, _MOST))
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
            batch = deliveries.newest_of_call(tx, call_id, limit=_MOST)
            return CallView(standing, assignments.card_of(tx, call_id), tuple(batch))

        view = self._store.read(query)
        if view is None:
            raise RefusedError(404, "not_found", "no such call was assigned")
        return view

    def deliveries(
        self,
        *,
        call_id: str | None,
        state: str | None,
        agent_id: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Deliveries in the order of storing.

        Raises:
            RefusedError: 400 for a state or a cursor that is none.
        """
        try:
            states = [DeliveryState(word) for word in (state or "").split(",") if word]
        except ValueError:
            allowed = ", ".join(item.value for item in DeliveryState)
            raise RefusedError(400, "bad_request", f"state is one of {allowed}") from None
        after, size = page_size(cursor, limit)
        found = self._store.read(
            lambda tx: deliveries.listing(
                tx,
                call_id=call_id,
                states=states,
                agent_id=agent_id,
                after=after,
                limit=size,
            )
        )
        following = found[-1].id if len(found) == size else None
        return Page(tuple(found), following)

    def retry(self, delivery_id: str, *, agent_id: str | None) -> Delivery:
        """Send what failed, expired or is uncertain once more, under the same code.

        Raises:
            RefusedError: 404, 403; 409 where it is on its way or delivered, or the call is over.
        """

        def store(tx: Tx) -> Delivery:
            found = _delivery(tx, delivery_id)
            own_call(tx, found.envelope.call_id, agent_id, with_agent=True)
            now = self._clock()
            again = replace(
                found,
                state=DeliveryState.WAITING,
                due_at=now,
                expires_at=now + self._settings.delivery.expire_after,
                unknowns=0,
                error=None,
                settled_at=None,
                approved_by=agent_id or found.approved_by,
            )
            return _move(tx, found, again, _RETRIED)

        moved = self._store.write(store)
        self._ring()
        return moved

    def discard(self, delivery_id: str, *, agent_id: str | None) -> Delivery:
        """Take a delivery off the list: it is not said, or not asked about any more.

        Raises:
            RefusedError: 404, 403; 409 where it is being sent or was delivered.
        """

        def store(tx: Tx) -> Delivery:
            found = _delivery(tx, delivery_id)
            own_call(tx, found.envelope.call_id, agent_id)
            gone = replace(
                found, state=DeliveryState.FAILED, error=_DISCARDED, settled_at=self._clock()
            )
            return _move(tx, found, gone, (*_RETRIED, DeliveryState.WAITING))

        return self._store.write(store)

    def delivery(self, delivery_id: str) -> Delivery:
        """One delivery.

        Raises:
            RefusedError: 404 where there is none of that id.
        """
        found = None
        if (
            delivery_id.isascii()
            and delivery_id.isdigit()
            and len(delivery_id) < len(str(_HIGHEST))
        ):
            found = self._store.read(lambda tx: deliveries.get(tx, int(delivery_id)))
        if found is None:
            raise RefusedError(404, "not_found", "no such delivery")
        return found

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


_RETRIED = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.EXPIRED)


def _delivery(tx: Tx, delivery_id: str) -> Delivery:
    plain = delivery_id.isascii() and delivery_id.isdigit() and len(delivery_id) < _ID_DIGITS
    found = deliveries.get(tx, int(delivery_id)) if plain else None
    if found is None:
        raise RefusedError(404, "not_found", "there is no such delivery")
    return found


def _move(tx: Tx, found: Delivery, after: Delivery, among: Sequence[DeliveryState]) -> Delivery:
    if not deliveries.move(tx, found.seq, after, among=among):
        now = deliveries.get(tx, found.seq) or found
        raise RefusedError(409, "settled", f"this delivery is {now.state.value}")
    return deliveries.get(tx, found.seq) or after


def page_size(cursor: str | None, limit: int) -> tuple[int, int]:
    """Where a page of things with ids begins, and how many it may have.

    Raises:
        RefusedError: 400 for a cursor that is none.
    """
    return int(_number(cursor) or 0), max(1, min(limit, _MOST))


def _number(cursor: str | None) -> float | None:
    if cursor is None:
        return None
    try:
        found = float(cursor)
    except ValueError:
        found = -1.0
    if not 0 <= found < _HIGHEST:  # NaN is neither
        raise RefusedError(400, "bad_request", "cursor is the `next` of the page before")
    return found

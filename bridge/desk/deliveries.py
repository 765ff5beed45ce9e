"""What became of each message, and a person's word on one: again, or off the list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bridge.config.settings import BridgeSettings
from bridge.desk.assigning import own_call
from bridge.desk.compose import reply_key
from bridge.desk.crowding import make_room
from bridge.desk.paging import MOST, Page, page_size
from bridge.errors import RefusedError
from bridge.model import (
    Delivery,
    DeliveryError,
    DeliveryState,
    Origin,
    Suggestion,
    SuggestionState,
)
from bridge.store import Store, Tx, deliveries, errands, suggestions
from bridge.store.errands import Errand

_DISCARDED = DeliveryError("discarded", "somebody took it off the list")
_ID_DIGITS = 18
_SUGGESTIONS = 1000  # of one call, that are looked through
_RETRIED = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.EXPIRED)


@dataclass(frozen=True, slots=True)
class History:
    """A delivery with what belongs to it.

    Attributes:
        parts: the other parts of its reply.
        suggestion: what it was made of, where it was a suggestion.
        written_back: how Rasa was told of it, where Rasa is.
    """

    delivery: Delivery
    parts: tuple[Delivery, ...]
    suggestion: Suggestion | None
    written_back: Errand | None


class Deliveries:
    """The use cases. Thread-safe; blocks for the store."""

    def __init__(
        self,
        store: Store,
        settings: BridgeSettings,
        *,
        ring: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings = settings
        self._ring = ring
        self._clock = clock

    def listing(
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

    def newest(
        self,
        *,
        call_id: str | None,
        states: Sequence[DeliveryState],
        agent_id: str | None,
        limit: int,
    ) -> tuple[list[Delivery], dict[str, int]]:
        """The newest such deliveries in the order of storing; how many are in which state."""

        def query(tx: Tx) -> tuple[list[Delivery], dict[str, int]]:
            found = deliveries.newest(
                tx, call_id=call_id, states=states, agent_id=agent_id, limit=limit
            )
            return found, deliveries.counts(tx, call_id=call_id, agent_id=agent_id)

        return self._store.read(query)

    def each(
        self,
        *,
        call_id: str | None,
        states: Sequence[DeliveryState],
        agent_id: str | None,
    ) -> Iterator[Delivery]:
        """All such deliveries in the order of storing, page by page."""
        after = 0
        while True:
            page = self._store.read(
                lambda tx, after=after: deliveries.listing(  # type: ignore[misc]
                    tx, call_id=call_id, states=states, agent_id=agent_id, after=after, limit=MOST
                )
            )
            yield from page
            if len(page) < MOST:
                return
            after = page[-1].seq

    def history(self, delivery_id: str) -> History:
        """One delivery, and what belongs to it.

        Raises:
            RefusedError: 404 where there is none of that id.
        """

        def query(tx: Tx) -> History:
            found = _delivery(tx, delivery_id)
            parts = deliveries.of_reply(tx, found.reply_key)
            return History(
                found,
                tuple(part for part in parts if part.seq != found.seq),
                _suggestion_of(tx, found),
                errands.get(tx, found.message_code),
            )

        return self._store.read(query)

    def retry(self, delivery_id: str, *, agent_id: str | None) -> Delivery:
        """Send what failed, expired or is uncertain once more, under the same code.

        Raises:
            RefusedError: 404, 403; 409 where it is on its way or delivered, the call is over, or
                its words are too old to be kept; 429 where too much waits.
        """

        def store(tx: Tx) -> Delivery:
            found = _delivery(tx, delivery_id)
            call_id = found.envelope.call_id
            own_call(tx, call_id, agent_id, with_agent=True)
            if found.erased_at is not None:
                raise RefusedError(409, "erased", "its words were erased: they were too old")
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
            moved = _move(tx, found, again, _RETRIED)
            make_room(tx, call_id, 0, self._settings.delivery.max_waiting_per_call)
            return moved

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

    def get(self, delivery_id: str) -> Delivery:
        """One delivery.

        Raises:
            RefusedError: 404 where there is none of that id.
        """
        return self._store.read(lambda tx: _delivery(tx, delivery_id))


def _delivery(tx: Tx, delivery_id: str) -> Delivery:
    plain = delivery_id.isascii() and delivery_id.isdigit() and len(delivery_id) < _ID_DIGITS
    found = deliveries.get(tx, int(delivery_id)) if plain else None
    if found is None:
        raise RefusedError(404, "not_found", "there is no such delivery")
    return found


def _suggestion_of(tx: Tx, found: Delivery) -> Suggestion | None:
    """Its reply's key is made of the suggestion's ID."""
    if found.origin is not Origin.SUGGESTION:
        return None
    offered = suggestions.listing(
        tx,
        call_id=found.envelope.call_id,
        states=(SuggestionState.ACCEPTED, SuggestionState.EDITED),
        agent_id=None,
        after=0,
        limit=_SUGGESTIONS,
    )
    named = (item for _, item in offered if reply_key("suggestion", item.id) == found.reply_key)
    return next(named, None)


def _move(tx: Tx, found: Delivery, after: Delivery, among: Sequence[DeliveryState]) -> Delivery:
    if not deliveries.move(tx, found.seq, after, among=among):
        now = deliveries.get(tx, found.seq) or found
        raise RefusedError(409, "settled", f"this delivery is {now.state.value}")
    return deliveries.get(tx, found.seq) or after

"""Deliveries: what became of each message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.errors import RefusedError
from bridge.model import Delivery, DeliveryState, Suggestion
from bridge.queries.paging import MOST, Page, named_states, page_size
from bridge.state.records import RasaUpdate
from bridge.store import Reader, Reading, lists

_ID_DIGITS = 18


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
    written_back: RasaUpdate | None


class Deliveries:
    """Thread-safe; blocks for the store."""

    def __init__(self, store: Reader) -> None:
        self._store = store

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
        states = named_states(DeliveryState, state)
        after, size = page_size(cursor, limit)
        found = self._store.read(
            lambda tx: lists.deliveries(
                tx, call_id=call_id, states=states, agent_id=agent_id, after=after, limit=size
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

        def query(tx: Reading) -> tuple[list[Delivery], dict[str, int]]:
            found = lists.newest_deliveries(
                tx, call_id=call_id, states=states, agent_id=agent_id, limit=limit
            )
            counts = lists.counted_deliveries(tx, call_id=call_id, agent_id=agent_id)
            return found, counts

        return self._store.read(query)

    def each(
        self, *, call_id: str | None, states: Sequence[DeliveryState], agent_id: str | None
    ) -> Iterator[Delivery]:
        """All such deliveries in the order of storing, page by page."""
        after = 0
        while True:
            page = self._store.read(
                lambda tx, after=after: lists.deliveries(  # type: ignore[misc]
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
            RefusedError: 404 where there is none of that ID.
        """

        def query(tx: Reading) -> History:
            found = _delivery(tx, delivery_id)
            parts = [part for part in lists.parts(tx, found) if part.seq != found.seq]
            name = found.suggestion_id
            return History(
                found,
                tuple(parts),
                lists.suggestion(tx, name) if name is not None else None,
                lists.update(tx, found.message_code),
            )

        return self._store.read(query)

    def get(self, delivery_id: str) -> Delivery:
        """One delivery.

        Raises:
            RefusedError: 404 where there is none of that ID.
        """
        return self._store.read(lambda tx: _delivery(tx, delivery_id))


def number_of(delivery_id: str) -> int:
    """A delivery's ID as its number.

    Raises:
        RefusedError: 404 where it cannot be one.
    """
    plain = delivery_id.isascii() and delivery_id.isdigit() and len(delivery_id) < _ID_DIGITS
    if not plain:
        raise RefusedError(404, "not_found", "there is no such delivery")
    return int(delivery_id)


def _delivery(tx: Reading, delivery_id: str) -> Delivery:
    found = lists.delivery(tx, number_of(delivery_id))
    if found is None:
        raise RefusedError(404, "not_found", "there is no such delivery")
    return found

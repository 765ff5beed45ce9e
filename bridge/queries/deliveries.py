"""Views of deliveries and their outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.errors import RefusedError
from bridge.model import Delivery, DeliveryState, Suggestion
from bridge.planners.retries import Circumstances, Objection, objection
from bridge.queries.paging import MOST, Page, named_states, page_size
from bridge.state.records import RasaUpdate
from bridge.store import Reader, ReadTransaction, lists

_ID_DIGITS = 18


@dataclass(frozen=True, slots=True)
class History:
    """A delivery with its related objects.

    Attributes:
        parts: the other parts of its reply.
        suggestion: the suggestion it was made from, if any.
        written_back: the update that wrote it back to Rasa's tracker, if any.
    """

    delivery: Delivery
    parts: tuple[Delivery, ...]
    suggestion: Suggestion | None
    written_back: RasaUpdate | None


class Deliveries:
    """Queries on deliveries. Thread-safe; blocking."""

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
        """Return a page of deliveries in the order of storing.

        Raises:
            RefusedError: 400 for an invalid state or cursor.
        """
        states = named_states(DeliveryState, state)
        after, size = page_size(cursor, limit)
        deliveries = self._store.read(
            lambda tx: lists.deliveries(
                tx, call_id=call_id, states=states, agent_id=agent_id, after=after, limit=size
            )
        )
        following = deliveries[-1].id if len(deliveries) == size else None
        return Page(tuple(deliveries), following)

    def newest(
        self,
        *,
        call_id: str | None,
        states: Sequence[DeliveryState],
        agent_id: str | None,
        limit: int,
    ) -> tuple[list[Delivery], dict[str, int]]:
        """Return the newest matching deliveries in the order of storing, and counts by state."""

        def query(tx: ReadTransaction) -> tuple[list[Delivery], dict[str, int]]:
            matching = lists.newest_deliveries(
                tx, call_id=call_id, states=states, agent_id=agent_id, limit=limit
            )
            counts = lists.counted_deliveries(tx, call_id=call_id, agent_id=agent_id)
            return matching, counts

        return self._store.read(query)

    def each(
        self, *, call_id: str | None, states: Sequence[DeliveryState], agent_id: str | None
    ) -> Iterator[Delivery]:
        """Yield all matching deliveries in the order of storing, reading page by page."""
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

    def objection(self, delivery: Delivery) -> Objection | None:
        """Return why a delivery should not be retried, or None."""
        call_id = delivery.envelope.call_id

        def query(tx: ReadTransaction) -> Circumstances:
            key = delivery.turn_key
            return Circumstances(
                lists.assignment_of_call(tx, call_id),
                lists.last_delivered(tx, call_id),
                lists.turn(tx, key) if key is not None else None,
            )

        return objection(delivery, self._store.read(query))

    def history(self, delivery_id: str) -> History:
        """Return a delivery with its related objects.

        Raises:
            RefusedError: 404 if there is no delivery with this ID.
        """

        def query(tx: ReadTransaction) -> History:
            delivery = _delivery(tx, delivery_id)
            parts = [part for part in lists.parts(tx, delivery) if part.seq != delivery.seq]
            name = delivery.suggestion_id
            return History(
                delivery,
                tuple(parts),
                lists.suggestion(tx, name) if name is not None else None,
                lists.update(tx, delivery.message_code),
            )

        return self._store.read(query)

    def get(self, delivery_id: str) -> Delivery:
        """Return a delivery.

        Raises:
            RefusedError: 404 if there is no delivery with this ID.
        """
        return self._store.read(lambda tx: _delivery(tx, delivery_id))


def number_of(delivery_id: str) -> int:
    """Convert a delivery's ID to its number.

    Raises:
        RefusedError: 404 if it is not a valid ID.
    """
    plain = delivery_id.isascii() and delivery_id.isdigit() and len(delivery_id) < _ID_DIGITS
    if not plain:
        raise RefusedError(404, "not_found", "there is no such delivery")
    return int(delivery_id)


def _delivery(tx: ReadTransaction, delivery_id: str) -> Delivery:
    delivery = lists.delivery(tx, number_of(delivery_id))
    if delivery is None:
        raise RefusedError(404, "not_found", "there is no such delivery")
    return delivery

"""Calls and sessions as people and systems see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.errors import RefusedError
from bridge.model import Card, Delivery
from bridge.planners.compose import Composer
from bridge.queries.paging import MOST, Page, number
from bridge.state.records import AssignmentRecord, SessionRecord
from bridge.store import Reader, Reading, lists


@dataclass(frozen=True, slots=True)
class CallView:
    """A call with its card and its newest deliveries.

    Attributes:
        words: of deliveries, by number, as people read them.
    """

    record: AssignmentRecord
    card: Card | None
    deliveries: tuple[Delivery, ...]
    words: Mapping[int, str] = field(default_factory=dict)


class Calls:
    """Thread-safe; blocks for the store."""

    def __init__(self, store: Reader, composer: Composer) -> None:
        self._store = store
        self._plain = composer.plain

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
            lambda tx: lists.calls(tx, agent_id=agent_id, ended=ended, before=before, limit=size)
        )
        if len(found) < size:
            return Page(tuple(found), None)
        last = found[-1]
        return Page(tuple(found), f"{last.given_at!r}~{last.assignment.call_id}")

    def call(self, call_id: str) -> CallView:
        """One call.

        Raises:
            RefusedError: 404 where no such call was assigned.
        """

        def query(tx: Reading) -> CallView | None:
            record = lists.assignment_of_call(tx, call_id)
            if record is None:
                return None
            batch = lists.newest_deliveries(tx, call_id=call_id, limit=MOST)
            words = {
                item.seq: said
                for item in batch
                if not item.erased_at and (said := self._plain(item))
            }
            return CallView(record, lists.card(tx, call_id), tuple(batch), words)

        view = self._store.read(query)
        if view is None:
            raise RefusedError(404, "not_found", "no such call was assigned")
        return view

    def rasa_knows(self, call_id: str) -> bool:
        """Whether Rasa was told of a call's handbacks: until then the bot stays silent."""
        return self._store.read(lambda tx: lists.rasa_knows(tx, call_id))

    def updates(self) -> dict[str, int]:
        """How much Rasa is still to be told (``open``), and how much it never took (``failed``)."""
        return self._store.read(lists.counted_updates)

    def session(self, agent_id: str) -> SessionRecord:
        """How an agent stands with the gateway.

        Raises:
            RefusedError: 404 where nothing is known of the agent.
        """
        found = self._store.read(lambda tx: lists.session(tx, agent_id))
        if found is None:
            raise RefusedError(404, "not_found", "no session of this agent is known")
        return found

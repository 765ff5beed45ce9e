"""Suggestions, and how far assist goes."""

from __future__ import annotations

from bridge.core.port import CorePort
from bridge.errors import RefusedError
from bridge.model import Mode, Suggestion, SuggestionState
from bridge.planners.assist import SWITCH, mode_in_force
from bridge.queries.paging import Page, named_states, page_size
from bridge.state.commands import ExpireSuggestions
from bridge.store import Reader, Reading, lists


class Suggestions:
    """Thread-safe; blocks for the store.

    ``agent_id`` is who asks: an agent sees its own calls' only; None is a system.
    """

    def __init__(self, store: Reader, core: CorePort, configured: Mode) -> None:
        self._store = store
        self._core = core
        self._configured = configured

    def listing(
        self,
        *,
        call_id: str | None,
        state: str | None,
        agent_id: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Suggestions in the order of storing.

        Raises:
            RefusedError: 400 for a state or a cursor that is none; 403, 404 for the call.
        """
        states = named_states(SuggestionState, state)
        after, size = page_size(cursor, limit)
        self._expire()

        def query(tx: Reading) -> list[tuple[int, Suggestion]]:
            if call_id is not None and agent_id is not None:
                _demand_own_call(tx, call_id, agent_id)
            return lists.suggestions(
                tx, call_id=call_id, states=states, agent_id=agent_id, after=after, limit=size
            )

        found = self._store.read(query)
        following = str(found[-1][0]) if len(found) == size else None
        return Page(tuple(item for _, item in found), following)

    def get(self, suggestion_id: str, *, agent_id: str | None) -> Suggestion:
        """One suggestion.

        Raises:
            RefusedError: 404; 403 for another agent's.
        """
        self._expire()
        found = self._store.read(lambda tx: lists.suggestion(tx, suggestion_id))
        if found is None:
            raise RefusedError(404, "not_found", "there is no such suggestion")
        if agent_id is not None and found.agent_id != agent_id:
            raise RefusedError(403, "forbidden", "this is another agent's")
        return found

    def mode(self) -> Mode:
        """The mode in force: the configured one under the ceiling that was set."""
        return mode_in_force(
            self._configured, self._store.read(lambda tx: lists.switch(tx, SWITCH))
        )

    def ceiling(self) -> Mode | None:
        """The ceiling that was set, if any."""
        stored = self._store.read(lambda tx: lists.switch(tx, SWITCH))
        return Mode(stored.value) if stored is not None and stored.value is not None else None

    def _expire(self) -> None:
        """See that what is too old is not shown as offered; usually nothing is written."""
        now = self._core.clock.now()
        if self._store.read(lambda tx: lists.any_expired(tx, now=now)):
            self._core.call(ExpireSuggestions())


def _demand_own_call(tx: Reading, call_id: str, agent_id: str) -> None:
    record = lists.assignment_of_call(tx, call_id)
    if record is None:
        raise RefusedError(404, "not_found", "no such call was assigned")
    if record.assignment.agent_id != agent_id:
        raise RefusedError(403, "forbidden", "this call is another agent's")

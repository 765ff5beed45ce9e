"""Views of suggestions and of the assist mode in force."""

from __future__ import annotations

from bridge.core.port import CorePort
from bridge.errors import NotYoursError, RefusedError
from bridge.model import Mode, Suggestion, SuggestionState
from bridge.planners.offering import SWITCH, mode_in_force
from bridge.queries.paging import Page, named_states, page_size
from bridge.state.commands import ExpireSuggestions
from bridge.store import Reader, ReadTransaction, lists

_MISSING, _NO_CALL = "there is no such suggestion", "no such call was assigned"


class Suggestions:
    """Queries on suggestions and the assist mode. Thread-safe; blocking.

    ``own`` is the requesting agent, who sees only the suggestions of its own calls; None stands for
    a system or a supervisor, who sees all.
    """

    def __init__(self, store: Reader, core: CorePort, configured: Mode) -> None:
        self._store = store
        self._core = core
        self.configured = configured

    def listing(
        self,
        *,
        call_id: str | None,
        state: str | None,
        agent_id: str | None,
        own: str | None = None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Return a page of suggestions in the order of storing.

        Raises:
            RefusedError: 400 for an invalid state or cursor; 404 if no such call was assigned, or
                it is another agent's.
        """
        states = named_states(SuggestionState, state)
        after, size = page_size(cursor, limit)
        self._expire()

        def query(tx: ReadTransaction) -> list[tuple[int, Suggestion]]:
            if call_id is not None and own is not None:
                _check_own_call(tx, call_id, own)
            return lists.suggestions(
                tx, call_id=call_id, states=states, agent_id=agent_id, after=after, limit=size
            )

        rows = self._store.read(query)
        following = str(rows[-1][0]) if len(rows) == size else None
        return Page(tuple(item for _, item in rows), following)

    def get(self, suggestion_id: str, *, own: str | None) -> Suggestion:
        """Return a suggestion.

        Raises:
            RefusedError: 404 if there is none with this ID, or it is another agent's.
        """
        self._expire()
        suggestion = self._store.read(lambda tx: lists.suggestion(tx, suggestion_id))
        if suggestion is None:
            raise RefusedError(404, "not_found", _MISSING)
        if own is not None and suggestion.agent_id != own:
            raise NotYoursError(_MISSING)
        return suggestion

    def mode(self) -> Mode:
        """Return the mode in force: the configured one, limited by the ceiling if one is set."""
        return mode_in_force(self.configured, self._store.read(lambda tx: lists.switch(tx, SWITCH)))

    def ceiling(self) -> Mode | None:
        """Return the ceiling, or None if none is set."""
        stored = self._store.read(lambda tx: lists.switch(tx, SWITCH))
        return Mode(stored.value) if stored is not None and stored.value is not None else None

    def _expire(self) -> None:
        """Expire old suggestions before they are shown as offered; usually writes nothing."""
        now = self._core.clock.now()
        if self._store.read(lambda tx: lists.any_expired(tx, now=now)):
            self._core.call(ExpireSuggestions())


def _check_own_call(tx: ReadTransaction, call_id: str, agent_id: str) -> None:
    record = lists.assignment_of_call(tx, call_id)
    if record is None:
        raise RefusedError(404, "not_found", _NO_CALL)
    if record.assignment.agent_id != agent_id:
        raise NotYoursError(_NO_CALL)

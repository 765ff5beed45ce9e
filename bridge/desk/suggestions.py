"""The agent's word on what the bot would say, and the agent's own words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bridge.config.settings import BridgeSettings
from bridge.desk.assigning import SPOKEN, own_call
from bridge.desk.compose import Composer
from bridge.desk.crowding import make_room
from bridge.desk.paging import Page, page_size
from bridge.errors import AssignmentError, RefusedError
from bridge.model import (
    Assignment,
    Delivery,
    Draft,
    Origin,
    Suggestion,
    SuggestionState,
)
from bridge.store import Store, Tx, deliveries, queue, suggestions

SYSTEM = "system"


class Suggestions:
    """The use cases. Thread-safe; blocks for the store.

    ``agent_id`` is who asks: an agent reaches its own calls only; None is a system.
    """

    def __init__(
        self,
        store: Store,
        settings: BridgeSettings,
        composer: Composer,
        *,
        ring: Callable[[], None],
        told: Callable[[str], None] = lambda _outcome: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._most_waiting = settings.delivery.max_waiting_per_call
        self._composer = composer
        self._ring = ring
        self._told = told
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
        """Suggestions in the order of storing.

        Raises:
            RefusedError: 400 for a state or a cursor that is none; 403, 404 for the call.
        """
        try:
            states = [SuggestionState(word) for word in (state or "").split(",") if word]
        except ValueError:
            allowed = ", ".join(item.value for item in SuggestionState)
            raise RefusedError(400, "bad_request", f"state is one of {allowed}") from None
        after, size = page_size(cursor, limit)
        self._expire()

        def query(tx: Tx) -> list[tuple[int, Suggestion]]:
            if call_id is not None and agent_id is not None:
                own_call(tx, call_id, agent_id)
            return suggestions.listing(
                tx,
                call_id=call_id,
                states=states,
                agent_id=agent_id,
                after=after,
                limit=size,
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
        return self._store.read(lambda tx: self._find(tx, suggestion_id, agent_id))

    def accept(
        self, suggestion_id: str, *, agent_id: str | None, text: str | None = None
    ) -> tuple[Suggestion, list[Delivery]]:
        """Send a suggestion, in the agent's own words where ``text`` is given.

        Raises:
            RefusedError: 409 where it was settled, or the call is the agent's no more; 422 for an
                empty text; 429 where too much waits.
        """
        if text is not None and not text.strip():
            raise RefusedError(422, "empty_text", "an empty text cannot be sent")
        by = agent_id or SYSTEM

        def store(tx: Tx) -> tuple[Suggestion, list[Delivery]]:
            now = self._clock()
            found = self._find(tx, suggestion_id, agent_id)
            assignment = self._assignment(tx, found)
            edited = text if text is not None and text != found.text else None
            state = SuggestionState.ACCEPTED if edited is None else SuggestionState.EDITED
            self._settle(tx, found, state, by=by, now=now, edited_text=edited)
            suggestions.supersede_others(tx, found, now=now)
            drafts = found.drafts
            if edited is not None:
                drafts = (*self._written(assignment, edited), *found.kept)
            batch = self._composer.compose(
                assignment,
                [drafts],
                Origin.SUGGESTION,
                name=("suggestion", found.id),
                now=now,
                approved_by=by,
            )
            self._say(tx, assignment.call_id, batch, now)
            settled = suggestions.get(tx, found.id) or found
            return settled, deliveries.by_codes(tx, [item.message_code for item in batch])

        answered = self._store.write(store)
        self._ring()
        self._told(answered[0].state.value)
        return answered

    def reject(
        self, suggestion_id: str, *, agent_id: str | None, reason: str | None = None
    ) -> Suggestion:
        """The agent does not want it.

        Raises:
            RefusedError: 409 where it was settled.
        """

        def store(tx: Tx) -> Suggestion:
            found = self._find(tx, suggestion_id, agent_id)
            self._settle(
                tx,
                found,
                SuggestionState.REJECTED,
                by=agent_id or SYSTEM,
                now=self._clock(),
                reason=(reason or "")[:500] or None,
            )
            return suggestions.get(tx, found.id) or found

        rejected = self._store.write(store)
        self._told(rejected.state.value)
        return rejected

    def displayed(self, suggestion_id: str, *, agent_id: str | None) -> Suggestion:
        """The agent saw it."""

        def store(tx: Tx) -> Suggestion:
            found = self._find(tx, suggestion_id, agent_id)
            suggestions.display(tx, found.id, now=self._clock())
            return suggestions.get(tx, found.id) or found

        return self._store.write(store)

    def reply(
        self, call_id: str, text: str, client_id: str, *, agent_id: str | None
    ) -> list[Delivery]:
        """The agent writes freely; the same ``client_id`` again is the same message.

        Raises:
            RefusedError: 404, 403; 409 where the bot has the call, or the client_id was used for
                another text; 422 for an empty text; 429 where too much waits.
        """
        if not text.strip():
            raise RefusedError(422, "empty_text", "an empty text cannot be sent")

        def store(tx: Tx) -> list[Delivery]:
            now = self._clock()
            standing = own_call(tx, call_id, agent_id, with_agent=True)
            assignment = standing.assignment
            batch = self._composer.compose(
                assignment,
                [self._written(assignment, text)],
                Origin.AGENT,
                name=("reply", call_id, client_id),
                now=now,
                approved_by=agent_id or SYSTEM,
            )
            former = deliveries.of_reply(tx, batch[0].reply_key)
            if not former:
                self._say(tx, call_id, batch, now)
                former = deliveries.of_reply(tx, batch[0].reply_key)
            elif _others(former, batch):
                message = "this client_id was used for another text; take a new one"
                raise RefusedError(409, "client_id_used", message)
            return former

        stored = self._store.write(store)
        self._ring()
        return stored

    def _expire(self) -> None:
        """What is too old is not shown as offered; where nothing is, looking writes nothing."""
        now = self._clock()
        if self._store.read(lambda tx: suggestions.any_due(tx, now=now)):
            self._store.write(lambda tx: suggestions.expire(tx, now=now))

    # -- parts -----------------------------------------------------------------------------------

    @staticmethod
    def _find(tx: Tx, suggestion_id: str, agent_id: str | None) -> Suggestion:
        found = suggestions.get(tx, suggestion_id)
        if found is None:
            raise RefusedError(404, "not_found", "there is no such suggestion")
        if agent_id is not None and found.agent_id != agent_id:
            raise RefusedError(403, "forbidden", "this is another agent's")
        return found

    def _assignment(self, tx: Tx, found: Suggestion) -> Assignment:
        if found.state is not SuggestionState.OFFERED:
            raise _settled(found)
        standing = own_call(tx, found.call_id, found.agent_id, with_agent=True)
        try:
            self._composer.envelope(standing.assignment)
        except AssignmentError as error:  # the operator took away what it needs
            raise RefusedError(409, error.code, error.message) from error
        return standing.assignment

    @staticmethod
    def _settle(
        tx: Tx,
        found: Suggestion,
        state: SuggestionState,
        *,
        by: str,
        now: float,
        edited_text: str | None = None,
        reason: str | None = None,
    ) -> None:
        suggestions.expire(tx, now=now)
        taken = suggestions.settle(
            tx, found.id, state, by=by, now=now, edited_text=edited_text, reason=reason
        )
        if not taken:
            raise _settled(suggestions.get(tx, found.id) or found)

    def _say(self, tx: Tx, call_id: str, batch: Sequence[Delivery], now: float) -> None:
        """Store the agent's message; what the bot would have sent by itself is withdrawn."""
        queue.withdraw(tx, SPOKEN, now=now, call_id=call_id, origin=Origin.AUTO)
        make_room(tx, call_id, len(batch), self._most_waiting)
        queue.add(tx, batch)

    def _written(self, assignment: Assignment, text: str) -> tuple[Draft, ...]:
        try:
            drafts = self._composer.written(assignment, text)
        except AssignmentError as error:
            raise RefusedError(409, error.code, error.message) from error
        if not drafts:
            raise RefusedError(422, "empty_text", "nothing of this text can be sent")
        return drafts


def _others(former: Sequence[Delivery], batch: Sequence[Delivery]) -> bool:
    """Whether other words were stored under the same name, as far as they are still known."""
    if any(item.erased_at is not None for item in former):
        return False
    return [item.draft for item in former] != [item.draft for item in batch]


def _settled(found: Suggestion) -> RefusedError:
    return RefusedError(409, "settled", f"this suggestion is {found.state.value} already")

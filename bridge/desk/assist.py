"""Makes suggestions of what the bot would say, or sends it by itself where that is allowed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge import replies
from bridge.config.settings import Settings
from bridge.desk.answers import NOTHING, Answer, Step
from bridge.desk.assigning import SUSPENDED
from bridge.desk.compose import Composer
from bridge.desk.crowding import crowded
from bridge.desk.responses import Responses
from bridge.desk.turns import Seen
from bridge.errors import AssignmentError
from bridge.model import (
    Assignment,
    Delivery,
    Draft,
    Mode,
    Origin,
    Reply,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.replies import Candidate
from bridge.store import Store, Tx, assignments, queue, suggestions, switches, turns
from bridge.triggers import Decision
from bridge.turn import Turn

SWITCH = "assist_mode"
_ORDER = (Mode.OFF, Mode.SUGGEST, Mode.AUTO)
_BY_ITSELF = "auto"  # who gave the word, where nobody was asked


@dataclass(frozen=True, slots=True)
class _Offer:
    """One candidate, made ready for the agent."""

    source: Source
    text: str
    said: tuple[tuple[Draft, ...], ...]  # a reply's drafts, for each of its replies
    kept: tuple[Draft, ...]  # what stays when the agent writes other words


class Assists:
    """The use case. Thread-safe; blocks for the store."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        composer: Composer,
        responses: Responses,
        *,
        ring: Callable[[], None],
        told: Callable[[str, int], None] = lambda _outcome, _number: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rules = settings.designer.assist
        self._most_waiting = settings.bridge.delivery.max_waiting_per_call
        self._silent = settings.bridge.rasa.replies == "silent"
        self._composer = composer
        self._responses = responses
        self._ring = ring
        self._told = told
        self._clock = clock

    def mode(self) -> Mode:
        """The mode in force: the configured one under the ceiling that was put."""
        ceiling = self._store.read(lambda tx: switches.get(tx, SWITCH))
        configured = self._rules.mode
        if ceiling is None:
            return configured
        return min(configured, Mode(ceiling), key=_ORDER.index)

    def ceiling(self) -> Mode | None:
        """The ceiling that was put, if any."""
        stored = self._store.read(lambda tx: switches.get(tx, SWITCH))
        return Mode(stored) if stored is not None else None

    def put_ceiling(self, mode: Mode | None) -> None:
        """Put or lift the ceiling, for all processes at once.

        Below auto, what waits to be sent by itself is withdrawn.
        """

        def store(tx: Tx) -> None:
            now = self._clock()
            switches.put(tx, SWITCH, mode.value if mode else None, now=now)
            if mode in (Mode.OFF, Mode.SUGGEST):
                queue.withdraw(tx, SUSPENDED, now=now, origin=Origin.AUTO)

        self._store.write(store)

    def begin(self, seen: Seen, turn: Turn, decision: Decision) -> Step:
        """Suggest, send, or let Rasa utter what ``decision`` names."""
        if seen.record is not None:
            return Step(seen.key, Answer.of_json(seen.record.answer or {}))
        standing = seen.with_agent
        if standing is None:
            return Step(seen.key, self._as_the_bot(turn, decision))
        mode = self.mode()
        if mode is Mode.OFF:
            return Step(seen.key, NOTHING)
        try:
            offers = self._offers(standing.assignment, turn, decision, seen.key)
        except AssignmentError as error:
            return Step(seen.key, Answer(error=error.code))
        if not offers:
            return Step(seen.key, NOTHING)
        auto = mode is Mode.AUTO and self._may_go(decision)
        batch = self._batch(standing.assignment, turn, seen.key, offers[0]) if auto else []
        state = self._store.write(
            lambda tx: self._offer_or_send(tx, standing.assignment, turn, seen.key, offers, batch)
        )
        if state is SuggestionState.ACCEPTED:
            self._told(_BY_ITSELF, 1)
            self._ring()
        elif state is not None:
            self._told("offered", len(offers))
        return Step(seen.key, NOTHING)

    def _offer_or_send(
        self,
        tx: Tx,
        assignment: Assignment,
        turn: Turn,
        key: str,
        offers: Sequence[_Offer],
        batch: Sequence[Delivery],
    ) -> SuggestionState | None:
        """Store it, whichever of the two; the first suggestion's state, None for a repeat."""
        now = self._clock()
        if assignments.of_sender_and_call(tx, assignment.sender_id, assignment.call_id) is None:
            return None  # the customer was forgotten meanwhile
        answer = NOTHING.as_json()
        if not turns.begin(
            tx, key, sender_id=assignment.sender_id, call_id=None, now=now, answer=answer
        ):
            return None
        # Where too much waits for the call, the agent decides.
        sent = bool(batch) and not crowded(tx, assignment.call_id, len(batch), self._most_waiting)
        offered = self._suggestions(assignment, turn, key, offers, sent=sent)
        suggestions.offer(tx, offered)
        if sent:
            queue.add(tx, batch)
        return offered[0].state

    # -- the bot has the conversation ------------------------------------------------------------

    def _as_the_bot(self, turn: Turn, decision: Decision) -> Answer:
        """The reply on Rasa's own channel, as if the bridge were not there."""
        if decision.reply is None:
            return NOTHING  # the bot has said it already
        if decision.reply != "response_selector":
            return Answer(response=decision.reply)
        found = replies.selector_replies(
            turn, responses=self._known(turn), seed=turn.message_id, limit=1
        )
        return Answer(message=dict(found[0].reply)) if found else NOTHING

    # -- an agent has it -------------------------------------------------------------------------

    def _offers(
        self, assignment: Assignment, turn: Turn, decision: Decision, seed: str
    ) -> list[_Offer]:
        channels = replies.channel_names(assignment.channel.value, turn.input_channel)
        if decision.reply == "response_selector":
            found = replies.selector_replies(
                turn, responses=self._known(turn), channels=channels, seed=seed
            )
            return [self._offer(assignment, decision, [one]) for one in found]
        if decision.reply is not None:
            known = self._known(turn) or {}
            reply = replies.render(known, decision.reply, turn.slots, channels=channels, seed=seed)
            if not reply:
                return []
            one = Candidate(reply, decision.reply, decision.confidence, decision.margin)
            return [self._offer(assignment, decision, [one])]
        said = replies.bot_replies(turn) if self._silent else ()
        return [self._offer(assignment, decision, said)] if said else []

    def _offer(
        self, assignment: Assignment, decision: Decision, parts: Sequence[Candidate]
    ) -> _Offer:
        first = parts[0]
        source = Source(
            kind="assist",
            intent=decision.intent,
            confidence=first.confidence,
            margin=first.margin,
            response=first.response,
        )
        said: list[Reply] = [part.reply for part in parts]
        return _Offer(
            source,
            "\n".join(self._composer.readable(reply) for reply in said),
            tuple(self._composer.drafts(assignment, reply) for reply in said),
            tuple(
                draft for reply in said for draft in self._composer.besides_words(assignment, reply)
            ),
        )

    def _may_go(self, decision: Decision) -> bool:
        """Whether the designer allows this answer to be sent without an agent's word."""
        auto = self._rules.auto
        if decision.intent not in auto.intents or decision.confidence is None:
            return False
        # A classifier that names no runner-up leaves nothing to be mistaken for.
        ahead = decision.confidence if decision.margin is None else decision.margin
        return decision.confidence >= auto.min_confidence and ahead >= auto.min_margin

    def _batch(self, assignment: Assignment, turn: Turn, key: str, offer: _Offer) -> list[Delivery]:
        return self._composer.compose(
            assignment,
            offer.said,
            Origin.AUTO,
            name=(turn.sender_id, turn.message_id, turn.action_name, turn.ordinal),
            now=self._clock(),
            turn_key=key,
            approved_by=_BY_ITSELF,
        )

    def _suggestions(
        self,
        assignment: Assignment,
        turn: Turn,
        key: str,
        offers: Sequence[_Offer],
        *,
        sent: bool,
    ) -> list[Suggestion]:
        now = self._clock()
        return [
            Suggestion(
                id=derive("suggestion", key, index),
                group=key,
                sender_id=assignment.sender_id,
                agent_id=assignment.agent_id,
                call_id=assignment.call_id,
                state=self._state(index, sent=sent),
                created_at=now,
                expires_at=now + self._rules.expire_after,
                source=offer.source,
                text=offer.text,
                drafts=tuple(draft for drafts in offer.said for draft in drafts),
                kept=offer.kept,
                message_id=turn.message_id,
                settled_at=now if sent else None,
                settled_by=_BY_ITSELF if sent else None,
            )
            for index, offer in enumerate(offers)
        ]

    @staticmethod
    def _state(index: int, *, sent: bool) -> SuggestionState:
        if not sent:
            return SuggestionState.OFFERED
        return SuggestionState.SUPERSEDED if index else SuggestionState.ACCEPTED

    def _known(self, turn: Turn) -> dict[str, object] | None:
        known = turn.responses if turn.responses is not None else self._responses.get()
        return dict(known) if known is not None else None

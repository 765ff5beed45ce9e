"""Asks the bot about customers' messages, without side effects or in the real conversation.

The requests are made here; what they mean is decided in ``bridge.dialogue`` and the triggers.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bridge import dialogue, language, replies, triggers
from bridge.config.settings import BridgeSettings, HandoffSettings, response_names
from bridge.dialogue import Conversation, Message, Move, Prediction, Rendering
from bridge.errors import RasaError, describe
from bridge.rasa import Rasa
from bridge.replies import Candidate
from bridge.senders.domain import Deadline, RequestedDomain
from bridge.state.commands import BotAnswered, Command
from bridge.state.inquiries import BotAnswer, BotReply, Inquiry, InquiryKind, InquiryStep
from bridge.state.records import UPDATE_MARK, RasaUpdate
from bridge.triggers import Decision, DecisionKind
from bridge.turn import Turn
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

_AT_A_TIME = 32
_NOT_ASKED = BotAnswer(asked=False)


class QuestionSender:
    """A thread pool for inquiries. Thread-safe; close it once.

    Args:
        rasa: None if no Rasa server is configured.
        settings: the contents of bridge.yml.
        designer: the rules that say when.
        responses: the domain's responses, if they come from a file.
        put: receives a ``BotAnswered`` for each inquiry.
    """

    def __init__(
        self,
        rasa: Rasa | None,
        settings: BridgeSettings,
        designer: HandoffSettings,
        responses: Mapping[str, Any] | None,
        put: Callable[[Command], None],
    ) -> None:
        self._rasa = rasa
        self._settings = settings
        self._designer = designer
        self._domain = RequestedDomain(responses)
        self._put = put
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="question")
        self._closing = False

    def ask(self, update: RasaUpdate, inquiry: Inquiry) -> None:
        """Ask the bot; ``put`` receives a ``BotAnswered``."""
        try:
            self._pool.submit(self._ask, update, inquiry)
        except RuntimeError:  # the process is stopping
            self._put(BotAnswered(update=update, unsent=True))

    def close(self) -> None:
        """Finish the inquiries in progress; start no new ones."""
        self._closing = True
        self._pool.shutdown(wait=True)

    def _ask(self, update: RasaUpdate, inquiry: Inquiry) -> None:
        if self._closing or self._rasa is None:
            self._put(BotAnswered(update=update, unsent=True))
            return
        answer: BotAnswer | None = None
        error: RasaError | None = None
        attempt = _Attempt(self._rasa, self._settings, self._designer, self._domain, inquiry)
        with Unexpected(
            logger, "An inquiry failed unexpectedly: %s update=%d", update.seq
        ) as failure:
            try:
                answer = attempt.answer()
            except RasaError as raised:
                error = raised
        if failure.error is not None:
            error = RasaError(describe(failure.error), sent=True)
        self._put(
            BotAnswered(
                update=update,
                answer=answer,
                error=error,
                acted=attempt.acted and error is not None,
                responses=self._domain.known if error is not None else {},
                jitter=random.random(),  # noqa: S311 - spreads retries
            )
        )


class _Attempt:
    """One attempt to ask the bot.

    Attributes:
        acted: the bot's actions may have run.
    """

    def __init__(
        self,
        rasa: Rasa,
        settings: BridgeSettings,
        designer: HandoffSettings,
        domain: RequestedDomain,
        inquiry: Inquiry,
    ) -> None:
        reader = settings.reader
        says = inquiry.step is InquiryStep.SAY
        self.acted = False
        self._rasa = rasa
        self._reader = reader
        self._token = reader.channel_token or settings.rasa.token
        self._designer = designer
        self._domain = domain
        self._inquiry = inquiry
        self._until = Deadline(reader.turn_timeout if says else reader.answer_timeout)

    def answer(self) -> BotAnswer:
        """Return the bot's answer.

        Raises:
            RasaError: a request failed, or its response makes no sense.
        """
        inquiry = self._inquiry
        converses = inquiry.kind is InquiryKind.CONVERSE
        text = dialogue.neutralised(inquiry.text)
        if not text:
            return BotAnswer() if converses else _NOT_ASKED
        if inquiry.step is InquiryStep.LOOK:
            return BotAnswer(_one(self._said_before()))
        if inquiry.step is InquiryStep.SAY:
            return BotAnswer(_one(_messages(self._say(inquiry.sender_id, text))))
        parse = self._rasa.parse(text, within=self._until.left())
        message = Message(text, inquiry.message_id, inquiry.at, parse)
        calm = dialogue.is_calm(parse)
        if calm and not converses:
            return (
                self._of_calm(message) if self._reader.calm else BotAnswer(asked=False, calm=True)
            )
        conversation = self._conversation(inquiry.sender_id)
        turn = dialogue.turn_of(conversation, message)
        if converses:
            return self._converse(turn)
        return self._without_side_effects(conversation, message, turn)

    # -- an agent owns the call ----------------------------------------------------------------

    def _without_side_effects(
        self, conversation: Conversation, message: Message, turn: Turn
    ) -> BotAnswer:
        decision = triggers.assist_rule(turn, self._designer)
        if decision.rule is None:
            return _NOT_ASKED
        rendering = self._rendering(turn)
        if decision.reply is not None:
            return self._named(decision, turn, rendering)
        prediction = Prediction(
            conversation, message, rendering, frozenset(self._designer.assist.actions)
        )
        self._predict(prediction)
        return self._made(
            decision,
            rendering,
            conversation.slots,
            _one(prediction.answer),
            stopped_at=prediction.stopped_at,
            ran=bool(prediction.ran),
        )

    def _named(self, decision: Decision, turn: Turn, rendering: Rendering) -> BotAnswer:
        """Return the answer that the rule names; no dialogue is asked."""
        least = self._designer.assist.min_confidence
        found = dialogue.candidates_of(decision, turn, rendering, least=least)
        return self._made(decision, rendering, turn.slots, tuple(map(_reply_alone, found)))

    def _predict(self, prediction: Prediction) -> None:
        """Predict the bot's actions one by one; run the listed ones in the shadow conversation."""
        try:
            while True:
                predicted = self._rasa.predict(prediction.events, within=self._until.left())
                move = prediction.take(predicted)
                if move is Move.DONE:
                    return
                if move is Move.RUN:
                    self._run(prediction)
        finally:
            if prediction.ran and self._inquiry.shadow is not None:
                self._cancel_reminders(self._inquiry.shadow)

    def _run(self, prediction: Prediction) -> None:
        shadow = self._shadow
        seed = [
            {**event, "input_channel": None} if event.get("event") == "user" else event
            for event in prediction.events
        ]
        self._rasa.replace_events(shadow, seed, within=self._until.left())
        with self._acting():
            self._rasa.execute(shadow, prediction.action, within=self._until.left())
        tracker = self._rasa.tracker(shadow, within=self._until.left())
        prediction.took(dialogue.read(shadow, tracker, in_turn=True))

    def _cancel_reminders(self, shadow: str) -> None:
        """Cancel what the actions scheduled, so that nothing follows in the shadow conversation."""
        try:
            self._rasa.cancel_reminders(shadow, within=self._until.left())
        except RasaError as error:
            logger.warning("Reminders in a shadow conversation were not cancelled: %s", error)

    def _of_calm(self, message: Message) -> BotAnswer:
        """Let a CALM bot answer in the shadow conversation, then evaluate the rules."""
        if not self._reader.calm:
            return BotAnswer(asked=False, calm=True)
        inquiry, shadow = self._inquiry, self._shadow
        conversation = self._conversation(inquiry.sender_id)
        events = list(conversation.events)
        self._rasa.replace_events(shadow, events, within=self._until.left())
        said = self._say(shadow, message.text)
        tracker = self._rasa.tracker(shadow, within=self._until.left())
        self._cancel_reminders(shadow)
        after = dialogue.read(shadow, tracker)
        turn = dialogue.last_turn(after)
        decision = triggers.assist_rule(turn, self._designer)
        if decision.rule is None:
            return BotAnswer(asked=False, ran=True)
        rendering = self._rendering(turn)
        if decision.reply is not None:
            return replace(self._named(decision, turn, rendering), ran=True)
        return self._made(decision, rendering, turn.slots, _one(_messages(said)), ran=True)

    @property
    def _shadow(self) -> str:
        if self._inquiry.shadow is None:
            message = "no shadow conversation was stored for it"
            raise RasaError(message)
        return self._inquiry.shadow

    # -- the bot owns the call -----------------------------------------------------------------

    def _converse(self, turn: Turn) -> BotAnswer:
        """Return whether the message triggers a handoff, or is for the real conversation."""
        inquiry = self._inquiry
        decision = triggers.decide(turn, self._designer, handed_back_at=inquiry.handed_back_at)
        if decision.kind is DecisionKind.HANDOFF and not triggers.in_cooldown(
            decision,
            turn,
            handed_back_at=inquiry.handed_back_at,
            cooldown=self._designer.handoff.cooldown,
            now=inquiry.at,
        ):
            return BotAnswer(handoff=turn, responses=self._chosen(self._rendering(turn)))
        slot = self._designer.language.slot
        slots = {slot: turn.slots[slot]} if slot is not None and slot in turn.slots else {}
        return BotAnswer(say=True, slots=slots)

    def _say(self, sender_id: str, text: str) -> list[Mapping[str, Any]]:
        token = self._token if self._reader.channel != "rest" else None
        with self._acting():
            return self._rasa.say(
                sender_id,
                text,
                {UPDATE_MARK: self._inquiry.seed},
                channel=self._reader.channel,
                token=token.get_secret_value() if token is not None else None,
                within=self._until.left(),
            )

    @contextmanager
    def _acting(self) -> Iterator[None]:
        """Note that the bot's actions may run, unless Rasa certainly did not take the request."""
        former, self.acted = self.acted, True
        try:
            yield
        except RasaError as error:
            self.acted = former or error.taken
            raise

    def _said_before(self) -> list[Candidate]:
        """Return what the bot said to an earlier attempt.

        Raises:
            RasaError: Rasa's tracker does not show it. Rasa stores a turn when it is complete.
        """
        tracker = self._rasa.find_tracker(self._inquiry.sender_id, within=self._until.left())
        said = dialogue.said_to(tracker, UPDATE_MARK, self._inquiry.seed)
        if said is None:
            message = "Rasa's tracker shows no answer"
            raise RasaError(message, sent=True)
        return [Candidate(each.reply, each.response, None, None) for each in said]

    # -- both ----------------------------------------------------------------------------------

    def _conversation(self, sender_id: str) -> Conversation:
        tracker = self._rasa.find_tracker(sender_id, within=self._until.left())
        if tracker is None:
            tracker = {"slots": self._domain.initial_slots(self._rasa, self._until)}
        return dialogue.read(sender_id, tracker)

    def _rendering(self, turn: Turn) -> Rendering:
        return Rendering(
            self._domain.responses(self._rasa, self._until),
            self._inquiry.channels,
            language.codes_of(turn.slots, self._designer),
            self._inquiry.seed,
        )

    def _made(
        self,
        decision: Decision,
        rendering: Rendering,
        slots: Mapping[str, Any],
        candidates: tuple[tuple[BotReply, ...], ...],
        *,
        stopped_at: str | None = None,
        ran: bool = False,
    ) -> BotAnswer:
        return BotAnswer(
            candidates,
            decision.intent,
            decision.confidence,
            decision.margin,
            stopped_at=stopped_at,
            ran=ran,
            slots=self._shown(slots),
            responses=self._chosen(rendering),
        )

    def _shown(self, slots: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the slots that the disclosure can contain, if there is one."""
        return dict(slots) if self._designer.assist.auto.disclose is not None else {}

    def _chosen(self, rendering: Rendering) -> Mapping[str, Any]:
        """Return the responses that the planners may need."""
        handoff = self._designer.handoff
        names = [
            name for key in handoff.ANNOUNCEMENTS for name in response_names(getattr(handoff, key))
        ]
        if self._designer.assist.auto.disclose is not None:
            names.append(self._designer.assist.auto.disclose)
        known = rendering.responses
        return {name: known[name] for name in names if name in known}


def _one(candidates: Sequence[Candidate]) -> tuple[tuple[BotReply, ...], ...]:
    """Return replies that together are one answer; no candidate if there are none."""
    parts = tuple(part for each in candidates for part in _reply_alone(each))
    return (parts,) if parts else ()


def _reply_alone(candidate: Candidate) -> tuple[BotReply, ...]:
    return (
        BotReply(
            candidate.reply,
            candidate.response,
            candidate.confidence,
            candidate.margin,
            candidate.runner_up,
        ),
    )


def _messages(said: Sequence[Mapping[str, Any]]) -> list[Candidate]:
    """Return the messages of a channel's response as replies."""
    found = (
        {str(key): value for key, value in each.items() if key != "recipient_id"} for each in said
    )
    return [Candidate(reply, None, None, None) for reply in found if replies.has_content(reply)]

"""Decide each turn of a recorded conversation as the action server would. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge import triggers
from bridge.language import language_of
from bridge.model import Mode
from bridge.planners.assist import SELECTOR
from bridge.replay.history import Moment, moments
from bridge.triggers import Decision, DecisionKind
from bridge.triggers.conditions import Facts
from bridge.triggers.near import near
from bridge.turn import Turn, read

if TYPE_CHECKING:  # only for types: the package config reads files
    from bridge.config.settings import HandoffSettings

_RANK = {DecisionKind.HANDOFF: 0, DecisionKind.ASSIST: 1, DecisionKind.NONE: 2}
_BRIDGE = "action_bridge"


@dataclass(frozen=True, slots=True)
class Near:
    """A condition that did not hold, and what it missed by."""

    condition: str  # handoff.when[2]
    why: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One of the customer's messages, and what the configuration makes of it."""

    message_id: str
    at: float | None
    text: str
    intent: str | None
    confidence: float | None
    decision: DecisionKind
    reason: str
    near: tuple[Near, ...]
    called: str | None  # the action of the bridge that Rasa called
    recorded: Mapping[str, Any]  # the handoff slots that the action set at the time


def replay(
    tracker: Mapping[str, Any],
    rules: HandoffSettings,
    *,
    domain: Mapping[str, Any] | None = None,
    called: str | None = None,
) -> Iterator[Explained]:
    """Yield what the configuration makes of each message of a conversation.

    Args:
        tracker: a tracker with its events.
        rules: the designer's settings.
        domain: the bot's domain, for the slots' initial values.
        called: the action for which Rasa sent this tracker, if it comes from a request.
    """
    responses = (domain or {}).get("responses")
    known = responses if isinstance(responses, Mapping) else None
    for calls in moments(tracker, _initial(domain), called):
        explained = [_explained(moment, rules, known) for moment in calls]
        yield min(explained, key=lambda each: _RANK[each.decision])


def _initial(domain: Mapping[str, Any] | None) -> dict[str, Any]:
    slots = (domain or {}).get("slots")
    return {
        str(name): slot.get("initial_value")
        for name, slot in (slots.items() if isinstance(slots, Mapping) else ())
        if isinstance(slot, Mapping)
    }


def _explained(
    moment: Moment, rules: HandoffSettings, responses: Mapping[str, Any] | None
) -> Explained:
    turn = read(moment.state, None, moment.action or _BRIDGE)
    decision = _decision(moment, turn, rules)
    if decision.kind is DecisionKind.ASSIST:
        lacking = _lacking(moment, turn, rules, decision.reply, responses)
        if lacking:
            decision = Decision(DecisionKind.NONE, f"{decision.reason}, but {lacking}")
    return Explained(
        message_id=turn.message_id,
        at=turn.message_at,
        text=turn.text,
        intent=turn.intent,
        confidence=turn.confidence,
        decision=decision.kind,
        reason=decision.reason,
        near=tuple(_near(moment, turn, rules)),
        called=moment.action,
        recorded=moment.outcome,
    )


def _decision(moment: Moment, turn: Turn, rules: HandoffSettings) -> Decision:
    """Return what the called action does; without a call, what ``action_bridge`` would do."""
    since = moment.handed_back_at
    if moment.action is None and moment.paused:
        return Decision(DecisionKind.NONE, "the bot is paused: Rasa calls no action")
    if moment.action == "action_handback":
        return Decision(DecisionKind.NONE, "action_handback returns the conversation to the bot")
    if moment.action == "action_agent_assist":
        return triggers.assist_rule(turn, rules)
    called = moment.action == "action_human_handoff"
    decision = (
        triggers.handoff_reason(turn, rules, handed_back_at=since)
        if called
        else triggers.decide(turn, rules, handed_back_at=since, mode=Mode.SUGGEST)
    )
    if decision.kind is not DecisionKind.HANDOFF:
        return decision
    prevented = _prevented(moment, turn, rules, decision, called=called)
    return Decision(DecisionKind.NONE, f"{decision.reason}, {prevented}") if prevented else decision


def _lacking(
    moment: Moment,
    turn: Turn,
    rules: HandoffSettings,
    reply: str | None,
    responses: Mapping[str, Any] | None,
) -> str:
    """Return why there is no reply that an assist could suggest, or ``""``."""
    if reply == SELECTOR:
        return _unranked(moment, turn, rules)
    if reply is None or responses is None or reply in responses:
        return ""
    return f"the domain has no response {reply}"


def _unranked(moment: Moment, turn: Turn, rules: HandoffSettings) -> str:
    """Return why the response selectors' ranking has nothing to suggest, or ``""``."""
    found = [each for each in turn.selections if each.response or each.ranking]
    if not found:
        return "the message has no ranking of a response selector"
    # While the bot owns the conversation, it says the best one, whatever its confidence is.
    least = rules.assist.min_confidence if moment.with_agent else 0.0
    best = [each.confidence for each in found]
    confidences = best + [row.confidence for each in found for row in each.ranking]
    if all(confidence is not None and confidence < least for confidence in confidences):
        return f"the response selector is below assist.min_confidence ({least:g})"
    return ""


def _prevented(
    moment: Moment, turn: Turn, rules: HandoffSettings, decision: Decision, *, called: bool
) -> str:
    """Return what prevents the handoff that ``decision`` calls for, or ``""``."""
    cooling = _cooling(decision, turn, rules, moment.handed_back_at)
    closed = _closed(moment, turn, rules, decision)
    if closed and not (cooling and not called):
        return f"but {closed} (handoff.hours)"
    if cooling:
        return f"within {rules.handoff.cooldown:g} s of the handback (cooldown)"
    return ""


def _cooling(decision: Decision, turn: Turn, rules: HandoffSettings, since: float | None) -> bool:
    written = turn.last_written_at
    return triggers.in_cooldown(
        decision,
        turn,
        handed_back_at=since,
        cooldown=rules.handoff.cooldown,
        now=written if written is not None else since or 0.0,
    )


def _closed(moment: Moment, turn: Turn, rules: HandoffSettings, decision: Decision) -> str:
    """Return why the opening hours allow no handoff at the time of the message, or ``""``."""
    hours = rules.handoff.hours
    written_at = turn.last_written_at if decision.counted else turn.message_at
    if hours is None or written_at is None or moment.with_agent:
        return ""
    verdict = triggers.opening(hours, written_at)
    return "" if verdict.holds else verdict.words


def _near(moment: Moment, turn: Turn, rules: HandoffSettings) -> Iterator[Near]:
    for section, items in (("handoff", rules.handoff.when), ("assist", rules.assist.when)):
        for number, item in enumerate(items):
            since = moment.handed_back_at if section == "handoff" else None
            facts = Facts(turn, since, language_of(turn.slots, rules), rules.language.default)
            why = near(item, facts)
            if why is not None:
                yield Near(f"{section}.when[{number}]", why)

"""Decide which rule a turn triggers, and whether a cool-down blocks a handoff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bridge.language import language_of
from bridge.model import Because, Mode
from bridge.triggers.conditions import Facts, Verdict, is_explicit, judge
from bridge.turn import Turn

if TYPE_CHECKING:  # only for types: the package config reads files
    from bridge.config.settings import AssistRule, Condition, HandoffSettings

_SHOWN = 6  # failed items listed in a reason


class DecisionKind(str, Enum):
    """What a turn calls for."""

    HANDOFF = "handoff"  # hand over to an agent
    ASSIST = "assist"  # assist the agent who owns the call
    NONE = "none"  # nothing


@dataclass(frozen=True, slots=True)
class Decision:
    """What a turn calls for, and why."""

    kind: DecisionKind
    reason: str  # for designers and agents; without customer text
    rule: int | None = None  # the index in handoff.when or assist.when
    explicit: bool = False  # an explicit request, not a failure of the bot
    counted: bool = False  # triggered by a number of fallbacks in a row
    reply: str | None = None  # of the assist rule: utter_x, response_selector; None: the bot's own
    intent: str | None = None
    confidence: float | None = None
    margin: float | None = None  # over the runner-up among the intents
    runner_up: str | None = None  # the name of that intent
    because: tuple[Because, ...] = ()  # the reason in parts


def decide(
    turn: Turn,
    rules: HandoffSettings,
    *,
    handed_back_at: float | None = None,
    mode: Mode | None = None,
) -> Decision:
    """Return what a turn calls for. Handoff takes precedence over assist.

    Args:
        turn: what Rasa sent.
        rules: the designer's settings.
        handed_back_at: when the conversation last came back to the bot; fallbacks count from then.
        mode: the assist mode in force, if it differs from the configured one.
    """
    wanted = _judged(turn, rules, rules.handoff.when, handed_back_at)
    handoff = _handoff(turn, rules.handoff.when, wanted, handed_back_at)
    if handoff is not None:
        return handoff
    missed = "no item matched: " + _missed("handoff.when", wanted)
    if (mode or rules.assist.mode) is Mode.OFF:
        return Decision(DecisionKind.NONE, f"{missed}; assist is off")
    helped = _judged(turn, rules, rules.assist.when, handed_back_at)
    return _assist(turn, rules.assist.when, helped) or Decision(
        DecisionKind.NONE, f"{missed}; {_missed('assist.when', helped)}"
    )


def handoff_reason(
    turn: Turn, rules: HandoffSettings, *, handed_back_at: float | None = None
) -> Decision:
    """Return the reason for a handoff called by a story or flow; the kind is always HANDOFF."""
    items = rules.handoff.when
    decision = _handoff(turn, items, _judged(turn, rules, items, handed_back_at), handed_back_at)
    if decision is not None:
        return decision
    reason = f"the story or flow called {turn.action_name}"
    because = (Because("called", {"name": turn.action_name}),)
    return _met(turn, DecisionKind.HANDOFF, reason, explicit=not turn.fell_back, because=because)


def assist_rule(turn: Turn, rules: HandoffSettings) -> Decision:
    """Return what to suggest when a story or flow calls for it; always ASSIST, in any mode."""
    verdicts = _judged(turn, rules, rules.assist.when, None)
    decision = _assist(turn, rules.assist.when, verdicts)
    if decision is not None:
        return decision
    missed = _missed("assist.when", verdicts)
    reason = f"the story or flow called {turn.action_name}; no item matched: {missed}"
    return _met(turn, DecisionKind.ASSIST, reason, explicit=not turn.fell_back)


def in_cooldown(
    decision: Decision,
    turn: Turn,
    *,
    handed_back_at: float | None,
    cooldown: float,
    now: float,
) -> bool:
    """Return whether an earlier handback blocks this handoff.

    For ``cooldown`` seconds it blocks all but explicit requests. Messages not newer than the
    handback never trigger another handoff: they were handled before it, but Rasa presents them
    again whenever it reverts a fallback.
    """
    if handed_back_at is None or decision.kind is not DecisionKind.HANDOFF:
        return False
    written_at = turn.last_written_at if decision.counted else turn.message_at
    if _is_old(written_at, handed_back_at):
        return True
    recent = now - handed_back_at < cooldown
    return recent and (written_at is None or not decision.explicit)


def _is_old(written_at: float | None, handed_back_at: float | None) -> bool:
    """Return whether a message is not newer than the handback; False if either is unknown."""
    return written_at is not None and handed_back_at is not None and written_at <= handed_back_at


def _judged(
    turn: Turn, rules: HandoffSettings, items: Sequence[Condition], since: float | None
) -> list[Verdict]:
    facts = Facts(turn, since, language_of(turn.slots, rules), rules.language.default)
    return [judge(item, facts) for item in items]


def _handoff(
    turn: Turn,
    items: Sequence[Condition],
    verdicts: Sequence[Verdict],
    handed_back_at: float | None,
) -> Decision | None:
    """Return the first item that holds and may pass the cool-down, else the first that holds.

    Explicit requests precede fallbacks in any order, because both may hold and only a request
    passes the cool-down. On a message older than the handback, only fallbacks counted since then
    are new, so they come first.
    """
    old = _is_old(turn.message_at, handed_back_at)
    best: Decision | None = None
    lowest = 2
    for index, (item, verdict) in enumerate(zip(items, verdicts, strict=True)):
        if not verdict.holds:
            continue
        wish, counted = is_explicit(item, turn, handed_back_at), item.fallbacks is not None
        rank = 0 if (counted if old else wish) else 1
        if rank < lowest:
            lowest = rank
            reason = f"{verdict.words} (handoff.when[{index}])"
            best = _met(
                turn,
                DecisionKind.HANDOFF,
                reason,
                rule=index,
                explicit=wish,
                counted=counted,
                because=verdict.because,
            )
    return best


def _assist(
    turn: Turn, items: Sequence[AssistRule], verdicts: Sequence[Verdict]
) -> Decision | None:
    for index, (item, verdict) in enumerate(zip(items, verdicts, strict=True)):
        if verdict.holds:
            return _met(
                turn,
                DecisionKind.ASSIST,
                f"{verdict.words} (assist.when[{index}])",
                rule=index,
                explicit=is_explicit(item, turn, None),
                counted=item.fallbacks is not None,
                reply=item.reply,
            )
    return None


def _met(
    turn: Turn,
    kind: DecisionKind,
    reason: str,
    *,
    rule: int | None = None,
    explicit: bool = False,
    counted: bool = False,
    reply: str | None = None,
    because: tuple[Because, ...] = (),
) -> Decision:
    return Decision(
        kind,
        reason,
        rule=rule,
        explicit=explicit,
        counted=counted,
        reply=reply,
        intent=turn.intent,
        confidence=turn.confidence,
        margin=turn.margin,
        runner_up=turn.runner_up,
        because=because,
    )


def _missed(where: str, verdicts: Sequence[Verdict]) -> str:
    """Return the reasons why no item held."""
    if not verdicts:
        return f"{where} is empty"
    shown = [f"{where}[{index}]: {item.words}" for index, item in enumerate(verdicts[:_SHOWN])]
    more = len(verdicts) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")

"""Which item of the rules a turn meets first, and whether a handback still forbids a handoff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bridge.model import Mode
from bridge.triggers.conditions import Verdict, is_explicit, judge
from bridge.turn import Turn

if TYPE_CHECKING:  # the package config reads files; only its types are wanted here
    from bridge.config.settings import AssistRule, Condition, HandoffSettings

_TOLD = 6  # items whose failing is told in a reason


class Kind(str, Enum):
    """What a turn calls for."""

    HANDOFF = "handoff"  # a person is needed
    ASSIST = "assist"  # the bot can help the person who has the call
    NONE = "none"  # nothing


@dataclass(frozen=True, slots=True)
class Decision:
    """What a turn calls for, and why."""

    kind: Kind
    reason: str  # for designers and agents; holds nothing that the customer wrote
    rule: int | None = None  # the index in handoff.when or assist.when
    explicit: bool = False  # somebody's wish, not the bot's failing
    counted: bool = False  # by fallbacks in a row
    reply: str | None = None  # of the assist rule: utter_x, response_selector, or the bot's own
    intent: str | None = None
    confidence: float | None = None
    margin: float | None = None  # over the runner-up among the intents


def decide(
    turn: Turn,
    rules: HandoffSettings,
    *,
    handed_back_at: float | None = None,
    mode: Mode | None = None,
) -> Decision:
    """Decide what a turn calls for. Handoff comes before assist.

    Args:
        turn: what Rasa sent.
        rules: the designer's.
        handed_back_at: when the conversation last came back to the bot; fallbacks count from then.
        mode: the assist mode in force, where it is not the configured one.
    """
    wanted = _judged(turn, rules.handoff.when, handed_back_at)
    found = _handoff(turn, rules.handoff.when, wanted, handed_back_at)
    if found is not None:
        return found
    missed = "no item matched: " + _missed("handoff.when", wanted)
    if (mode or rules.assist.mode) is Mode.OFF:
        return Decision(Kind.NONE, f"{missed}; assist is off")
    helped = _judged(turn, rules.assist.when, handed_back_at)
    return _assist(turn, rules.assist.when, helped) or Decision(
        Kind.NONE, f"{missed}; {_missed('assist.when', helped)}"
    )


def handoff_reason(
    turn: Turn, rules: HandoffSettings, *, handed_back_at: float | None = None
) -> Decision:
    """Why a handoff that a story or flow called for is made; it is always one."""
    items = rules.handoff.when
    found = _handoff(turn, items, _judged(turn, items, handed_back_at), handed_back_at)
    if found is not None:
        return found
    reason = f"the story or flow called {turn.action_name}"
    return _met(turn, Kind.HANDOFF, reason, explicit=not turn.fell_back)


def assist_rule(turn: Turn, rules: HandoffSettings) -> Decision:
    """What to suggest where a story or flow called for it; it always is assist, in any mode."""
    verdicts = _judged(turn, rules.assist.when, None)
    found = _assist(turn, rules.assist.when, verdicts)
    if found is not None:
        return found
    missed = _missed("assist.when", verdicts)
    reason = f"the story or flow called {turn.action_name}; no item matched: {missed}"
    return _met(turn, Kind.ASSIST, reason, explicit=not turn.fell_back)


def in_cooldown(
    decision: Decision,
    turn: Turn,
    *,
    handed_back_at: float | None,
    cooldown: float,
    now: float,
) -> bool:
    """Whether a handback forbids this handoff.

    For ``cooldown`` seconds it forbids whatever is no explicit wish. Messages that are not newer
    than the handback were dealt with before it: Rasa shows them again after it reverted a
    fallback, however late, so they never hand off again.
    """
    if handed_back_at is None or decision.kind is not Kind.HANDOFF:
        return False
    written_at = turn.heard_at if decision.counted else turn.message_at
    if _is_old(written_at, handed_back_at):
        return True
    recent = now - handed_back_at < cooldown
    return recent and (written_at is None or not decision.explicit)


def _is_old(written_at: float | None, handed_back_at: float | None) -> bool:
    """Whether what was written is not newer than the handback, as far as both are known."""
    return written_at is not None and handed_back_at is not None and written_at <= handed_back_at


def _judged(turn: Turn, items: Sequence[Condition], since: float | None) -> list[Verdict]:
    return [judge(item, turn, since) for item in items]


def _handoff(
    turn: Turn,
    items: Sequence[Condition],
    verdicts: Sequence[Verdict],
    handed_back_at: float | None,
) -> Decision | None:
    """The first item that holds and that a handback does not forbid; else the first that holds.

    Wishes go before fallbacks, whatever their order: both may hold, and only a wish passes the
    cool-down. On a message older than the handback only fallbacks counted since are news.
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
            best = _met(turn, Kind.HANDOFF, reason, rule=index, explicit=wish, counted=counted)
    return best


def _assist(
    turn: Turn, items: Sequence[AssistRule], verdicts: Sequence[Verdict]
) -> Decision | None:
    for index, (item, verdict) in enumerate(zip(items, verdicts, strict=True)):
        if verdict.holds:
            return _met(
                turn,
                Kind.ASSIST,
                f"{verdict.words} (assist.when[{index}])",
                rule=index,
                explicit=is_explicit(item, turn, None),
                counted=item.fallbacks is not None,
                reply=item.reply,
            )
    return None


def _met(
    turn: Turn,
    kind: Kind,
    reason: str,
    *,
    rule: int | None = None,
    explicit: bool = False,
    counted: bool = False,
    reply: str | None = None,
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
    )


def _missed(where: str, verdicts: Sequence[Verdict]) -> str:
    """Why no item held, in a few words each."""
    if not verdicts:
        return f"{where} is empty"
    told = [f"{where}[{index}]: {one.words}" for index, one in enumerate(verdicts[:_TOLD])]
    more = len(verdicts) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")

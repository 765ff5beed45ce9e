"""Say by how much a condition that does not hold missed. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.triggers.conditions import ANY, CHECKS, Facts
from bridge.triggers.keywords import in_language, mentions
from bridge.turn.reading import fold

if TYPE_CHECKING:  # only for types: the package config reads files
    from bridge.config.settings import Condition

_BEHIND = 0.3  # how far behind a second intent is still close
_PART = 4  # letters of a keyword that must be in the text, of one that is longer


def near(item: Condition, facts: Facts) -> str | None:
    """Return why an item that came close does not hold; None if it holds, or is far from it.

    An item comes close if some of its keys hold and others do not, or if the key that fails missed
    by little: an intent below its confidence or second in the ranking, fallbacks that are not
    enough yet, or a keyword inside another word.
    """
    verdicts = {
        key: check(item, facts) for key, check in CHECKS if getattr(item, key, None) is not None
    }
    failed = [key for key, verdict in verdicts.items() if not verdict.holds]
    if not failed:
        return None
    close = {key: _CLOSE[key](item, facts) for key in failed if key in _CLOSE}
    if len(failed) == len(verdicts) and not all(close.get(key) for key in failed):
        return None
    said = [
        close.get(key) or verdict.words if key in failed else f"{verdict.words} holds"
        for key, verdict in verdicts.items()
    ]
    return ", but ".join(sorted(said, key=lambda words: not words.endswith(" holds")))


def _intent(item: Condition, facts: Facts) -> str:
    turn, asked = facts.turn, item.min_confidence
    names = (turn.intent, turn.full_retrieval_intent)
    if item.intent in (ANY, *names):
        known = turn.confidence or 0.0
        by = f", {asked - known:.2g} too little" if asked is not None else ""
        return f"intent {turn.intent} at {known:.2f} is below {asked or 0:g}{by}"
    for place, ranked in enumerate(turn.ranking):
        if ranked.name != item.intent or place != 1 or ranked.confidence is None:
            continue
        behind = (turn.confidence or 0.0) - ranked.confidence
        if behind <= _BEHIND:
            return (
                f"intent {item.intent} at {ranked.confidence:.2f} is second, {behind:.2f} behind"
                f" {turn.intent}"
            )
    return ""


def _fallbacks(item: Condition, facts: Facts) -> str:
    count, asked = facts.turn.fallbacks(facts.since), item.fallbacks or 1
    return f"{count} of {asked} fallbacks in a row, {asked - count} too few" if count else ""


def _keyword(item: Condition, facts: Facts) -> str:
    turn = facts.turn
    if turn.typed_intent:
        return ""
    for language, keyword in in_language(item.keyword or {}, facts.language, facts.default):
        word = fold(keyword).strip("*").strip()
        if len(word) >= _PART and word in turn.folded and not mentions(turn.folded, keyword):
            return f'keyword "{keyword}" ({language}) is only a part of a word'
    return ""


def _slot(item: Condition, facts: Facts) -> str:
    value = facts.turn.slots.get(item.slot or "")
    if not item.asks_value or value is None or item.is_ is None:
        return ""
    if str(value).casefold() == str(item.is_).casefold():
        return f"slot {item.slot} differs only in letter case or type"
    return ""


_CLOSE: dict[str, Callable[[Condition, Facts], str]] = {
    "intent": _intent,
    "fallbacks": _fallbacks,
    "keyword": _keyword,
    "slot": _slot,
}

"""Evaluate one item of a ``when`` list against a turn, with a reason in words.

``CHECKS`` has a row per key of a condition. A new key needs a field in
``config.designers.Condition``, a row here, and a decision in ``is_explicit``. Reasons contain the
designer's configuration and Rasa's names, never customer text or slot values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.model import Because
from bridge.triggers.keywords import in_language, mentions
from bridge.turn import Turn
from bridge.turn.coerce import same
from bridge.turn.message import NLU_FALLBACK, underscored

if TYPE_CHECKING:  # only for types: the package config reads files
    from bridge.config.settings import Condition

ANY = "*"
_HANDOFF = "human_handoff"
_HANDOFF_FLOW = "pattern_human_handoff"  # how Rasa Pro 3.21 usually runs the command


class Verdict(NamedTuple):
    """Whether a condition holds, and the reason: in words, and if it holds in parts."""

    holds: bool
    words: str
    because: tuple[Because, ...] = ()


class Facts(NamedTuple):
    """What conditions are evaluated against.

    Attributes:
        turn: what Rasa sent.
        since: only fallbacks after this time are counted.
        language: the customer's; None if it is not known.
        default: the language of a customer whose language has no keywords.
    """

    turn: Turn
    since: float | None
    language: str | None
    default: str


def judge(item: Condition, facts: Facts) -> Verdict:
    """Evaluate one item: all of its keys must hold, else return the first verdict that fails."""
    reasons: list[Verdict] = []
    for key, check in CHECKS:
        if getattr(item, key) is None:
            continue
        verdict = check(item, facts)
        if not verdict.holds:
            return verdict
        reasons.append(verdict)
    words = " and ".join(verdict.words for verdict in reasons) or "it asks for nothing"
    return Verdict(bool(reasons), words, tuple(part for each in reasons for part in each.because))


def _held(words: str, code: str, **values: str | float) -> Verdict:
    return Verdict(holds=True, words=words, because=(Because(code, values),))


def is_explicit(item: Condition, turn: Turn, since: float | None) -> bool:
    """Return whether an item that holds shows an explicit request, not a failure of the bot.

    A slot that was set before ``since`` alone is no new request.
    """
    if item.fallbacks is not None:
        return False
    if item.command or item.flow or item.keyword or item.entity:
        return True
    if item.intent and turn.intent not in (None, NLU_FALLBACK):
        return True
    if item.slot and not item.intent:
        when = turn.slot_set_at(item.slot) if since is not None else None
        return since is None or (when is not None and when > since)
    return False


def _intent(item: Condition, facts: Facts) -> Verdict:
    turn = facts.turn
    if turn.intent is None and not (item.intent == ANY and turn.text):
        return Verdict(holds=False, words="no intent was recognised")
    named = turn.full_retrieval_intent if item.intent == turn.full_retrieval_intent else turn.intent
    if item.intent not in (ANY, named):
        return Verdict(holds=False, words=f"intent is {named}, not {item.intent}")
    named = named or "of no name"
    known, asked = turn.confidence, item.min_confidence
    words = f"intent {named}" if known is None else f"intent {named} at {_percent(known, asked)}"
    if asked is None and known is None:
        return _held(words, "intent", name=named)
    if asked is None or (known or 0.0) >= asked:
        words += "" if asked is None else f", at least {asked:g} was asked"
        return _held(words, "intent_at", name=named, confidence=_percent(known or 0.0, asked))
    missing = "" if known is not None else " without a confidence"
    return Verdict(holds=False, words=f"{words}{missing}, below the {asked:g} that was asked")


def _percent(known: float, asked: float | None) -> str:
    """Format with two digits, unless rounding would cross the threshold."""
    short = f"{known:.2f}"
    return short if asked is None or (float(short) >= asked) == (known >= asked) else str(known)


def _command(item: Condition, facts: Facts) -> Verdict:
    turn = facts.turn
    wanted = underscored(item.command or "")
    if any(command.name == wanted for command in turn.commands):
        return _held(f"command {wanted}", "command", name=wanted)
    if wanted == _HANDOFF and _HANDOFF_FLOW in turn.flows:
        return _held(f"command {wanted} (flow {_HANDOFF_FLOW} started)", "command", name=wanted)
    return Verdict(holds=False, words=f"no command {wanted}")


def _flow(item: Condition, facts: Facts) -> Verdict:
    turn = facts.turn
    if item.flow in turn.flows:
        return _held(f"flow {item.flow} started", "flow", name=item.flow or "")
    return Verdict(holds=False, words=f"flow {item.flow} did not start")


def _keyword(item: Condition, facts: Facts) -> Verdict:
    turn, tried = facts.turn, {}
    for language, keyword in in_language(item.keyword or {}, facts.language, facts.default):
        tried[language] = True
        # A button's payload is not the customer's wording.
        if not turn.typed_intent and mentions(turn.folded, keyword):
            return _held(f'keyword "{keyword}" ({language})', "keyword", name=keyword)
    if not tried:
        return Verdict(holds=False, words="no keywords in the customer's language or the default")
    return Verdict(holds=False, words=f"no keyword ({', '.join(tried)})")


def _entity(item: Condition, facts: Facts) -> Verdict:
    turn = facts.turn
    if any(entity.get("entity") == item.entity for entity in turn.entities):
        return _held(f"entity {item.entity}", "entity", name=item.entity or "")
    return Verdict(holds=False, words=f"no entity {item.entity}")


def _slot(item: Condition, facts: Facts) -> Verdict:
    turn = facts.turn
    value = turn.slots.get(item.slot or "")
    if item.asks_value:
        wanted = _shown(item.is_)
        if _equal(value, item.is_):
            return _held(
                f"slot {item.slot} is {wanted}", "slot_is", name=item.slot or "", value=wanted
            )
        return Verdict(holds=False, words=f"slot {item.slot} is not {wanted}")
    if value is None:
        return Verdict(holds=False, words=f"slot {item.slot} is not set")
    return _held(f"slot {item.slot} is set", "slot", name=item.slot or "")


def _equal(value: Any, wanted: Any) -> bool:
    """Compare as JSON does: 1 equals 1.0, but not true (unlike in Python)."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return same(value, wanted)


def _shown(wanted: Any) -> str:
    """Format a value as in the designer's YAML."""
    if wanted is None or isinstance(wanted, bool):
        return "null" if wanted is None else str(wanted).lower()
    return f'"{wanted}"' if isinstance(wanted, str) else str(wanted)


def _fallbacks(item: Condition, facts: Facts) -> Verdict:
    count, asked = facts.turn.fallbacks(facts.since), item.fallbacks or 1
    row = f"{count} fallback{'' if count == 1 else 's'} in a row"
    words = f"{row}, at least {asked} asked for"
    return (
        _held(words, "fallbacks", number=count)
        if count >= asked
        else Verdict(holds=False, words=words)
    )


# In the order of evaluation; checks that walk the events come last.
CHECKS: tuple[tuple[str, Callable[[Condition, Facts], Verdict]], ...] = (
    ("intent", _intent),
    ("command", _command),
    ("entity", _entity),
    ("slot", _slot),
    ("keyword", _keyword),
    ("flow", _flow),
    ("fallbacks", _fallbacks),
)

"""The configured flow as a Mermaid flowchart: from a message to a handoff, a suggestion or nothing.

The order of the nodes is that in which the action server decides. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.config.faults import printable
from bridge.config.settings import (
    AssistRules,
    Condition,
    HandoffRules,
    HandoffSettings,
    HolidayRange,
    HoursSettings,
    ResponseName,
)
from bridge.model import Mode
from bridge.triggers.conditions import ANY

_DAY = 24 * 60  # minutes
_HOLIDAYS = 3  # shown by date, at most
_KEYWORDS = 5  # shown, at most
_NEXT = "no"  # the edge from a condition to the next one
# Characters that end a label, or that Mermaid would read as markup or as an entity.
_ENTITIES = {ord(char): f"#{ord(char)};" for char in '"#&<>`\\'}


@dataclass(frozen=True)
class _Arrow:
    """An edge to a node that is not written yet: where it comes from, and its label."""

    source: str
    label: str = ""


def flowchart(rules: HandoffSettings) -> str:
    """Return the Mermaid text of the flow that ``handoff.yml`` configures."""
    return "\n".join(["flowchart TD", *(f"    {line}" for line in _lines(rules))]) + "\n"


def _lines(rules: HandoffSettings) -> Iterator[str]:
    handoff, assist = rules.handoff, rules.assist
    yield _start("message", "A customer's message: action_bridge")
    yield _start("called", "A rule or flow calls action_human_handoff")
    triggered, passed = [], _Arrow("message")
    for number, item in enumerate(handoff.when):
        name = f"handoff{number}"
        yield from _arrive([passed], _choice(name, f"handoff.when[{number}]", in_words(item)))
        triggered.append(_Arrow(name, "yes"))
        passed = _Arrow(name, _NEXT)
    yield from _handoff(handoff, triggered)
    for number, rule in enumerate(assist.when):
        name = f"assist{number}"
        yield from _arrive([passed], _choice(name, f"assist.when[{number}]", in_words(rule)))
        passed = _Arrow(name, _NEXT)
        said = "the bot's own reply" if rule.reply is None else _name(rule.reply)
        yield from _arrive([_Arrow(name, "yes")], _node(f"reply{number}", f"Reply: {said}"))
    yield from _arrive([passed], _node("none", "None: the bot answers"))
    yield from _suggested(assist)


def _handoff(rules: HandoffRules, triggered: Sequence[_Arrow]) -> Iterator[str]:
    """Yield what follows a trigger, and a call by name."""
    begun = [*triggered, _Arrow("called")]
    if triggered and rules.cooldown:
        asked = f"within {rules.cooldown:g} s of a handback, and no explicit request?"
        yield from _arrive(triggered, _choice("cooldown", "cooldown", asked))
        yield from _arrive(
            [_Arrow("cooldown", "yes")], _node("ignored", "No handoff: nothing said")
        )
        begun = [_Arrow("cooldown", "no"), _Arrow("called")]
    if rules.hours is not None:
        yield from _arrive(begun, _choice("hours", "hours", *_hours(rules.hours)))
        said = f"The bot says {_response(rules.closed)}"
        closed = _node("closed", "No handoff: closed_hours", said)
        yield from _arrive([_Arrow("hours", "closed")], closed)
        begun = [_Arrow("hours", "open")]
    agent = _choice("agent", "an agent is assigned and can be reached?")
    yield from _arrive(begun, agent)
    said = f"The bot says {_response(rules.unavailable)}"
    unavailable = _node("unavailable", "No handoff: handoff_error says why", said)
    refused = f"no, or called within {rules.cooldown:g} s of a handback" if rules.cooldown else "no"
    yield from _arrive([_Arrow("agent", refused)], unavailable)
    then = "the bot is silent" if rules.then == "pause" else "the bot drafts replies"
    said = f"Said under the agent's name: {_response(rules.say)}"
    started = _node("handoff", "Handoff to the agent", said, f"then: {rules.then}, {then}")
    yield from _arrive([_Arrow("agent", "yes")], started)


def _suggested(rules: AssistRules) -> Iterator[str]:
    """Yield what becomes of the replies of ``assist.when``."""
    if not rules.when:
        return
    replies = [_Arrow(f"reply{number}") for number in range(len(rules.when))]
    yield from _arrive(replies, _choice("owner", "an agent owns the conversation?"))
    yield from _arrive([_Arrow("owner", "no")], _node("bot", "None: the bot says it"))
    if rules.mode is Mode.OFF:
        yield from _arrive([_Arrow("owner", "yes")], _node("off", "None: assist.mode is off"))
        return
    offered = _node("assist", "Assist: a suggestion for the agent")
    if rules.mode is Mode.SUGGEST:
        yield from _arrive([_Arrow("owner", "yes")], offered)
        return
    auto = rules.auto
    allowed = f"intent {' or '.join(map(_name, auto.intents)) or '(none)'}"
    certain = f"confidence ≥ {auto.min_confidence:g}, margin ≥ {auto.min_margin:g}"
    yield from _arrive([_Arrow("owner", "yes")], _choice("auto", "assist.auto", allowed, certain))
    yield from _arrive([_Arrow("auto", "no")], offered)
    yield from _arrive([_Arrow("auto", "yes")], _node("sent", "Assist: sent without approval"))


# -- what the settings say, in words ---------------------------------------------------------------


def in_words(item: Condition) -> str:
    """Return the keys of a condition in words."""
    said = [words(item) for key, words in _WORDS if getattr(item, key) is not None]
    return " and ".join(said)


def _intent(item: Condition) -> str:
    name = "any intent" if item.intent == ANY else f"intent {_name(item.intent)}"
    return name if item.min_confidence is None else f"{name} ≥ {item.min_confidence:g}"


def _slot(item: Condition) -> str:
    if not item.asks_value:
        return f"slot {_name(item.slot)} is set"
    value = item.is_
    shown = "null" if value is None else str(value).lower() if isinstance(value, bool) else value
    return f"slot {_name(item.slot)} is {_name(shown)}"


def _keyword(item: Condition) -> str:
    return "keyword " + "; ".join(
        f"{_name(language)}: {_some(keywords, _KEYWORDS)}"
        for language, keywords in (item.keyword or {}).items()
    )


_WORDS = (
    ("intent", _intent),
    ("command", lambda item: f"command {_name(item.command)}"),
    ("entity", lambda item: f"entity {_name(item.entity)}"),
    ("slot", _slot),
    ("keyword", _keyword),
    ("flow", lambda item: f"flow {_name(item.flow)} starts"),
    ("fallbacks", lambda item: f"{item.fallbacks} fallbacks in a row"),
)


def _response(names: ResponseName) -> str:
    if isinstance(names, Mapping):
        return ", ".join(f"{_name(code)}: {_name(name)}" for code, name in names.items())
    return _name(names)


def _hours(hours: HoursSettings) -> Iterator[str]:
    """Yield the lines of the hours: each key of the week, the holidays and the time zone."""
    for days, spans in hours.week.items():
        times = ", ".join(f"{_clock(span.begin)}-{_clock(span.end)}" for span in spans)
        yield f"{days} {times or 'closed'}"
    if hours.holidays:
        yield f"not on {_some(map(_dates, hours.holidays), _HOLIDAYS)}"
    yield hours.time_zone.key


def _clock(minutes: int) -> str:
    within = minutes if minutes == _DAY else minutes % _DAY
    return f"{within // 60:02}:{within % 60:02}"


def _dates(each: Any) -> str:
    if not isinstance(each, HolidayRange):
        return str(each)
    return str(each.from_) if each.from_ == each.to else f"{each.from_} to {each.to}"


def _some(names: Any, most: int) -> str:
    listed = [_name(each) for each in names]
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")


def _name(value: object) -> str:
    return "nothing" if value is None else printable(str(value))


# -- the syntax ------------------------------------------------------------------------------------


def _start(name: str, *lines: str) -> str:
    return _node(name, *lines, begin="([", end="])")


def _choice(name: str, *lines: str) -> str:
    return _node(name, *lines, begin="{", end="}")


def _node(name: str, *lines: str, begin: str = "[", end: str = "]") -> str:
    label = "<br/>".join(line.translate(_ENTITIES) for line in lines)
    return f'{name}{begin}"{label}"{end}'


def _arrive(edges: Sequence[_Arrow], node: str) -> Iterator[str]:
    """Yield a node with the edges that lead to it."""
    name = node.split("[", 1)[0].split("{", 1)[0].split("(", 1)[0]
    yield node
    for edge in edges:
        label = f'|"{edge.label}"|' if edge.label else ""
        yield f"{edge.source} -->{label} {name}"

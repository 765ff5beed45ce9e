"""A response of the domain, rendered as Rasa Open Source's NLG does it.

The rules are those of Rasa 3.6.21 (``rasa/core/nlg``: ``ResponseVariationFilter``, the templated
generator and the interpolator), with three differences. Where Rasa draws lots, a hash of ``seed``
decides. Where its interpolator raises (a lone brace) or prints every slot (``{}``), the text stays
as the designer wrote it. Several channel names can be tried, best first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.model import Reply, derive
from bridge.turn.coerce import array, mapping, objects, same, words
from bridge.turn.spoken import content

_FILLED = frozenset({"text", "image", "custom", "buttons", "attachment", "quick_replies"})
_CHOOSING = frozenset({"condition", "channel", "id"})  # what chose the variation is no part of it
_TOKEN = re.compile(r"\{\{|\}\}|\{([^\n{}]+)\}|[{}]")
_NAME = re.compile(r"[^\n{}]+\}")
_DEPTH = 50  # deeper than any real payload; Python's own limit is not far beyond
_OUTPUT_NAMES = {"rest": "collector", "cmdline": "collector"}  # where they differ from the input's


def channel_names(gateway_channel: str, rasa_channel: str | None) -> tuple[str, ...]:
    """The names that a variation's ``channel`` is tried against, best first.

    A variation names Rasa's *output* channel; what a turn tells is the input channel's name.
    """
    names = [gateway_channel.lower()]
    if rasa_channel:
        names.append(_OUTPUT_NAMES.get(rasa_channel, rasa_channel))
    return tuple(dict.fromkeys(names))


def render(
    responses: Mapping[str, Any],
    name: str,
    slots: Mapping[str, Any],
    *,
    channels: Sequence[str],
    seed: str,
) -> Reply | None:
    """Render the response ``name``; None where there is none or no variation of it fits.

    Args:
        responses: the domain's ``responses``, as sent.
        name: ``utter_x``.
        slots: what conditions look at and placeholders are filled from.
        channels: see ``channel_names``; variations without a channel come after all of them.
        seed: the same seed chooses the same variation, in every process.

    Returns:
        The reply in Rasa's shape without what is null or empty; it is empty where the variation
        itself says nothing.
    """
    fitting = _fitting(objects(mapping(responses).get(name)), mapping(slots), channels)
    if not fitting:
        return None
    chosen = fitting[_lot(seed, name, len(fitting))]
    filled = {
        key: _fill(value, mapping(slots)) if key in _FILLED else value
        for key, value in chosen.items()
        if key not in _CHOOSING
    }
    return content(filled)


def _fitting(
    variations: Sequence[Mapping[str, Any]], slots: Mapping[str, Any], channels: Sequence[str]
) -> list[Mapping[str, Any]]:
    """The equally good variations: channel before condition before neither, as in Rasa."""
    # `condition: []` is neither conditional nor without condition there: it is never said.
    conditional = [one for one in variations if _holds(one.get("condition"), slots)]
    plain = [one for one in variations if one.get("condition") is None]
    for channel in (*(name for name in channels if name), None):
        for group in (conditional, plain):
            found = [one for one in group if one.get("channel") == channel]
            if found:
                return found
    return []


def _holds(conditions: object, slots: Mapping[str, Any]) -> bool:
    """Whether there are conditions, and all of them hold; texts compare without case."""
    rows = array(conditions)
    return bool(rows) and all(_row_holds(mapping(row), slots) for row in rows)


def _row_holds(row: Mapping[str, Any], slots: Mapping[str, Any]) -> bool:
    name = row.get("name")
    if not isinstance(name, str) or "value" not in row:
        return False
    found, wanted = slots.get(name), row["value"]
    if isinstance(found, str) and isinstance(wanted, str):
        return found.casefold() == wanted.casefold()
    return same(found, wanted)


def _lot(seed: str, name: str, count: int) -> int:
    if count == 1:
        return 0
    return int(derive("variation", words(seed) or "", words(name) or "")[:8], 16) % count


def _fill(value: Any, slots: Mapping[str, Any], depth: int = 0) -> Any:
    """Fill the placeholders of every text in ``value``; keys stay as they are."""
    if isinstance(value, str):
        return _fill_text(value, slots)
    if depth < _DEPTH and isinstance(value, (list, tuple)):
        return [_fill(item, slots, depth + 1) for item in value]
    if depth < _DEPTH and isinstance(value, Mapping):
        return {key: _fill(item, slots, depth + 1) for key, item in value.items()}
    return value


def _fill_text(text: str, slots: Mapping[str, Any]) -> str:
    """Put slots for ``{name}`` and single braces for doubled ones.

    All or nothing, as in Rasa: one slot that does not exist, a lone brace, or an escaped name
    beside a placeholder leaves the whole text unfilled. A slot that holds nothing reads "None".
    """
    if "{" not in text and "}" not in text:
        return text
    parts: list[str] = []
    end, named, escaped = 0, False, False
    for token in _TOKEN.finditer(text):
        parts.append(text[end : token.start()])
        end = token.end()
        if token[1] is not None:
            if token[1] not in slots:
                return text
            named = True
            parts.append(_shown(slots[token[1]]))
        elif len(token[0]) == 1:
            return text
        else:
            escaped = escaped or (token[0] == "{{" and _NAME.match(text, end) is not None)
            parts.append(token[0][0])
    if named and escaped:
        return text
    return "".join((*parts, text[end:]))


def _shown(value: Any) -> str:
    try:
        return str(value)
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits
        return ""

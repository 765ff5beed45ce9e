"""Render a response of the domain as Rasa Open Source's NLG does.

The rules are those of Rasa 3.6.21 (``rasa/core/nlg``: ``ResponseVariationFilter``, the templated
generator and the interpolator), with three differences. Where Rasa chooses at random, a hash of
``seed`` decides. Where its interpolator raises (a lone brace) or prints every slot (``{}``), the
text is left unchanged. Several channel names can be tried, best first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bridge.model import Reply, derive
from bridge.replies.translation import translated
from bridge.turn.coerce import array, blank, mapping, objects, same, words
from bridge.turn.spoken import content

_FILLED = frozenset({"text", "image", "custom", "buttons", "attachment", "quick_replies"})
_SHOWN = (*sorted(_FILLED), "elements")
_CHOOSING = frozenset({"condition", "channel", "id"})  # select a variation; not part of the reply
_TOKEN = re.compile(r"\{\{|\}\}|\{([^\n{}]+)\}|[{}]")
_PLACEHOLDER = re.compile(r"\{[^\n{}]+\}")
_NAME = re.compile(r"[^\n{}]+\}")
_DEPTH = 50  # deeper than any real payload, and below Python's recursion limit


def render(
    responses: Mapping[str, Any],
    name: str,
    slots: Mapping[str, Any],
    *,
    channels: Sequence[str],
    seed: str,
    codes: Sequence[str] = (),
    quote: Callable[[str], str] = str,
) -> Reply | None:
    """Render the response ``name``; None if there is none or no variation of it matches.

    Args:
        responses: the domain's ``responses``, as received.
        name: ``utter_x``.
        slots: the values for conditions and placeholders.
        channels: names to match with a variation's ``channel``, best first; variations without a
            channel are tried last.
        seed: the same seed chooses the same variation, in every process.
        codes: the language codes to try, see ``languages``; without a translation into one of
            them, the variation is used as it is.
        quote: applied to each slot's value, to protect it from being read as markup.

    Returns:
        The reply in Rasa's format without null or empty values; empty if the variation has no
        content.
    """
    fitting = _fitting(objects(mapping(responses).get(name)), mapping(slots), channels)
    if not fitting:
        return None
    chosen = translated(fitting[_lot(seed, name, len(fitting))], codes)
    filled = {
        key: _fill(value, mapping(slots), quote) if key in _FILLED else value
        for key, value in chosen.items()
        if key not in _CHOOSING
    }
    return content(filled)


def has_content(reply: Reply | None) -> bool:
    """Return whether a reply has anything to show; a text of blanks alone has not."""
    return reply is not None and any(not _is_blank(reply.get(key)) for key in _SHOWN)


def is_filled(reply: Reply) -> bool:
    """Return whether the reply's text has no placeholder of a slot that was unknown."""
    return _PLACEHOLDER.search(str(reply.get("text") or "")) is None


def _is_blank(value: object) -> bool:
    return blank(value) or (isinstance(value, str) and not value.strip())


def _fitting(
    variations: Sequence[Mapping[str, Any]], slots: Mapping[str, Any], channels: Sequence[str]
) -> list[Mapping[str, Any]]:
    """Return the best matching variations: channel before condition before neither, as in Rasa."""
    # In Rasa, `condition: []` counts as neither with nor without a condition: it is never chosen.
    conditional = [
        variation for variation in variations if _holds(variation.get("condition"), slots)
    ]
    plain = [variation for variation in variations if variation.get("condition") is None]
    for channel in (*(name for name in channels if name), None):
        for group in (conditional, plain):
            matching = [variation for variation in group if variation.get("channel") == channel]
            if matching:
                return matching
    return []


def _holds(conditions: object, slots: Mapping[str, Any]) -> bool:
    """Return whether there are conditions and all hold; strings compare case-insensitively."""
    rows = array(conditions)
    return bool(rows) and all(_row_holds(mapping(row), slots) for row in rows)


def _row_holds(row: Mapping[str, Any], slots: Mapping[str, Any]) -> bool:
    name = row.get("name")
    if not isinstance(name, str) or "value" not in row:
        return False
    value, wanted = slots.get(name), row["value"]
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()
    return same(value, wanted)


def _lot(seed: str, name: str, count: int) -> int:
    if count == 1:
        return 0
    return int(derive("variation", words(seed) or "", words(name) or "")[:8], 16) % count


def _fill(value: Any, slots: Mapping[str, Any], quote: Callable[[str], str], depth: int = 0) -> Any:
    """Fill the placeholders in every string of ``value``; keys are left unchanged."""
    if isinstance(value, str):
        return fill_text(value, slots, quote)
    if depth < _DEPTH and isinstance(value, (list, tuple)):
        return [_fill(item, slots, quote, depth + 1) for item in value]
    if depth < _DEPTH and isinstance(value, Mapping):
        return {key: _fill(item, slots, quote, depth + 1) for key, item in value.items()}
    return value


def fill_text(text: str, slots: Mapping[str, Any], quote: Callable[[str], str] = str) -> str:
    """Replace ``{name}`` with the slot's value, and doubled braces with single ones.

    All or nothing, as in Rasa: an unknown slot, a lone brace, or an escaped name beside a
    placeholder leaves the whole text unfilled. An empty slot is rendered as "None".
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
            parts.append(quote(_shown(slots[token[1]])))
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
    except (RecursionError, ValueError):  # nested too deeply, or a number with thousands of digits
        return ""

"""Choose the translation of a response, as Rasa Pro's ``translation`` key defines it.

A variation's ``translation`` maps language codes to its text; a button's maps them to the fields
of the button that differ (``title``, ``payload``, ``url``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.config.values import code_of
from bridge.turn.coerce import blank, mapping

TRANSLATION = "translation"
_OFFERED = ("buttons", "quick_replies")


def translated(variation: Mapping[str, Any], codes: Sequence[str]) -> dict[str, Any]:
    """Return the variation in the first language of ``codes`` that each of its parts has."""
    result = _in_language(variation, codes, "text")
    for key in _OFFERED:
        if isinstance(offered := result.get(key), (list, tuple)):
            result[key] = [
                _in_language(each, codes, "title") if isinstance(each, Mapping) else each
                for each in offered
            ]
    return result


def _in_language(value: Mapping[str, Any], codes: Sequence[str], words: str) -> dict[str, Any]:
    """Return ``value`` without its translations; text replaces ``words``, a mapping its keys."""
    result = {key: each for key, each in value.items() if key != TRANSLATION}
    known = {code_of(code): each for code, each in mapping(value.get(TRANSLATION)).items()}
    found = next((known[code] for code in codes if not blank(known.get(code))), None)
    if isinstance(found, Mapping):
        result.update((key, each) for key, each in found.items() if not blank(each))
    elif isinstance(found, (str, int, float)):
        result[words] = found
    return result

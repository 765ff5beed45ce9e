"""The customer's language: its code, and the codes to fall back to. Pure.

It selects responses by language, translations, the bridge's own texts, and keywords.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from bridge.config.settings import HandoffSettings, ResponseName
from bridge.config.values import code_of
from bridge.turn.coerce import words

_LONGEST = 64  # characters of a language code; customers may be able to set the slot


def codes(value: object, default: str | None) -> tuple[str, ...]:
    """Return the language codes to try, best first: ``de-AT`` is followed by ``de``.

    Args:
        value: the value of the language slot; anything but a short text is ignored.
        default: the language that is tried last, if any.
    """
    return _codes(value if isinstance(value, str) else None, default)


@lru_cache(maxsize=1024)
def _codes(value: str | None, default: str | None) -> tuple[str, ...]:
    found: list[str] = []
    for each in (value, default):
        code = code_of(each)
        while code and len(code) <= _LONGEST:
            found.append(code)
            code = code.rpartition("-")[0]
    return tuple(dict.fromkeys(found))


def language_of(slots: Mapping[str, Any], designer: HandoffSettings) -> str | None:
    """Return the customer's language from the slot that ``language.slot`` names."""
    name = designer.language.slot
    return words(slots.get(name)) if name is not None else None


def codes_of(slots: Mapping[str, Any], designer: HandoffSettings) -> tuple[str, ...]:
    """Return the language codes to try for the customer, best first."""
    return codes(language_of(slots, designer), designer.language.default)


def response_in(names: ResponseName, tried: Sequence[str]) -> str | None:
    """Return the name of a response for the customer.

    Args:
        names: one name, or one for each language.
        tried: the language codes to try, see ``codes``.

    Returns:
        The name for the first of the languages that has an entry; None if nothing is to be said in
        it; ``""`` if none of the languages has an entry.
    """
    if not isinstance(names, Mapping):
        return names
    known = {code_of(code): name for code, name in names.items()}
    return next((known[code] for code in tried if code in known), "")

"""Find and mask what identifies or pays for a customer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bridge import patterns

_LONGEST = 4000  # characters of a line that are kept
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<![\w+])(?:\+|00)?\d(?:[ ()/.-]{0,2}\d){7,14}(?!\w)")
_LABELS = ("[card]", "[e-mail]", "[phone]", "[masked]")  # the first of those that overlap is shown
_DOUBLED = 9  # Luhn: a doubled digit above it counts as the sum of its digits


def masked(text: str, own: Sequence[str] = ()) -> str:
    """Return a text with payment cards, e-mail addresses and phone numbers masked.

    Args:
        text: a line of the conversation.
        own: patterns of the configuration, for what else is masked.
    """
    text = text[:_LONGEST]
    pieces, shown = [], 0
    for begin, end, label in _merged(sorted(_found(text, own))):
        pieces += [text[shown:begin], _LABELS[label]]
        shown = end
    return "".join([*pieces, text[shown:]])


def _found(text: str, own: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Yield what is masked in the whole text: begin, end, and the number of its label."""
    for match in _CARD.finditer(text):
        if _is_card(match[0]):
            yield *match.span(), 0
    for label, pattern in ((1, _EMAIL), (2, _PHONE)):
        for match in pattern.finditer(text):
            yield *match.span(), label
    for written in own:
        for begin, end in patterns.spans(written, text):
            yield begin, end, len(_LABELS) - 1


def _merged(found: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield overlapping matches as one, so that no part of either is left."""
    current: tuple[int, int, int] | None = None
    for begin, end, label in found:
        if current is not None and begin < current[1]:
            current = (current[0], max(current[1], end), min(current[2], label))
            continue
        if current is not None:
            yield current
        current = (begin, end, label)
    if current is not None:
        yield current


def has_card_number(text: str) -> bool:
    """Return whether a text contains what looks like the number of a payment card."""
    return any(_is_card(match[0]) for match in _CARD.finditer(text))


def _is_card(number: str) -> bool:
    """Return whether the check digit of a card number is right (Luhn)."""
    digits = [int(character) for character in number if character.isdigit()]
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - _DOUBLED if doubled > _DOUBLED else doubled
    return total % 10 == 0

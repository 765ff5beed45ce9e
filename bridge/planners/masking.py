"""Mask what identifies or pays for a customer, before a handoff card is stored. Pure."""

from __future__ import annotations

import re

_LONGEST = 4000  # characters of a line that are kept
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<![\w+])(?:\+|00)?\d(?:[ ()/.-]{0,2}\d){7,14}(?!\w)")
_DOUBLED = 9  # Luhn: a doubled digit above it counts as the sum of its digits


def masked(text: str) -> str:
    """Return a text with payment cards, e-mail addresses and phone numbers masked."""
    text = text[:_LONGEST]
    text = _CARD.sub(lambda match: "[card]" if _is_card(match[0]) else match[0], text)
    return _PHONE.sub("[phone]", _EMAIL.sub("[e-mail]", text))


def _is_card(number: str) -> bool:
    """Return whether the check digit of a card number is right (Luhn)."""
    digits = [int(character) for character in number if character.isdigit()]
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - _DOUBLED if doubled > _DOUBLED else doubled
    return total % 10 == 0

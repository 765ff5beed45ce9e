"""Find and mask what identifies or pays for a customer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bridge import patterns

_LONGEST = 4000  # characters of a line that are kept
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(
    r"(?<![\w+])(?:[^\W\d]\w{0,30}\d[()/.-]{1,2})?"  # x4111-
    r"(?:\+|00)?\d(?:[ ()/.-]{0,2}\d){7,}"
    r"(?:[()/.-]{1,2}\d+[^\W\d]\w*|(?!\w))"  # -1112x
)
_LONGEST_PHONE = 15  # digits in a row; what has more is another number
_IBAN = re.compile(
    r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)",
    re.ASCII | re.IGNORECASE,  # ASCII: a Kelvin sign is no K
)
_HOUR = r"(?: \d{1,2})?"  # of a time that follows a date
_NO_PHONE = re.compile(
    rf"(?<!\d)(?:(?:19|20)\d\d([-/.])\d\d?\1\d\d?{_HOUR}"  # a date
    rf"|\d\d?([-/.])\d\d?\2(?:19|20)\d\d{_HOUR}"  # a date
    r"|\d{1,3}(?:\.\d{1,3}){3}"  # an address of a machine
    r"|97[89]-\d{1,5}-\d{1,7}-\d{1,7}-\d)(?!\d)"  # a book
)
_SHORTEST_IBAN = 15
_LABELS = ("[card]", "[iban]", "[e-mail]", "[phone]", "[masked]")  # of an overlap, the first
_DOUBLED = 9  # Luhn: a doubled digit above it counts as the sum of its digits


def masked(text: str, own: Sequence[str] = ()) -> str:
    """Return a text with payment cards, IBANs, e-mail addresses and phone numbers masked.

    What has at least as many digits as a phone number counts as one, in whole, unless it is written
    as dates, IP addresses or ISBNs, or is one row of more than 15 digits.

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
    for match in _IBAN.finditer(text):
        if length := _iban(match[0]):
            yield match.start(), match.start() + length, 1
    for match in _EMAIL.finditer(text):
        yield *match.span(), 2
    for match in _PHONE.finditer(text):
        if _is_phone(match[0]):
            yield *match.span(), 3
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


def has_payment_data(text: str) -> bool:
    """Return whether a text contains what looks like a payment card's number or an IBAN."""
    cards = any(_is_card(match[0]) for match in _CARD.finditer(text))
    return cards or any(_iban(match[0]) for match in _IBAN.finditer(text))


def _is_phone(run: str) -> bool:
    """Return whether a run of digits counts as a phone number."""
    in_a_row = run.removeprefix("+").removeprefix("00")
    if in_a_row.isdigit() and len(in_a_row) > _LONGEST_PHONE:
        return False
    return any(character.isdigit() for character in _NO_PHONE.sub("", run))


def _is_card(number: str) -> bool:
    """Return whether the check digit of a card number is right (Luhn)."""
    digits = [int(character) for character in number if character.isdigit()]
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - _DOUBLED if doubled > _DOUBLED else doubled
    return total % 10 == 0


def _iban(found: str) -> int:
    """Return the length of the IBAN at the beginning of a text, which words may follow; else 0."""
    while len(found) >= _SHORTEST_IBAN:
        compact = found.replace(" ", "")
        # The check digits are right (ISO 7064, MOD 97-10).
        if int("".join(str(int(each, 36)) for each in compact[4:] + compact[:4])) % 97 == 1:
            return len(found)
        found = found.rpartition(" ")[0]
    return 0

"""What a handoff card does not show."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import patterns
from bridge.planners.masking import masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my card is 4111 1111 1111 1111.", "my card is [card]."),
        ("4111-1111-1111-1111", "[card]"),
        ("378282246310005", "[card]"),
        ("order 4111", "order 4111"),
        ("write to anna.b+c@mail.shop.example!", "write to [e-mail]!"),
        ("call +49 (170) 123-45 67, please", "call [phone], please"),
        ("call 0049170 1234567", "call [phone]"),
        ("it costs 24.90 on 3.5.2026", "it costs 24.90 on 3.5.2026"),
        ("I booked for 2026-11-27 at 10:30", "I booked for 2026-11-27 at 10:30"),
        ("2026/11/27 10:30, or 01.12.2026 9:00", "2026/11/27 10:30, or 01.12.2026 9:00"),
        ("from 192.168.100.200", "from 192.168.100.200"),
        ("ISBN 978-3-16-148410-0", "ISBN 978-3-16-148410-0"),
        ("call 089/123456 or 13800138000", "call [phone] or [phone]"),
        ("2026-1234-5678", "[phone]"),
        ("4111-1111-1111-1112", "[phone]"),  # the check digit is wrong
        ("4111 1111 1111 1112, or 4111.1111.1111.1112!", "[phone], or [phone]!"),
        ("x4111-1111-1111-1112, 4111-1111-1111-1112x", "[phone], [phone]"),
        ("4111-1111-1111-1111-1", "[phone]"),
        ("0170 1234567 12345678901234567890", "[phone]"),
        ("parcel 12345678901234567890", "parcel 12345678901234567890"),
        ("1.5.2026-3.5.2026, 2026-11-27/2026-11-28", "1.5.2026-3.5.2026, 2026-11-27/2026-11-28"),
        ("192.168.100.200-192.168.100.255", "192.168.100.200-192.168.100.255"),
        ("IBAN DE89 3704 0044 0532 0130 00 and me", "IBAN [iban] and me"),
        ("gb82west12345698765432", "[iban]"),
        ("NO93 8601 1117 947.", "[iban]."),
        ("\u212a\u212a8937040044053201300", "\u212a\u212a8937040044053201300"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_what_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@given(
    st.lists(st.from_regex(r"[0-9]{4}", fullmatch=True), min_size=2, max_size=12),
    st.sampled_from([" ", "-", ".", "/", " (", ") ", "--"]),
)
def test_no_part_of_a_run_of_digits_is_left(groups: list[str], between: str) -> None:
    assert masked(f"call {between.join(groups)} now") in ("call [phone] now", "call [card] now")


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        ("about ORD-123456, and ORD-1", (r"ORD-\d{6}",), "about [masked], and ORD-1"),
        ("ord-123456", (r"(?i)ORD-\d{6}",), "[masked]"),
        ("Grüße 🎉 an KD-7 und KD-8", (r"KD-\d",), "Grüße 🎉 an [masked] und [masked]"),
        ("4111 1111 1111 1111", (r"\d{4}",), "[card]"),  # no digit is left
        ("ORD-1234567890", (r"ORD-\d{10}",), "[phone]"),
        ("call 0170 1234567", (r"call \d+",), "[phone]"),
        ("ab", ("a", "b"), "[masked][masked]"),
        ("a" * 60, ("a",), "[masked]" * 51),  # the rest at once
        ("\ud800 ORD-123456", (r"ORD-\d{6}",), "\ud800 [masked]"),
        ("nothing", (), "nothing"),
    ],
)
def test_the_configurations_own_patterns(text: str, own: tuple[str, ...], expected: str) -> None:
    assert masked(text, own) == expected


HOSTILE = (
    r"(a+)+$",
    r"(a|aa)+b",
    r"(.*a){8}b",
    r".*b|a",
    r"(a|b)*a(a|b){60}c",
    r"(x+x+)+y",
    r"\w+@",
)


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("part", ["a", "ab", "x", "ü", "🎉a"])
def test_no_pattern_takes_long(pattern: str, part: str) -> None:
    patterns.check(pattern)
    masked("a", (pattern,))  # compiled
    began = time.perf_counter()
    masked(part * 100_000, (pattern,))
    assert time.perf_counter() - began < 0.25


@pytest.mark.parametrize("part", ["1", "1 ", "a", "a@", "a.", "1-", "+1", "(1)"])
def test_it_takes_no_time_on_hostile_text(part: str) -> None:
    began = time.perf_counter()
    masked(part * 100_000)
    assert time.perf_counter() - began < 0.25

"""The circuit breaker's rules, with any attempts in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core import breaker
from bridge.core.breaker import (
    FAILURES,
    FIRST_PROBE,
    LONGEST_PAUSE,
    SOURCES,
    Breaker,
    Evidence,
    State,
)
from bridge.errors import (
    FinalError,
    GatewayError,
    RetryableError,
    SessionGoneError,
    SigningInError,
    SignInRefusedError,
    UnknownOutcomeError,
    UnreachableError,
)

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("error", "evidence"),
    [
        (None, Evidence.SERVED),
        (UnreachableError("refused"), Evidence.AWAY),
        (UnknownOutcomeError("silent, or cut off"), Evidence.AWAY),
        (RetryableError("", status=502), Evidence.AWAY),
        (RetryableError("", status=503), Evidence.AWAY),
        (UnknownOutcomeError("", status=504), Evidence.AWAY),
        (UnknownOutcomeError("", status=500), Evidence.UNCLEAR),
        (UnknownOutcomeError("no retcode", status=200), Evidence.UNCLEAR),
        (RetryableError("", status=429), Evidence.SERVED),
        (RetryableError("", retcode="000-004", status=200), Evidence.SERVED),
        (FinalError("", retcode="106-001", status=200), Evidence.SERVED),
        (FinalError("", status=404), Evidence.SERVED),
        (SessionGoneError("", status=401), Evidence.SERVED),
        (SigningInError("after its answer", retcode="100-006", status=200), Evidence.SERVED),
        (SessionGoneError("no GUID to send under"), Evidence.UNTRIED),
        (SignInRefusedError("refused a minute ago", retcode="100-004"), Evidence.UNTRIED),
    ],
    ids=str,
)
def test_what_an_attempt_says(error: GatewayError | None, evidence: Evidence) -> None:
    assert breaker.read(error) is evidence


def after(*attempts: tuple[Evidence, str]) -> Breaker:
    """A breaker that heard these, a second apart."""
    found = Breaker(since=NOW)
    for number, (evidence, source) in enumerate(attempts):
        found = breaker.record(found, evidence, source, now=NOW + number)
    return found


def opened() -> Breaker:
    return after(*((Evidence.AWAY, f"call-{number}") for number in range(FAILURES)))


def test_failures_of_several_calls_in_a_row_open_it() -> None:
    assert after(*((Evidence.AWAY, f"call-{n}") for n in range(FAILURES - 1))).closed
    found = opened()
    assert found.state is State.OPEN
    assert found.since == NOW + FAILURES - 1
    assert found.probe_at == found.since + FIRST_PROBE


def test_one_call_is_enough_for_none_and_two_for_it() -> None:
    alone = [(Evidence.AWAY, "poisoned")] * 100
    assert after(*alone).closed
    assert not after(*alone, (Evidence.AWAY, "another")).closed


def test_one_that_gets_through_begins_the_count_anew() -> None:
    failures = [(Evidence.AWAY, f"call-{n}") for n in range(FAILURES - 1)]
    assert after(*failures, (Evidence.SERVED, "good"), *failures).closed


def test_a_probe_that_fails_makes_the_next_wait_longer_but_never_five_seconds() -> None:
    found, now = opened(), NOW + 60
    pauses = []
    for _ in range(6):
        found = breaker.probed(found, now=now)
        assert found.state is State.HALF_OPEN
        pauses.append(found.probe_at - now)
        found = breaker.record(found, Evidence.AWAY, "call", now=now)
        assert found.state is State.OPEN
        now = found.probe_at
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == LONGEST_PAUSE < 5


def test_a_probe_without_a_session_does_not_use_up_its_turn() -> None:
    found = breaker.probed(opened(), now=NOW + 60)
    waiting = breaker.record(found, Evidence.UNTRIED, "call", now=NOW + 60)
    assert waiting.probe_at - (NOW + 60) <= 0.25
    unclear = breaker.record(found, Evidence.UNCLEAR, "call", now=NOW + 60)
    assert unclear.probe_at == found.probe_at


def test_a_clock_that_was_put_back_does_not_keep_it_open() -> None:
    found = opened()
    assert not found.due(found.since)
    assert found.due(found.since - 3600)


_SOURCES = st.sampled_from(["a", "b", "c"])
_HEARD = st.tuples(st.sampled_from(Evidence), _SOURCES)


@given(st.lists(_HEARD))
def test_it_opens_only_after_failures_in_a_row_of_several_calls(
    attempts: list[tuple[Evidence, str]],
) -> None:
    found = Breaker()
    row: list[str] = []
    for evidence, source in attempts:
        before = found
        found = breaker.record(found, evidence, source, now=NOW)
        if evidence is Evidence.SERVED:
            row = []
            assert found.closed
        elif evidence is Evidence.AWAY:
            row.append(source)
        if before.closed:
            enough = len(row) >= FAILURES and len(set(row)) >= SOURCES
            assert found.closed is not enough


@given(st.lists(st.tuples(st.floats(0, 20), st.none() | _HEARD)), st.floats(0, 20))
def test_while_it_is_open_a_probe_is_due_within_five_seconds_and_success_closes_it(
    story: list[tuple[float, tuple[Evidence, str] | None]], last: float
) -> None:
    """Time goes by, probes are sent whenever one is due, and attempts of before come back."""
    found, now, sent = opened(), NOW + FAILURES, NOW + FAILURES
    for seconds, told in story:
        now += seconds
        assert found.closed or found.due(max(now, sent + 5))
        if found.due(now):
            found, sent = breaker.probed(found, now=now), now
        if told is not None:
            evidence, source = told
            found = breaker.record(found, evidence, source, now=now)
            if evidence is Evidence.SERVED:
                assert found.closed
        if found.closed:
            found = breaker.record(Breaker(), Evidence.AWAY, "a", now=now)
            for _ in range(FAILURES):
                found = breaker.record(found, Evidence.AWAY, "b", now=now)
            sent = now
    assert found.due(max(now + last, sent + 5))

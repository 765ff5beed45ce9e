"""What an attempt comes to, by the kind of its error."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
from bridge.model import Delivery, DeliveryError, DeliveryState
from bridge.planners.policy import Policy, after, backoff, stale
from tests.making import NOW, delivery

RESEND, HOLD = Policy(resend=True), Policy(resend=False)


def attempt(
    error: GatewayError | None, before: Delivery | None = None, policy: Policy = RESEND
) -> Delivery:
    claimed = replace(before or delivery(), state=DeliveryState.SENDING, lease="l")
    return after(claimed, error, policy, now=NOW, jitter=0.5)


def test_success_is_delivered_and_settled() -> None:
    done = attempt(None)
    assert (done.state, done.attempts, done.settled_at) == (DeliveryState.DELIVERED, 1, NOW)


def test_the_first_retry_comes_within_a_second_and_later_ones_within_ten() -> None:
    assert all(0 < backoff(1, jitter / 10) <= 1 for jitter in range(10))
    assert all(0 < backoff(count, 0.999) <= 10 for count in range(1, 200))
    assert backoff(1, 0.0) < backoff(3, 0.0) < backoff(5, 0.0)


def test_retry_after_is_honoured_up_to_a_minute() -> None:
    assert backoff(1, 0.5, asked=7) == 7
    assert backoff(1, 0.5, asked=86400) == 60


def test_unreachable_waits_and_remembers_that_nothing_ever_connected() -> None:
    waiting = attempt(UnreachableError("no"))
    assert waiting.state is DeliveryState.WAITING
    assert NOW < waiting.due_at <= NOW + 1
    assert waiting.error == DeliveryError("gateway_unreachable", "no")
    assert not waiting.connected
    assert attempt(RetryableError("busy", status=503), waiting).connected


def test_a_retry_does_not_sleep_past_the_moment_of_expiry() -> None:
    late = delivery(expires_at=NOW + 0.01, attempts=9)
    assert attempt(RetryableError("busy", status=503), late).due_at == NOW + 0.01


@pytest.mark.parametrize(
    "error",
    [
        SessionGoneError("gone", retcode="100-006"),
        SigningInError("under way"),
        SignInRefusedError("locked", retcode="110-016"),
    ],
)
def test_without_a_session_it_waits_for_a_guid(error: GatewayError) -> None:
    waiting = attempt(error)
    assert waiting.state is DeliveryState.WAITING
    looked_at_again = {SigningInError: NOW + 7, SignInRefusedError: NOW + 60}
    assert waiting.due_at == looked_at_again.get(type(error), waiting.expires_at)
    assert waiting.error is not None
    under_way = isinstance(error, SigningInError)
    assert waiting.error.code == ("signing_in" if under_way else "agent_signed_out")
    assert waiting.attempts == (1 if error.retcode else 0)


def test_an_unknown_outcome_is_sent_again_three_times_at_most() -> None:
    current = delivery()
    for count in (1, 2, 3):
        current = attempt(UnknownOutcomeError("silence"), current)
        assert (current.state, current.unknowns) == (DeliveryState.WAITING, count)
        assert current.due_at == NOW
    current = attempt(UnknownOutcomeError("silence"), current)
    assert current.state is DeliveryState.UNCERTAIN
    assert current.attempts == 4


def test_hold_makes_an_unknown_outcome_uncertain_at_once() -> None:
    held = attempt(UnknownOutcomeError("silence"), policy=HOLD)
    assert held.state is DeliveryState.UNCERTAIN


def test_a_final_refusal_fails_and_shows_the_retcode() -> None:
    failed = attempt(FinalError("multimedia is off", retcode="106-001", status=200))
    assert failed.state is DeliveryState.FAILED
    assert failed.error == DeliveryError("106-001", "multimedia is off")


def test_expiry_is_for_what_was_not_begun() -> None:
    assert stale(delivery(), NOW + 299) is None
    expired = stale(delivery(), NOW + 300)
    assert expired is not None
    assert expired.state is DeliveryState.EXPIRED


def test_a_late_rest_of_a_begun_reply_fails_and_an_unknown_one_is_uncertain() -> None:
    rest = stale(delivery(part=1), NOW + 600)
    unknown = stale(delivery(unknowns=1), NOW + 600)
    assert rest is not None
    assert rest.state is DeliveryState.FAILED
    assert unknown is not None
    assert unknown.state is DeliveryState.UNCERTAIN

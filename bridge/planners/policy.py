"""Retry policy: the state of a delivery after an attempt. Pure: time and jitter are arguments.

delivered            the gateway returned retcode 0
waiting, later       the gateway accepted nothing (back-off), or the agent's session is gone
waiting, at once     outcome unknown; resent under the same message code, three times at most
uncertain            outcome unknown, and not to be resent automatically
failed, expired      final; the rest of the reply fails or expires too
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import (
    AlreadySignedInError,
    GatewayError,
    RetryableError,
    SessionGoneError,
    SigningInError,
    SignInRefusedError,
    UnknownOutcomeError,
    UnreachableError,
)
from bridge.model import Delivery, DeliveryError, DeliveryState, evolve
from bridge.state.records import AssignmentRecord

_FIRST_DELAY = 0.5  # seconds; doubled with each attempt
_LONGEST_DELAY = 10.0
_SIGN_IN_TAKES = 7.0  # seconds, at most
_REFUSED_FOR = 60.0  # seconds until a refused sign-in is tried again
DELIVERIES_FIRST = (
    10.0  # seconds that a handback or a transfer waits for the call's open deliveries
)
LONGEST_WAIT = 60.0  # seconds; limit for Retry-After, not for deliveries that wait for a GUID
_MOST_UNKNOWNS = 3  # how often a message of unknown outcome is resent


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of the retry policy.

    Attributes:
        resend: whether a message of unknown outcome is resent under the same message code.
    """

    resend: bool


def backoff(
    attempts: int,
    jitter: float,
    *,
    asked: float | None = None,
    longest: float = _LONGEST_DELAY,
) -> float:
    """Return the seconds until the next attempt after ``attempts``; ``jitter`` is in [0, 1).

    The first retry follows within a second, later ones within ten (``longest``). A Retry-After
    (``asked``) is honoured up to a minute.
    """
    delay = min(longest, _FIRST_DELAY * 2.0 ** min(max(attempts - 1, 0), 16))
    delay *= 0.5 + jitter / 2
    return max(delay, min(asked, LONGEST_WAIT)) if asked is not None else delay


def stale(delivery: Delivery, now: float) -> Delivery | None:
    """Return the delivery settled if it is past its expiry; None while it may be sent."""
    if now < delivery.expires_at:
        return None
    if delivery.unknowns:  # it may have been delivered: a person has to decide
        return _settled(delivery, DeliveryState.UNCERTAIN, now, delivery.error)
    if delivery.part:
        error = DeliveryError("expired", "it was too late for the rest of a partly sent reply")
        return _settled(delivery, DeliveryState.FAILED, now, delivery.error or error)
    error = DeliveryError("expired", "it could not be sent in time; stale replies are not sent")
    return _settled(delivery, DeliveryState.EXPIRED, now, delivery.error or error)


def forbidden(delivery: Delivery, record: AssignmentRecord | None, now: float) -> Delivery | None:
    """Return the delivery as failed if its call has ended or was reassigned, else None.

    ``record`` is the assignment of its conversation to its call; None if unknown.
    """
    if record is None:
        return None
    if record.assignment.agent_id != delivery.envelope.agent_id:
        error = DeliveryError("reassigned", "the call was given to another agent")
    elif record.ended_at is not None:
        error = DeliveryError("call_ended", "the call ended before it could be sent")
    else:
        return None
    return _settled(delivery, DeliveryState.FAILED, now, error)


def after(
    delivery: Delivery,
    error: GatewayError | None,
    policy: Policy,
    *,
    now: float,
    jitter: float,
) -> Delivery:
    """Return the delivery after an attempt that ended with ``error`` (None: delivered)."""
    tried = evolve(
        delivery,
        attempts=delivery.attempts + (0 if _kept(error) else 1),
        connected=delivery.connected or _reached(error),
    )
    if error is None:
        return _settled(tried, DeliveryState.DELIVERED, now, None)
    if isinstance(error, (SessionGoneError, AlreadySignedInError, SignInRefusedError)):
        return _signed_out(tried, error, now)
    if isinstance(error, RetryableError):
        delay = backoff(tried.attempts, jitter, asked=error.retry_after)
        code = "gateway_unreachable" if isinstance(error, UnreachableError) else _code(error)
        return _waiting(tried, min(now + delay, _last_moment(tried, now)), code, error)
    if isinstance(error, UnknownOutcomeError):
        return unknown(tried, error, policy, now=now)
    return _settled(tried, DeliveryState.FAILED, now, DeliveryError(_code(error), error.message))


def _kept(error: GatewayError | None) -> bool:
    """Return whether no attempt was made because the agent had no GUID."""
    return isinstance(error, SessionGoneError) and not error.retcode and not error.status


def _reached(error: GatewayError | None) -> bool:
    """Return whether a connection to the gateway was made."""
    return error is None or error.status != 0 or isinstance(error, UnknownOutcomeError)


def unknown(delivery: Delivery, error: GatewayError, policy: Policy, *, now: float) -> Delivery:
    """Return the delivery after an attempt with an unknown outcome: to resend, or uncertain."""
    counted = evolve(delivery, unknowns=delivery.unknowns + 1, connected=True)
    if policy.resend and counted.unknowns <= _MOST_UNKNOWNS:
        return _waiting(counted, now, "unknown_outcome", error)
    reason = DeliveryError("unknown_outcome", error.message)
    return _settled(counted, DeliveryState.UNCERTAIN, now, reason)


def unsent(delivery: Delivery, now: float) -> Delivery:
    """Return the delivery after a claim without an attempt: waiting as before, and due."""
    return evolve(delivery, state=DeliveryState.WAITING, due_at=now, lease=None, lease_until=None)


def _signed_out(delivery: Delivery, error: GatewayError, now: float) -> Delivery:
    """Return the delivery waiting for a GUID; a new GUID makes it due.

    It is also due after a while if a sign-in is in progress, because that process may die, or if
    the sign-in was refused, because the cause may be fixed.
    """
    code, again = "agent_signed_out", delivery.expires_at
    if isinstance(error, SigningInError):
        code, again = "signing_in", now + _SIGN_IN_TAKES
    elif isinstance(error, SignInRefusedError):
        again = now + _REFUSED_FOR
    return _waiting(delivery, min(again, _last_moment(delivery, now)), code, error)


def _last_moment(delivery: Delivery, now: float) -> float:
    """Return the latest time to wait until: when the delivery expires."""
    return max(delivery.expires_at, now)


def _waiting(delivery: Delivery, due: float, code: str, error: GatewayError) -> Delivery:
    return evolve(
        delivery,
        state=DeliveryState.WAITING,
        due_at=due,
        error=DeliveryError(code, error.message),
        lease=None,
        lease_until=None,
    )


def _settled(
    delivery: Delivery, state: DeliveryState, now: float, error: DeliveryError | None
) -> Delivery:
    return evolve(delivery, state=state, error=error, settled_at=now, lease=None, lease_until=None)


def _code(error: GatewayError) -> str:
    if error.retcode:
        return error.retcode
    return f"http_{error.status}" if error.status else "rejected"

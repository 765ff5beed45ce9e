"""What becomes of a delivery after an attempt. Pure: the clock and the dice are given.

delivered            the gateway said retcode 0
waiting, later       nothing was taken (back-off), or the agent's session is gone
waiting, at once     nobody knows; said again under the same code, three times at most
uncertain            nobody knows, and it is not to be said again by itself
failed, expired      for good; the rest of its reply goes with it
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

_FIRST_DELAY = 0.5  # seconds; doubled each time
_LONGEST_DELAY = 10.0
_SIGN_IN_TAKES = 7.0  # seconds, at most
_REFUSED_FOR = 60.0  # seconds until a refused sign-in is tried again
LONGEST_WAIT = 60.0  # seconds, of what does not wait for a GUID: Retry-After is honoured so far
_MOST_UNKNOWNS = 3  # how often a message of unknown fate is sent again


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide.

    Attributes:
        resend: whether a message of unknown fate is said again under the same code.
    """

    resend: bool


def backoff(
    attempts: int,
    jitter: float,
    *,
    asked: float | None = None,
    longest: float = _LONGEST_DELAY,
) -> float:
    """Seconds until the next attempt after ``attempts`` of them; ``jitter`` is in [0, 1).

    The first follows within a second, later ones within ten; what the gateway asked for with
    Retry-After is honoured up to a minute.
    """
    delay = min(longest, _FIRST_DELAY * 2.0 ** min(max(attempts - 1, 0), 16))
    delay *= 0.5 + jitter / 2
    return max(delay, min(asked, LONGEST_WAIT)) if asked is not None else delay


def stale(delivery: Delivery, now: float) -> Delivery | None:
    """The delivery as expired, if it is too late to begin it; None while it may be sent."""
    if now < delivery.expires_at:
        return None
    if delivery.unknowns:  # it may have been said: only a person can tell
        return _settled(delivery, DeliveryState.UNCERTAIN, now, delivery.error)
    if delivery.part:
        error = DeliveryError("expired", "the rest of a reply that was begun came too late")
        return _settled(delivery, DeliveryState.FAILED, now, delivery.error or error)
    error = DeliveryError("expired", "it could not be said in time; a stale reply is not said")
    return _settled(delivery, DeliveryState.EXPIRED, now, delivery.error or error)


def forbidden(delivery: Delivery, record: AssignmentRecord | None, now: float) -> Delivery | None:
    """The delivery as failed, if its call is over or another agent's by now; None where not.

    ``record`` is the assignment of its conversation to its call; None where it is not known.
    """
    if record is None:
        return None
    if record.assignment.agent_id != delivery.envelope.agent_id:
        error = DeliveryError("reassigned", "the call was given to another agent")
    elif record.ended_at is not None:
        error = DeliveryError("call_ended", "the call ended before it could be said")
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
    """The delivery as it stands after one attempt that came to ``error`` (None: delivered)."""
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
    """Whether nothing was tried: the agent had no GUID to send under."""
    return isinstance(error, SessionGoneError) and not error.retcode and not error.status


def _reached(error: GatewayError | None) -> bool:
    """Whether the gateway, or at least a connection to it, was reached."""
    return error is None or error.status != 0 or isinstance(error, UnknownOutcomeError)


def unknown(delivery: Delivery, error: GatewayError, policy: Policy, *, now: float) -> Delivery:
    """The delivery whose last attempt left, and nobody knows what became of it."""
    counted = evolve(delivery, unknowns=delivery.unknowns + 1, connected=True)
    if policy.resend and counted.unknowns <= _MOST_UNKNOWNS:
        return _waiting(counted, now, "unknown_outcome", error)
    found = DeliveryError("unknown_outcome", error.message)
    return _settled(counted, DeliveryState.UNCERTAIN, now, found)


def unsent(delivery: Delivery, now: float) -> Delivery:
    """The delivery whose worker made no attempt: it waits as it did before, and is due."""
    return evolve(delivery, state=DeliveryState.WAITING, due_at=now, lease=None, lease_until=None)


def _signed_out(delivery: Delivery, error: GatewayError, now: float) -> Delivery:
    """Wait for a GUID: a new one makes it due.

    Whoever is getting one may die over it, and a refusal may be mended: both are looked at again.
    """
    code, again = "agent_signed_out", delivery.expires_at
    if isinstance(error, SigningInError):
        code, again = "signing_in", now + _SIGN_IN_TAKES
    elif isinstance(error, SignInRefusedError):
        again = now + _REFUSED_FOR
    return _waiting(delivery, min(again, _last_moment(delivery, now)), code, error)


def _last_moment(delivery: Delivery, now: float) -> float:
    """Not to sleep past the moment in which it expires."""
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

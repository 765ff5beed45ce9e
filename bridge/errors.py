"""The error hierarchy. The class decides whether to retry; the message says how to fix it.

    BridgeError
    ├── ConfigurationError        invalid files or environment; lists every fault
    ├── AssignmentError           a handoff that cannot be made; `code` goes into the slot
    ├── RefusedError              a rejected API request; `status` and `code`
    │   └── NotYoursError         404 for an object that is another agent's
    ├── StoreError                the database cannot be reached or written
    ├── RasaError                 a failed request to Rasa's HTTP API
    └── GatewayError              a failed request to the gateway; `retcode`, `status`
        ├── RetryableError        the gateway accepted nothing: retry later
        │   └── UnreachableError  no connection was made
        ├── SessionGoneError      the GUID is not valid: retry with a new one
        │   └── SigningInError    the bridge is signing the agent in
        ├── AlreadySignedInError  100-002: the agent is signed in elsewhere
        ├── UnknownOutcomeError   the request was sent, the outcome is unknown
        └── FinalError            refused permanently
            └── SignInRefusedError  the gateway refuses to sign this agent in

How errors are shown or logged is decided elsewhere. Messages contain no GUID, password, token or
customer text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_TIMED_OUT = 408  # of HTTP's statuses


class BridgeError(Exception):
    """Base class of the bridge's errors; all can be pickled, whatever their arguments.

    Attributes:
        message: one sentence for a person, with the fix if there is one.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        # Restore the attributes: by default, unpickling would call the class with the message only.
        return _restored, (type(self), self.args, self.__dict__)


class ConfigurationError(BridgeError):
    """The configuration is invalid; ``faults`` holds a paragraph for each fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        super().__init__(f"{count} fault{'s' if count != 1 else ''} in the configuration")

    def __str__(self) -> str:
        return "\n\n".join((self.message + ":", *self.faults))


class AssignmentError(BridgeError):
    """No handoff can be made; ``code`` is the value of the slot ``handoff_error``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RefusedError(BridgeError):
    """An API request is rejected; ``status`` is the HTTP status, ``code`` is for programs."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class NotYoursError(RefusedError):
    """The object is another agent's: answered with 404 and ``message``, as if there were none."""

    def __init__(self, message: str) -> None:
        super().__init__(404, "not_found", message)


class StoreError(BridgeError):
    """The database cannot be reached or written."""


class NoDatabaseError(StoreError):
    """There is no database file: no server has used this configuration in this folder."""


class RasaError(BridgeError):
    """A request to Rasa's HTTP API failed.

    Attributes:
        status: the HTTP status, 0 without a response.
        unknown: whether the response timed out, so that Rasa may have processed the request.
        sent: whether sending the request was begun.
    """

    def __init__(
        self, message: str, *, status: int = 0, unknown: bool = False, sent: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.unknown = unknown
        self.sent = sent

    @property
    def taken(self) -> bool:
        """Whether Rasa may have acted on the request: it was sent, and Rasa did not refuse it."""
        refused = 400 <= self.status < 500 and self.status != _TIMED_OUT  # noqa: PLR2004
        return self.unknown or (self.sent and not refused)


class WebhookError(BridgeError):
    """The operator's webhook did not accept an alert."""


class GatewayError(BridgeError):
    """A request to the gateway failed.

    Attributes:
        retcode: the gateway's code, ``""`` if it gave none; truncated to 64 characters.
        status: the HTTP status, 0 without a response.
    """

    def __init__(self, message: str, *, retcode: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.retcode = retcode[:64]
        self.status = status


class RetryableError(GatewayError):
    """The gateway accepted nothing; the same request can be retried later.

    Attributes:
        retry_after: seconds that the gateway asked for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        retcode: str = "",
        status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, retcode=retcode, status=status)
        self.retry_after = retry_after


class UnreachableError(RetryableError):
    """No connection was made; nothing was sent."""


class SessionGoneError(GatewayError):
    """The GUID is not, or no longer, valid.

    Attributes:
        seen: the generation of the session that was not usable; a later one may be.
    """

    def __init__(
        self, message: str, *, retcode: str = "", status: int = 0, seen: int | None = None
    ) -> None:
        super().__init__(message, retcode=retcode, status=status)
        self.seen = seen


class SigningInError(SessionGoneError):
    """The GUID is not valid, and the bridge is signing the agent in."""


class AlreadySignedInError(GatewayError):
    """Retcode 100-002: the agent is signed in elsewhere, perhaps at a desktop."""


class UnknownOutcomeError(GatewayError):
    """The request was sent without a readable response: it may have been accepted."""


class FinalError(GatewayError):
    """Refused permanently; a retry would not help."""


class SignInRefusedError(FinalError):
    """The gateway refuses the sign-in: wrong credentials, an expired password, a locked account."""


class Lines(str):
    """Text of several lines by intention, for the log: faults in the operator's own files."""

    __slots__ = ()


def _restored(
    kind: type[BridgeError], arguments: tuple[Any, ...], attributes: dict[str, Any]
) -> BridgeError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(attributes)
    return error


def describe(error: BaseException) -> str:
    """Return what may be logged of an error: our message, or another error's class and location.

    The messages of other libraries may quote customer text.
    """
    if isinstance(error, ConfigurationError):
        return Lines(error)
    if isinstance(error, BridgeError):
        return str(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_filename}:{trace.tb_lineno} ({code.co_name})"

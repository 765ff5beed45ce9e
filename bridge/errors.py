"""The error tree. The class says whether to try again; the message says what to do about it.

    BridgeError
    ├── ConfigurationError        the files or the environment are wrong; lists every fault
    ├── AssignmentError           a handoff that cannot be made; `code` is the slot's word
    ├── RefusedError              a request of the API that cannot be; `status` and `code`
    ├── StoreError                the database cannot be reached or written
    ├── RasaError                 Rasa's HTTP API did not answer as it should
    └── GatewayError              what a call of the gateway came to; `retcode`, `status`
        ├── RetryableError        nothing was taken: again later
        │   └── UnreachableError  no connection was made
        ├── SessionGoneError      the GUID is no longer good: a new one, then again
        │   └── SigningInError    the bridge is getting a new one
        ├── AlreadySignedInError  100-002: somebody holds the agent's session
        ├── UnknownOutcomeError   the request left and nobody knows
        └── FinalError            refused for good
            └── SignInRefusedError  the gateway does not let this agent in

Nothing here knows how an error is shown or logged. Messages carry no GUID, password, token or
customer's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class BridgeError(Exception):
    """Base of all errors of the bridge; they can be pickled, whatever their arguments are.

    Attributes:
        message: one sentence for a person, with the cure where there is one.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        # By its attributes: an exception's own way would call the class with its message alone.
        return _restored, (type(self), self.args, self.__dict__)


class ConfigurationError(BridgeError):
    """The configuration has faults; ``faults`` holds every one, a paragraph each."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        super().__init__(f"{count} fault{'s' if count != 1 else ''} in the configuration")

    def __str__(self) -> str:
        return "\n\n".join((self.message + ":", *self.faults))


class AssignmentError(BridgeError):
    """No handoff can be made; ``code`` is the word of the slot ``handoff_error``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RefusedError(BridgeError):
    """A request that cannot be served; ``status`` is HTTP's, ``code`` a word for programs."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class StoreError(BridgeError):
    """The database cannot be reached or written."""


class RasaError(BridgeError):
    """Rasa's HTTP API did not answer as it should.

    Attributes:
        status: HTTP's status, 0 where no answer came.
        unknown: the request was taken and no answer came in time: it may have been done.
    """

    def __init__(self, message: str, *, status: int = 0, unknown: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.unknown = unknown


class GatewayError(BridgeError):
    """What a call of the gateway came to.

    Attributes:
        retcode: the gateway's code, ``""`` where it gave none; at most 64 characters are kept.
        status: HTTP's status, 0 where no answer came.
    """

    def __init__(self, message: str, *, retcode: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.retcode = retcode[:64]
        self.status = status


class RetryableError(GatewayError):
    """Nothing was taken by the gateway: the same again later.

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
    """No connection was made; nothing left this machine."""


class SessionGoneError(GatewayError):
    """The GUID is not, or no longer, good.

    Attributes:
        seen: the session's generation that was found wanting; a later one may do.
    """

    def __init__(
        self, message: str, *, retcode: str = "", status: int = 0, seen: int | None = None
    ) -> None:
        super().__init__(message, retcode=retcode, status=status)
        self.seen = seen


class SigningInError(SessionGoneError):
    """The GUID is not good, and the bridge is signing the agent in."""


class AlreadySignedInError(GatewayError):
    """Retcode 100-002: somebody, perhaps a person's desktop, holds the agent's session."""


class UnknownOutcomeError(GatewayError):
    """The request left and no readable answer came: it may have been taken."""


class FinalError(GatewayError):
    """Refused for good; trying again would not help."""


class SignInRefusedError(FinalError):
    """The gateway does not let this agent in: credentials, an expired password, a lock."""


def _restored(
    kind: type[BridgeError], arguments: tuple[Any, ...], attributes: dict[str, Any]
) -> BridgeError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(attributes)
    return error


def describe(error: BaseException) -> str:
    """What may be logged of an error: our own words, or the class and place of somebody else's.

    Another library's text may quote what a customer wrote.
    """
    if isinstance(error, BridgeError):
        return str(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_filename}:{trace.tb_lineno} ({code.co_name})"

"""The gateway's events, read leniently into typed values. Pure.

``EVENTS`` has a row per event type of both families: ``AgentEvent_*``, and the older
``AgentChat_*`` for text chat. Fields are found under any capitalisation, numbers may be strings,
and a content may be JSON inside a string. No content raises an exception: what cannot be used is a
``Parsed`` without an event and with a reason that can be logged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeAlias

from bridge import untrusted
from bridge.gateway import messages, wire
from bridge.gateway.messages import Attachment, Location

UNKNOWN = "unknown"  # the name of every event type that has no row

_LONGEST_NUMBER = 512  # characters of a caller or a called number
_DEEPEST = 32  # levels of JSON that are kept of a content
_NOT_SET = {"", "0", "-1", "false", "null"}
_INTERNAL = re.compile(r"[aA][0-9]{1,6}")
_TEXT_CHAT = {"1", "51", "53"}  # codes in mediaType


class Media(Enum):
    """How the customer talks with the agent."""

    TEXT = "text"
    VOICE = "voice"  # or video
    MESSAGE = "message"  # a message call
    UNKNOWN = "unknown"  # the event does not say


AgentStateName: TypeAlias = Literal["ready", "busy", "wrap_up", "rest", "talking"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The platform confirms the sign-in."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The platform signed the agent out."""


@dataclass(frozen=True, slots=True)
class AgentState:
    """The agent's state, as the platform has it now."""

    state: AgentStateName


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call is on its way to the agent."""

    call_id: str
    caller: str
    called: str
    media: Media
    skill_id: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call rings at the agent.

    ``transferred_from`` is the agent or number that transferred it, as the gateway names it.
    ``internal`` calls come from another agent.
    """

    call_id: str
    caller: str
    called: str
    media: Media
    internal: bool = False
    transferred_from: str | None = None


@dataclass(frozen=True, slots=True)
class Talking:
    """A call was answered."""

    call_id: str
    caller: str
    called: str
    media: Media
    internal: bool = False


@dataclass(frozen=True, slots=True)
class CustomerWrote:
    """A customer wrote, or sent a file or a location; ``text`` is what there is in words.

    ``at`` is when the gateway made the event, in seconds since the epoch, if it says so.
    """

    call_id: str
    caller: str
    text: str
    attachment: Attachment | Location | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class CustomerLeft:
    """The customer left the call."""

    call_id: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call ended for this agent."""

    call_id: str


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """A transfer failed: the call stays with the agent."""

    call_id: str


@dataclass(frozen=True, slots=True)
class NoConsequence:
    """An event type that is known and changes nothing."""


AgentEvent: TypeAlias = (
    SignedIn
    | SessionEnded
    | AgentState
    | Incoming
    | Ringing
    | Talking
    | CustomerWrote
    | CustomerLeft
    | CallEnded
    | TransferFailed
    | NoConsequence
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read of an event.

    Args:
        name: the event type, or ``UNKNOWN``: a bounded set, for a metric's label.
        event: the event; None if its type is unknown or its content cannot be used.
        fault: why the content of a known type cannot be used.
        at: when the gateway made the event, in seconds since the epoch, if it says so.
    """

    name: str
    event: AgentEvent | None
    fault: str | None = None
    at: float | None = None


class _UnusableError(Exception):
    """A known event lacks what it is needed for; the argument is the reason."""


class _Fields:
    """An event's content, with lenient access to its fields."""

    def __init__(self, content: Any, at: float | None) -> None:
        self.at = at
        content = _unwrapped(content)
        self._bare = content
        self._fields: dict[str, Any] = {}
        if isinstance(content, dict):
            for key, value in content.items():
                self._fields.setdefault(str(key).casefold(), value)

    def get(self, *names: str) -> Any:
        """Return the value of the first name that is present."""
        return next((self._fields[name] for name in names if name in self._fields), None)

    def text(self, *names: str) -> str:
        """Return a string or an integer as text, "" for anything else."""
        return _scalar(self.get(*names))[:_LONGEST_NUMBER]

    def call_id(self) -> str:
        """Return the call ID, which may also be the whole content; raise if there is none."""
        bare = "" if self._fields else _scalar(self._bare)
        call_id = (self.text("callid") or bare).strip()
        if not wire.is_call_id(call_id):
            raise _UnusableError("it names no valid call ID")
        return call_id

    def media(self) -> Media:
        """Return the medium of a call."""
        ability, kind = self.text("mediaability"), self.text("mediatype")
        if ability == "5" or kind in _TEXT_CHAT:
            return Media.TEXT
        if kind == "17":
            return Media.MESSAGE
        return Media.VOICE if kind == "5" or ability in ("1", "2") else Media.UNKNOWN

    def internal(self) -> bool:
        """Return whether the caller is an agent.

        Only digits may follow the letter A, because a customer's ID may begin with an A too.
        """
        inner = _scalar(self.get("isinnercall")).casefold()
        return inner in ("true", "1") or _INTERNAL.fullmatch(self.text("caller")) is not None

    def transferred_from(self) -> str | None:
        """Return who transferred the call; the gateway spells it ``transfrom``."""
        values = (self.text(name) for name in ("transfrom", "transferfrom", "transfer"))
        return next((each for each in values if each.casefold() not in _NOT_SET), None)


_Reader: TypeAlias = Callable[[_Fields], AgentEvent]


def _incoming(fields: _Fields) -> AgentEvent:
    return Incoming(
        fields.call_id(),
        fields.text("caller"),
        fields.text("called"),
        fields.media(),
        fields.text("skillid"),
    )


def _ringing(fields: _Fields, media: Media | None = None) -> AgentEvent:
    return Ringing(
        fields.call_id(),
        fields.text("caller"),
        fields.text("called"),
        media or fields.media(),
        internal=fields.internal(),
        transferred_from=fields.transferred_from(),
    )


def _talking(fields: _Fields, media: Media | None = None) -> AgentEvent:
    return Talking(
        fields.call_id(),
        fields.text("caller"),
        fields.text("called"),
        media or fields.media(),
        internal=fields.internal(),
    )


def _wrote(fields: _Fields) -> AgentEvent:
    call_id = fields.call_id()
    message = messages.read(fields.get("message", "chatcontent"))
    if message is None:
        raise _UnusableError("it has no message")
    caller = fields.text("caller", "sender")
    return CustomerWrote(call_id, caller, message.text, message.attachment, fields.at)


def _state(name: AgentStateName) -> _Reader:
    return lambda _: AgentState(name)


def _nothing(_: _Fields) -> AgentEvent:
    return NoConsequence()


EVENTS: Mapping[str, _Reader] = {
    # the session
    "AgentOther_InService": lambda _: SignedIn(),
    "AgentOther_ShutdownService": lambda _: SessionEnded(),
    # the agent's state
    "AgentState_Ready": _state("ready"),
    "AgentState_Force_Ready": _state("ready"),
    "AgentState_CancelNotReady_Success": _state("ready"),
    "AgentState_CancelWork_Success": _state("ready"),
    "AgentState_CancelRest_Success": _state("ready"),
    "AgentState_SetNotReady_Success": _state("busy"),
    "AgentState_Force_SetNotReady": _state("busy"),
    "AgentState_Busy": _state("talking"),  # busy with a call
    "AgentState_SetWork_Success": _state("wrap_up"),
    "AgentState_Work": _state("wrap_up"),
    "AgentState_SetRest_Success": _state("rest"),
    # calls
    "AgentEvent_Incoming_CallInfo": _incoming,
    "AgentEvent_Ringing": _ringing,
    "AgentEvent_Talking": _talking,
    "AgentEvent_MessageData": _wrote,
    "AgentEvent_Customer_Release": lambda fields: CustomerLeft(fields.call_id()),
    "AgentEvent_Call_Release": lambda fields: CallEnded(fields.call_id()),
    "AgentEvent_Auto_Answer": _nothing,
    "AgentEvent_Conference": _nothing,
    "AgentEvent_Hold": _nothing,
    "AgentEvent_Customer_Alerting": _nothing,
    "AgentOther_PhoneAlerting": _nothing,
    "AgentOther_All_Agent_Busy": _nothing,
    # calls, the older family
    "AgentChat_Ring": lambda fields: _ringing(fields, Media.TEXT),
    "AgentChat_Connected": lambda fields: _talking(fields, Media.TEXT),
    "AgentChat_DataRecved": _wrote,
    "AgentChat_Disconnected": lambda fields: CallEnded(fields.call_id()),
    "AgentChat_TransferFailed": lambda fields: TransferFailed(fields.call_id()),
    "AgentChat_DELAY_EMAIL": _nothing,
}
_NAMES = {name.casefold(): name for name in EVENTS}


def read(event_type: str, content: Any, generated_at: Any = None) -> Parsed:
    """Read an event.

    Args:
        event_type: its ``eventType``.
        content: its ``content``, as parsed from JSON.
        generated_at: its ``eventGenTime``, in milliseconds since the epoch, if it has one.
    """
    at = milliseconds(generated_at)
    name = _NAMES.get(event_type.strip().casefold())
    if name is None:
        return Parsed(UNKNOWN, None, at=at)
    try:
        return Parsed(name, EVENTS[name](_Fields(content, at)), at=at)
    except _UnusableError as error:
        return Parsed(name, None, str(error), at)


def call_of(content: Any) -> str | None:
    """Return the call that an event's content names, whatever its type; None if it names none."""
    try:
        return _Fields(content, None).call_id()
    except _UnusableError:
        return None


def milliseconds(value: Any) -> float | None:
    """Return a time in seconds, of milliseconds as a number or as text; None if it is no time."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 15:  # noqa: PLR2004 - beyond any date
        value = int(value)
    number = untrusted.number(value)
    return None if number is None else untrusted.moment(number / 1000)


def _unwrapped(content: Any) -> Any:
    """Return a content with storable strings, and parse JSON that came inside a string."""
    if isinstance(content, str) and content.lstrip()[:1] == "{":
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return untrusted.text(content)
    return untrusted.cleaned(content, deepest=_DEEPEST)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 2**63 else ""
    return value if isinstance(value, str) else ""

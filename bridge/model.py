"""The domain model as frozen values: IDs, enums and records.

This module imports no other module of the project and does no JSON, SQL or HTTP; logic that needs
a clock or a setting does not belong here. Times are seconds since the epoch (``float``, UTC)
everywhere inside the bridge; only the edge writes ISO 8601.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, NewType, TypeVar

T = TypeVar("T")

SenderId = NewType("SenderId", str)  # Rasa's ID of a conversation
AgentId = NewType("AgentId", str)  # a person or account of the contact centre, "101" to "59999"
CallId = NewType("CallId", str)  # the gateway's contact with a customer, "1552524689-16797284"
MessageCode = NewType("MessageCode", str)  # unique code of one gateway message, a UUID
Guid = NewType("Guid", str)  # identifies a signed-in agent to the gateway; a secret


class ReceivedEvent(NamedTuple):
    """A gateway event as it was received: its type, the JSON of its content, ``eventGenTime``."""

    event_type: str
    content: Any
    generated_at: Any = None


# A bot message in Rasa's format: text, buttons, image, custom, attachment, elements...
Reply = Mapping[str, Any]


class Channel(str, Enum):
    """The gateway's channels (API reference: sendmessage, ``channel``)."""

    WEB = "WEB"
    WECHAT = "WECHAT"
    TWITTER = "TWITTER"
    FACEBOOK = "FACEBOOK"
    FIVE_G = "5G"
    EMAIL = "EMAIL"
    VOICE = "VOICE"
    LINE = "LINE"
    WHATSAPP = "WHATSAPP"
    SMS = "SMS"
    INSTAGRAM = "INSTAGRAM"
    TELEGRAM = "TELEGRAM"


class MediaType(str, Enum):
    """The gateway's media types (API reference: sendmessage, ``mediaType``)."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    LOCATE = "LOCATE"  # a location, everywhere but Telegram
    EMOTICONS = "EMOTICONS"  # an animated gif
    CARD = "CARD"
    MULTICARD = "MULTICARD"  # a carousel
    EMAIL = "EMAIL"
    WHATSAPPTEMPLATE = "WHATSAPPTEMPLATE"
    RICHTEXT = "RICHTEXT"
    WEBCARD = "WEBCARD"
    SMSTEMPLATE = "SMSTEMPLATE"
    LOCATION = "LOCATION"  # Telegram's location
    DOCUMENT = "DOCUMENT"
    COBROWSESITE = "COBROWSESITE"  # a co-browsing URL


class Owner(str, Enum):
    """Who answers the customer now."""

    BOT = "bot"
    AGENT = "agent"


class DeliveryState(str, Enum):
    """The state of a delivery; the diagram is in docs/delivery.md."""

    WAITING = "waiting"  # queued: behind another, not due, or without a session
    SENDING = "sending"  # claimed under a lease
    DELIVERED = "delivered"  # the gateway returned retcode 0
    FAILED = "failed"  # refused permanently by the gateway or the bridge
    UNCERTAIN = "uncertain"  # it may have arrived; a person decides
    EXPIRED = "expired"  # not sent before its expiry

    @property
    def settled(self) -> bool:
        """Whether the state is final, unless a person retries the delivery."""
        return self not in (DeliveryState.WAITING, DeliveryState.SENDING)


class Origin(str, Enum):
    """Who wrote the content of a delivery."""

    HANDOFF = "handoff"  # the designer's handoff message
    SUGGESTION = "suggestion"  # the bot's, approved or edited by the agent
    AUTO = "auto"  # the bot's, sent without approval
    AGENT = "agent"  # written by the agent
    BOT = "bot"  # the bot's, while it owns the conversation


class SuggestionState(str, Enum):
    """The state of a suggestion; all but offered are settled."""

    OFFERED = "offered"  # waits for the agent's decision
    ACCEPTED = "accepted"  # sent unchanged
    EDITED = "edited"  # sent with the agent's text
    COPIED = "copied"  # taken by the agent into another tool; the bridge sends nothing
    REJECTED = "rejected"  # declined by the agent
    SUPERSEDED = "superseded"  # by a new customer message, or another candidate was sent
    EXPIRED = "expired"  # too old, or the call ended or was reassigned


class Mode(str, Enum):
    """The assist mode: offer suggestions, also send without approval, or do nothing."""

    SUGGEST = "suggest"
    AUTO = "auto"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A conversation's agent, call, user, channel and channel configuration."""

    sender_id: SenderId
    agent_id: AgentId
    call_id: CallId
    user_id: str
    channel: Channel = Channel.WEB
    channel_config_id: str | None = None
    agent_nickname: str | None = None
    agent_avatar: str | None = None


@dataclass(frozen=True, slots=True)
class CallInfo:
    """What a look-up says of a call; what it does not say is empty or None.

    Attributes:
        user_id: the customer's.
        nickname: the customer's.
        media: text, voice, message or unknown.
    """

    user_id: str = ""
    nickname: str = ""
    channel: Channel | None = None
    channel_config_id: str | None = None
    media: str = "unknown"


@dataclass(frozen=True, slots=True)
class Draft:
    """One unsent gateway message translated from a reply."""

    media_type: MediaType
    content: str
    media_file_type: str | None = None
    content_type: str | None = None  # "1": an object-storage key; "0" or None: a library file


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields of a message besides its content; fixed when the delivery is stored."""

    agent_id: AgentId
    call_id: CallId
    user_id: str
    channel: Channel
    channel_config_id: str  # `from`; empty in a private deployment, which has no such field
    nickname: str
    avatar: str


@dataclass(frozen=True, slots=True)
class DeliveryError:
    """Why a delivery is not delivered: a code and a sentence, without customer text."""

    code: str
    message: str


@dataclass(frozen=True)  # without slots: ``evolve`` copies its dictionary
class Delivery:
    """A draft in the outbox."""

    seq: int  # numbered in the order of storing; also the ID
    message_code: MessageCode
    sender_id: SenderId
    envelope: Envelope
    draft: Draft
    origin: Origin
    reply_key: str  # shared by the parts of one reply
    part: int  # 0 for a reply's first part
    state: DeliveryState
    created_at: float
    expires_at: float
    due_at: float
    attempts: int = 0
    unknowns: int = 0  # attempts with an unknown outcome
    connected: bool = False  # whether an attempt reached the gateway
    lease: str | None = None  # a result under another lease is ignored
    lease_until: float | None = None
    error: DeliveryError | None = None
    settled_at: float | None = None
    turn_key: str | None = None  # the action call that stored it
    suggestion_id: str | None = None  # the suggestion that it was sent from
    command_key: str | None = None  # key of the last command that retried or discarded it
    approved_by: str | None = None  # who approved it, if anybody
    erased_at: float | None = None  # when its content was erased after the retention time

    @property
    def id(self) -> str:
        """The delivery's ID in the API."""
        return str(self.seq)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation: who said what, when."""

    who: str  # customer, bot or agent
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Because:
    """A condition that held, for tools that say the reason for a handoff in another language."""

    code: str
    values: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """The handoff card: for the page and the API only, never through sendmessage."""

    reason: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[Line, ...] = ()
    because: tuple[Because, ...] = ()  # the reason in parts; all of them held


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of a suggestion."""

    kind: str  # assist: the bot's; external; an origin: a delivery withdrawn on a reassignment
    intent: str | None = None
    confidence: float | None = None
    margin: float | None = None  # ahead of the runner-up
    runner_up: str | None = None  # the next intent, or the next response of a selector
    response: str | None = None  # utter_x
    names: tuple[str, ...] = ()  # the systems that suggested it, by the names of their tokens


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Drafts that wait for an agent's decision."""

    id: str
    group: str  # shared by the candidates of one action call, of which at most one is sent
    sender_id: SenderId
    agent_id: AgentId
    call_id: CallId
    state: SuggestionState
    created_at: float
    expires_at: float
    source: Source
    text: str  # plain text, for reading and editing
    drafts: tuple[Draft, ...]
    kept: tuple[Draft, ...] = ()  # the drafts that are kept when the agent edits the text
    message_id: str | None = None  # ID of the customer's message that it answers
    question: str | None = None  # what the customer wrote in it
    edited_text: str | None = None
    reason: str | None = None  # why it was rejected
    displayed_at: float | None = None
    settled_at: float | None = None
    settled_by: str | None = None  # an agent's ID, or system
    command_key: str | None = None  # key of the command that settled it
    erased_at: float | None = None  # when its content was erased after the retention time
    asked_at: float | None = None  # when the customer wrote what it answers
    edit_distance: float | None = None  # 0 (sent as it was) to 1 (nothing of it was sent)
    configuration: str | None = None  # version of the designer's configuration

    @property
    def answers(self) -> bool:
        """Whether the customer's question was answered with it."""
        return self.state in ANSWERS


ANSWERS = (SuggestionState.ACCEPTED, SuggestionState.EDITED, SuggestionState.COPIED)
_NAMESPACE = uuid.UUID("6f1c7b3e-5a0d-5d0b-9a53-0c1f5e8f4d11").bytes


def derive(*parts: object) -> str:
    """Return a UUID 5 of ``parts``: the same parts give the same code in every process.

    Parts are length-prefixed, so ``("ab", "c")`` and ``("a", "bc")`` differ.
    """
    name = "".join([f"{len(text)}:{text}" for text in map(str, parts)])
    # As uuid.uuid5, without creating a UUID object, because this runs three times per message.
    named = _NAMESPACE + name.encode("utf-8", "surrogatepass")
    digest = bytearray(hashlib.sha1(named).digest()[:16])  # noqa: S324 - RFC 9562 says so
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    code = digest.hex()
    return f"{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:]}"


def evolve(value: T, **changes: Any) -> T:
    """Return a copy of a frozen value with some fields changed, as ``dataclasses.replace`` does.

    Several times faster, because each message is copied about five times; only for values without
    slots whose ``__init__`` computes nothing.
    """
    copy: T = object.__new__(type(value))
    copy.__dict__.update(value.__dict__)
    copy.__dict__.update(changes)
    return copy

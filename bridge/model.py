"""The words of the product as frozen values: ids, enums and records.

Nothing of ours stands below this module. It knows no JSON, no SQL and no HTTP; a rule that needs
a clock or a setting does not belong here. Times are seconds since the epoch (``float``, UTC)
everywhere inside; only the edge writes ISO 8601.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NewType, TypeVar

T = TypeVar("T")

SenderId = NewType("SenderId", str)  # Rasa's name of a conversation
AgentId = NewType("AgentId", str)  # a person or account of the contact centre, "101" to "59999"
CallId = NewType("CallId", str)  # the gateway's contact with a customer, "1552524689-16797284"
MessageCode = NewType("MessageCode", str)  # unique code of one gateway message, a UUID
Guid = NewType("Guid", str)  # what the gateway knows a signed-in agent by; a secret

# What Rasa says, in Rasa's shape: text, buttons, image, custom, attachment, elements...
Reply = Mapping[str, Any]


class Channel(str, Enum):
    """The gateway's channels (facts: sendmessage, ``channel``)."""

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
    """The gateway's media types (facts: sendmessage, ``mediaType``)."""

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
    """Where a delivery stands; the diagram is in the README."""

    WAITING = "waiting"  # stored; its turn, its time or its agent's session has not come
    SENDING = "sending"  # claimed by one worker under a lease
    DELIVERED = "delivered"  # the gateway said retcode 0
    FAILED = "failed"  # the gateway or the bridge refused it for good
    UNCERTAIN = "uncertain"  # it may have arrived; a person decides
    EXPIRED = "expired"  # too old to say before it could be said

    @property
    def settled(self) -> bool:
        """Whether only a person's retry moves it again."""
        return self not in (DeliveryState.WAITING, DeliveryState.SENDING)


class Origin(str, Enum):
    """Who wrote what a delivery carries."""

    HANDOFF = "handoff"  # the designer's words at a handoff
    SUGGESTION = "suggestion"  # the bot's, approved or edited by the agent
    AUTO = "auto"  # the bot's, sent by itself
    AGENT = "agent"  # the agent's own words
    BOT = "bot"  # the bot's, while it owns the call


class SuggestionState(str, Enum):
    """Where a suggestion stands; all but offered are settled."""

    OFFERED = "offered"  # waits for the agent's word
    ACCEPTED = "accepted"  # sent as it was
    EDITED = "edited"  # sent in the agent's words
    REJECTED = "rejected"  # the agent did not want it
    SUPERSEDED = "superseded"  # the customer wrote again, or another candidate was taken
    EXPIRED = "expired"  # too old, or the call ended or went to somebody else


class Mode(str, Enum):
    """How far assist goes by itself."""

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
class Draft:
    """One gateway message made of a reply, unsent."""

    media_type: MediaType
    content: str
    media_file_type: str | None = None
    content_type: str | None = None  # "1": an object-storage key; "0" or None: a library file


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message needs besides its content; fixed when the delivery is stored."""

    agent_id: AgentId
    call_id: CallId
    user_id: str
    channel: Channel
    channel_config_id: str  # `from`; empty in a private deployment, which has no such field
    nickname: str
    avatar: str


@dataclass(frozen=True, slots=True)
class DeliveryError:
    """Why a delivery is not delivered: a short code and a sentence, no customer's words."""

    code: str
    message: str


@dataclass(frozen=True)  # without slots: ``evolve`` copies its dictionary
class Delivery:
    """A draft on its way."""

    seq: int  # the order of storing, and the id
    message_code: MessageCode
    sender_id: SenderId
    envelope: Envelope
    draft: Draft
    origin: Origin
    reply_key: str  # the parts of one reply share it
    part: int  # 0 for a reply's first part
    state: DeliveryState
    created_at: float
    expires_at: float
    due_at: float
    attempts: int = 0
    unknowns: int = 0  # attempts whose outcome nobody knows
    connected: bool = False  # some attempt reached the gateway
    lease: str | None = None  # fences the settling
    lease_until: float | None = None
    error: DeliveryError | None = None
    settled_at: float | None = None
    turn_key: str | None = None  # the action call that stored it
    suggestion_id: str | None = None  # the suggestion that it was made of
    command_key: str | None = None  # the command that last decided about it
    approved_by: str | None = None  # who gave the word for it, where somebody did
    erased_at: float | None = None  # its words were erased: too old

    @property
    def id(self) -> str:
        """The delivery's name at the edge."""
        return str(self.seq)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation: who said what, when."""

    who: str  # customer, bot or agent
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Card:
    """The handoff card: for the page and the API only, never through sendmessage."""

    reason: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a suggestion came from."""

    kind: str  # assist: the bot's; handoff, agent and so on: words withdrawn on a reassignment
    intent: str | None = None
    confidence: float | None = None
    margin: float | None = None  # over the runner-up
    response: str | None = None  # utter_x


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Drafts that wait for an agent's word."""

    id: str
    group: str  # candidates of one action call share it; one of them at most is taken
    sender_id: SenderId
    agent_id: AgentId
    call_id: CallId
    state: SuggestionState
    created_at: float
    expires_at: float
    source: Source
    text: str  # plain, for reading and editing
    drafts: tuple[Draft, ...]
    kept: tuple[Draft, ...] = ()  # of these, what stays when the agent writes other words
    message_id: str | None = None  # of the customer's message that it answers
    edited_text: str | None = None
    reason: str | None = None  # why it was rejected
    displayed_at: float | None = None
    settled_at: float | None = None
    settled_by: str | None = None  # who decided: an agent's ID, or system
    command_key: str | None = None  # the command that decided
    erased_at: float | None = None  # its words were erased: too old


_NAMESPACE = uuid.UUID("6f1c7b3e-5a0d-5d0b-9a53-0c1f5e8f4d11").bytes


def derive(*parts: object) -> str:
    """A UUID 5 of ``parts``: the same parts give the same code in every process.

    Parts are length-prefixed, so ``("ab", "c")`` and ``("a", "bc")`` differ.
    """
    name = "".join([f"{len(text)}:{text}" for text in map(str, parts)])
    # As uuid.uuid5 has it, without the object in between: three of these are made for a message.
    named = _NAMESPACE + name.encode("utf-8", "surrogatepass")
    digest = bytearray(hashlib.sha1(named).digest()[:16])  # noqa: S324 - RFC 9562 says so
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    code = digest.hex()
    return f"{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:]}"


def evolve(value: T, **changes: Any) -> T:
    """A copy of a frozen value with some fields changed, as ``dataclasses.replace`` makes it.

    For values without slots whose ``__init__`` computes nothing, and several times as quick: each
    message is copied some five times on its way.
    """
    made: T = object.__new__(type(value))
    made.__dict__.update(value.__dict__)
    made.__dict__.update(changes)
    return made

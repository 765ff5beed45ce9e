"""Request bodies of the API as pydantic models: they parse the requests, and describe them.

What a model accepts is what ``openapi.json`` says. A field's description also completes the error
message about it: "client_id is 1 to 128 printable characters".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import Self

from bridge import access_tokens, assignment_tokens, untrusted
from bridge.gateway import wire
from bridge.model import Mode, Owner

LONGEST_TEXT = 32 * 1024  # characters of one field: translating more would delay other requests
AGENT_ID = "agent-id"  # the format of agent IDs, whose highest is in the configuration
_NUMBER = {"type": "integer", "minimum": 0, "maximum": untrusted.HIGHEST_ID}
_SKILL = r"^[0-9]{1,18}$"


class _Pattern:
    """A pattern that the description names, and that is checked elsewhere, with its own code."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self._pattern}


class _OrNumber:
    """An ID that a system may also write as a number."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), _NUMBER]}


def _as_text(value: object) -> object:
    return untrusted.identifier(value) or value


def _as_whole(value: object) -> object:
    """Return 5 for 5.0, which JSON does not tell apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# The server refuses NUL in every field, see ``api/parameters.py``.
Text = Annotated[str, _Pattern(untrusted.WITHOUT_NUL)]
Words = Annotated[str, _Pattern(r"^[^\x00]*[^\x00\s][^\x00]*$")]  # more than white space
Printable = Annotated[str, StringConstraints(pattern=untrusted.PRINTABLE)]
AgentId = Annotated[
    str, BeforeValidator(_as_text), WithJsonSchema({"type": "string", "format": AGENT_ID})
]
CallId = Annotated[
    str, StringConstraints(pattern=wire.CALL_ID), BeforeValidator(_as_text), _OrNumber()
]

UserId = Annotated[
    Printable,
    StringConstraints(min_length=1, max_length=assignment_tokens.LONGEST_ID),
    BeforeValidator(_as_text),
    _OrNumber(),
]
ConfigId = Annotated[
    Printable,
    StringConstraints(min_length=1, max_length=128),
    BeforeValidator(_as_text),
    _OrNumber(),
]
SkillName = Annotated[str, StringConstraints(pattern=_SKILL)]
Chats = Annotated[int, Field(ge=1, le=60), BeforeValidator(_as_whole)]
Lifetime = Annotated[int, Field(ge=1, le=access_tokens.LONGEST), BeforeValidator(_as_whole)]
SkillNumber = Annotated[int, Field(ge=0, lt=10**18), BeforeValidator(_as_whole)]


def _printable(longest: int) -> str:
    return f"1 to {longest} printable characters"


class RequestBody(BaseModel):
    """A JSON object without further fields.

    Attributes:
        optional: whether the body may be missing; it is an empty object then.
        one_of: names of fields of which a request has exactly one.
        code: the code of an error about a field.
        codes: other codes, by the name of the field; ``""`` is the object itself.
        bounded: names of fields for which the code ``too_long`` says that they are too long.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    optional: ClassVar[bool] = False
    one_of: ClassVar[tuple[str, ...]] = ()
    code: ClassVar[str] = "invalid_field"
    codes: ClassVar[Mapping[str, str]] = {}
    bounded: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        given = [name for name in self.one_of if getattr(self, name) is not None]
        if self.one_of and len(given) != 1:
            msg = f"give either {' or '.join(self.one_of)}"
            raise ValueError(msg)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler.resolve_ref_schema(handler(schema))
        if cls.one_of:
            not_null = {"not": {"type": "null"}}
            described["oneOf"] = [
                {"required": [name], "properties": {name: not_null}} for name in cls.one_of
            ]
        return described


class NoFields(RequestBody):
    """An empty object; the body may also be missing."""

    optional = True


class AssignmentRequest(RequestBody):
    """An assignment of a conversation to an agent's call."""

    code = "invalid_assignment"

    agent_id: AgentId = Field(description="the ID of an agent")
    call_id: CallId = Field(description="1 to 64 characters of A-Z, a-z, 0-9, _ and -")
    user_id: UserId = Field(
        description="the customer's number at the gateway, "
        + _printable(assignment_tokens.LONGEST_ID),
    )
    channel: Text | None = Field(
        default=None, description="the name of a channel; an unknown one is replaced by WEB"
    )
    channel_config_id: ConfigId | None = Field(default=None, description=_printable(128))
    agent_nickname: Printable | None = Field(
        default=None, min_length=1, max_length=256, description=_printable(256)
    )
    agent_avatar: Printable | None = Field(
        default=None, min_length=1, max_length=512, description=_printable(512)
    )
    owner: Annotated[Owner, Field(strict=False)] | None = Field(
        default=None, description="bot or agent"
    )
    sender_id: Text | None = Field(default=None, description="ignored: the address names it")
    take: bool | None = Field(default=None, description="true or false")


class GuidRequest(RequestBody):
    """An agent's current GUID."""

    code = "invalid_guid"

    guid: str = Field(
        pattern=wire.GUID, description="1 to 128 characters of A-Z, a-z, 0-9, ., _ and -"
    )


class StateRequest(RequestBody):
    """The state that an agent is to have."""

    state: Literal["ready", "busy", "wrap_up"]


class ChatsRequest(RequestBody):
    """How many chats a reader is to have at a time."""

    chats: Chats


class ReplyRequest(RequestBody):
    """An agent's own text."""

    bounded = ("text",)

    text: Words = Field(max_length=LONGEST_TEXT)
    client_id: Printable = Field(min_length=1, max_length=128, description=_printable(128))


class AcceptRequest(RequestBody):
    """The agent's edited text, if it was edited."""

    optional = True
    bounded = ("text",)

    text: Words | None = Field(default=None, max_length=LONGEST_TEXT)


class RejectRequest(RequestBody):
    """Why a suggestion is rejected."""

    optional = True
    bounded = ("reason",)

    reason: Text | None = Field(default=None, max_length=500)


class RetryRequest(RequestBody):
    """Whether to send a message again that the customer should not get any more."""

    optional = True

    again: bool = Field(default=False, description="true or false")


class ModeRequest(RequestBody):
    """A ceiling over the configured mode; null removes it."""

    code = "invalid_mode"

    mode: Annotated[Mode, Field(strict=False)] | None = Field(
        description="suggest, auto or off; null removes the ceiling"
    )


class TokenRequest(RequestBody):
    """Whom a token is for, and for how many seconds."""

    one_of = ("agent_id", "supervisor")
    codes: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("", "agent_id", "supervisor"), "invalid_subject"),
        "ttl": "invalid_ttl",
    }

    agent_id: AgentId | None = Field(default=None, description="the ID of an agent")
    supervisor: Printable | None = Field(
        default=None,
        min_length=1,
        max_length=access_tokens.LONGEST_NAME,
        description=_printable(access_tokens.LONGEST_NAME),
    )
    ttl: Lifetime | None = Field(
        default=None,
        description=f"a whole number of seconds from 1 to {access_tokens.LONGEST}",
    )


class TransferBody(RequestBody):
    """Where a call is transferred to: an agent or a skill."""

    one_of = ("agent_id", "skill")

    agent_id: str | None = Field(default=None, pattern=r"^[0-9]{3,6}$")
    skill: SkillName | SkillNumber | None = None


class OfferedButton(RequestBody):
    """A button of an offered reply."""

    title: Text = Field(min_length=1, max_length=200)
    payload: Text | None = Field(default=None, max_length=1000)


class OfferedReply(RequestBody):
    """Text, buttons, and a picture of the multimedia library."""

    text: Text = Field(min_length=1, max_length=4000)
    buttons: list[OfferedButton] = Field(default_factory=list, max_length=10)
    image: Text | None = Field(default=None, max_length=1000)


class OfferBody(RequestBody):
    """A candidate of another system, for a customer's message."""

    one_of = ("text", "reply")

    call_id: Text = Field(min_length=1, max_length=64)
    answers: Text = Field(min_length=1, max_length=512, description="the ID of the message")
    external_id: Text = Field(min_length=1, max_length=128)
    text: Text | None = Field(default=None, min_length=1, max_length=4000)
    reply: OfferedReply | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)


class ForwardedBody(RequestBody):
    """What was written on a call elsewhere."""

    from_: Literal["customer", "agent"] = Field(alias="from")
    text: Text = Field(min_length=1, max_length=LONGEST_TEXT)
    message_id: Text = Field(min_length=1, max_length=128)


class HiddenBody(RequestBody):
    """Whether suggestions are hidden on a call."""

    hidden: bool


class EventsBody(BaseModel):
    """A batch of an agent's events, oldest first; further fields are ignored."""

    workNo: AgentId  # noqa: N815 - the name on the wire
    eventList: list[dict[str, Any]]  # noqa: N815

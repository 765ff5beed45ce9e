"""Read and verify the assignment in a customer's message. Pure.

A customer controls the metadata, the slots and even the sender of a public Rasa channel, and must
not be able to send into another customer's call. So an assignment in a message is accepted only
with our signature, unless the operator marks the channel as trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge import untrusted
from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError
from bridge.gateway import wire
from bridge.model import AgentId, Assignment, CallId, Channel, SenderId
from bridge.signing import sign, verify
from bridge.state.commands import BroughtAssignment

AUDIENCE = "assignment"
LONGEST = 3600  # seconds; the longest time from iat to exp
_LEEWAY = 30  # seconds that another machine's clock may be ahead
LONGEST_ID = 512  # characters of a user ID, a sender ID
_SPELLINGS = {
    "agent_id": ("agent_id", "agentid"),
    "call_id": ("call_id", "callid"),
    "user_id": ("user_id", "userid"),
    "channel": ("channel",),
    "channel_config_id": ("channel_config_id", "from"),
    "agent_nickname": ("agent_nickname",),
    "agent_avatar": ("agent_avatar",),
    "take": ("take",),
}


def assignment_of(
    fields: Mapping[str, Any],
    sender_id: str,
    settings: BridgeSettings,
    *,
    channel: Channel = Channel.WEB,
) -> tuple[Assignment, str | None]:
    """Check the fields of an assignment; return it and a warning about a corrected field, or None.

    Args:
        fields: the fields as written.
        sender_id: the conversation.
        settings: the contents of bridge.yml.
        channel: the channel to use if the fields name none.

    Raises:
        AssignmentError: ``invalid_assignment``; the message names the field.
    """
    agent_id = untrusted.identifier(fields.get("agent_id"))
    highest = settings.gateway.max_agent_id
    if not wire.is_agent_id(agent_id, highest=highest):
        _refuse(f"agent_id is a number from {wire.FIRST_AGENT} to {highest}")
    call_id = untrusted.identifier(fields.get("call_id"))
    if not wire.is_call_id(call_id):
        _refuse("call_id has 1 to 64 characters of A-Z, a-z, 0-9, _ and -")
    user_id = _text(fields, "user_id", LONGEST_ID)
    if not user_id:
        _refuse("user_id is the customer's number at the gateway, a text that is not empty")
    if not sender_id or len(sender_id) > LONGEST_ID:
        _refuse(f"sender_id is Rasa's name of the conversation, 1 to {LONGEST_ID} characters")
    named, warning = _channel(fields.get("channel"))
    assignment = Assignment(
        sender_id=SenderId(sender_id),
        agent_id=AgentId(agent_id),
        call_id=CallId(call_id),
        user_id=user_id or "",
        channel=named or channel,
        channel_config_id=_text(fields, "channel_config_id", 128),
        agent_nickname=_text(fields, "agent_nickname", 256),
        agent_avatar=_text(fields, "agent_avatar", LONGEST_ID),
    )
    return assignment, warning


def require_config_id(assignment: Assignment, settings: BridgeSettings) -> None:
    """Check that the messages of an assignment will have a Configuration ID.

    Raises:
        AssignmentError: ``invalid_assignment``.
    """
    if settings.config_id(assignment.channel, assignment.channel_config_id) is None:
        _refuse(
            f"channel {assignment.channel.value} has no Configuration ID: name it in"
            " channel_config_id, or add the channel to channel_config_ids in bridge.yml"
        )


def takes(fields: Mapping[str, Any]) -> bool:
    """Return whether the assignment may take its call from another open conversation.

    Raises:
        AssignmentError: ``invalid_assignment``; ``take`` is not a boolean.
    """
    take = fields.get("take")
    if not isinstance(take, bool | None):
        _refuse("take is true or false")
    return take is True


def brought(
    fields: Mapping[str, Any],
    sender_id: str,
    settings: BridgeSettings,
    *,
    channel: Channel,
    given_at: float,
    source: str,
) -> BroughtAssignment:
    """Return the assignment that a message carries, with all of its fields checked.

    Raises:
        AssignmentError: ``invalid_assignment``; the message names the field.
    """
    assignment, warning = assignment_of(fields, sender_id, settings, channel=channel)
    require_config_id(assignment, settings)
    return BroughtAssignment(assignment, given_at, source, warning, take=takes(fields))


def from_token(
    token: str,
    sender_id: str,
    settings: BridgeSettings,
    *,
    now: float,
    channel: Channel = Channel.WEB,
) -> BroughtAssignment:
    """Verify and read a signed assignment.

    Args:
        token: the token.
        sender_id: the conversation that it must be for.
        settings: the contents of bridge.yml.
        now: the time.
        channel: the channel to use if the token names none.

    Raises:
        AssignmentError: ``untrusted`` or ``invalid_assignment``; no claim is quoted.
    """
    secret = settings.assignment.secret
    if secret is None:
        raise AssignmentError("untrusted", "it is signed, and assignment.secret is not set")
    try:
        claims = verify(
            token,
            secret.get_secret_value(),
            audience=AUDIENCE,
            required=("aud", "sub", "iat", "exp"),
        )
    except ValueError as error:
        raise AssignmentError("untrusted", f"its token is not valid: {error}") from None
    issued, expires = _time(claims["iat"]), _time(claims["exp"])
    if claims["sub"] != sender_id:
        _distrust("its token is for another conversation")
    if expires <= now:
        _distrust("its token has expired")
    if expires - issued > LONGEST or issued > now + _LEEWAY:
        _distrust("its token's iat and exp are more than an hour apart, or iat is in the future")
    fields = {key: claims.get(key) for key in _SPELLINGS}
    return brought(fields, sender_id, settings, channel=channel, given_at=issued, source="token")


def mint(
    assignment: Assignment,
    *,
    secret: str,
    now: float,
    seconds: int,
    names_channel: bool = True,
    take: bool = False,
) -> str:
    """Return a signed assignment for a message's metadata, under the key ``assignment``.

    Args:
        assignment: the content.
        secret: ``assignment.secret``.
        now: the time.
        seconds: how long it is valid.
        names_channel: whether it names the channel; otherwise it takes that of the message.
        take: whether it may take the call from another open conversation.
    """
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "sub": assignment.sender_id,
        "iat": int(now),
        "exp": int(now) + min(seconds, LONGEST),
        "agent_id": assignment.agent_id,
        "call_id": assignment.call_id,
        "user_id": assignment.user_id,
    }
    if names_channel:
        claims["channel"] = assignment.channel.value
    if take:
        claims["take"] = True
    for key in ("channel_config_id", "agent_nickname", "agent_avatar"):
        value = getattr(assignment, key)
        if value is not None:
            claims[key] = value
    return sign(claims, secret)


def plain(source: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the assignment's fields from unsigned metadata, in either spelling, or None."""
    fields = {
        name: next((source[key] for key in keys if source.get(key) is not None), None)
        for name, keys in _SPELLINGS.items()
    }
    if fields["agent_id"] is None and fields["call_id"] is None:
        return None
    return fields


def _channel(value: object) -> tuple[Channel | None, str | None]:
    if value is None:
        return None, None
    try:
        return Channel(str(value).upper()), None
    except ValueError:
        return Channel.WEB, "its channel is not one of the gateway's; WEB is used"


def _text(fields: Mapping[str, Any], key: str, longest: int) -> str | None:
    value = fields.get(key)
    if value is None:
        return None
    text = untrusted.identifier(value)
    if not text or len(text) > longest or not untrusted.is_printable(text):
        _refuse(f"{key} is a text of 1 to {longest} printable characters")
    return text


def _time(value: object) -> float:
    seconds = untrusted.moment(value)
    if seconds is not None:
        return seconds
    raise AssignmentError("untrusted", "its token's iat and exp are seconds since 1970")


def _refuse(message: str) -> None:
    raise AssignmentError("invalid_assignment", message)


def _distrust(message: str) -> None:
    raise AssignmentError("untrusted", message)

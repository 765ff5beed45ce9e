"""Sends one message to a test call, and says which reading of the gateway's reference is right.

The reference does not say what the size limit counts: the content, or the whole string ``data``. A
message whose content is below the limit and whose data is above it decides that: it is accepted in
the first case. If it is refused, nothing arrived, and a short message shows whether the size was
the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.config.settings import BridgeSettings, GatewaySettings
from bridge.doctor.diagnosis import Diagnosis, error, ok, warning
from bridge.errors import BridgeError, FinalError, GatewayError, SessionGoneError
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.model import (
    AgentId,
    CallId,
    Channel,
    Delivery,
    DeliveryState,
    Draft,
    Envelope,
    Guid,
    MediaType,
    MessageCode,
    Origin,
    SenderId,
    derive,
)

_TEXT = "cc-bridge doctor: a test message"
_FILLING = " ." * 4000
_SPARE = 50  # bytes below the limit
_LIMIT = "gateway.limit_counts"
_FILE = "bridge.yml"


@dataclass(frozen=True, slots=True)
class ProbedCall:
    """The call that receives the message."""

    agent_id: str
    call_id: str
    user_id: str
    channel: Channel


def envelope(call: ProbedCall, settings: BridgeSettings) -> Envelope:
    """Check the call, and return the fields of its message.

    Raises:
        BridgeError: an ID is not well-formed, or the channel has no Configuration ID.
    """
    if not wire.is_agent_id(call.agent_id, highest=settings.gateway.max_agent_id):
        raise BridgeError(f"--agent: a number up to {settings.gateway.max_agent_id}")
    if not wire.is_call_id(call.call_id):
        raise BridgeError("--call: 1 to 64 characters of A-Z, a-z, 0-9, _ and -")
    config_id = settings.config_id(call.channel, None)
    if config_id is None:
        raise BridgeError(f"channel_config_ids in bridge.yml has no {call.channel.value}")
    agent = settings.agent(call.agent_id)
    if agent is None:
        raise BridgeError(f'agents in bridge.yml has no entry for {call.agent_id}, and no "*"')
    return Envelope(
        AgentId(call.agent_id),
        CallId(call.call_id),
        call.user_id,
        call.channel,
        config_id,
        agent.nickname,
        agent.avatar,
    )


def probe(
    client: GatewayClient, settings: GatewaySettings, target: Envelope, guid: Guid, now: float
) -> Iterator[Diagnosis]:
    """Send the message: at most one arrives."""
    sends = _Sends(client, settings, target, guid, now)
    if settings.deployment == "private":  # data is the content
        failure = sends.send(_TEXT)
        yield _deployment(failure, settings) if failure else ok(_KEY, "delivered as plain text")
        return
    failure = sends.send(_long(settings))
    if failure is None:
        yield ok(_KEY, "delivered as JSON, with sendTime as a string")
        yield _decided("content", settings)
    elif not isinstance(failure, FinalError):
        yield _not_decided(failure)
    elif (short := sends.send(_TEXT)) is None:
        yield ok(_KEY, "delivered as JSON, with sendTime as a string")
        yield _decided("data", settings)
    else:
        yield _deployment(short, settings)


_KEY = "sendmessage"


def _long(settings: GatewaySettings) -> str:
    return (_TEXT + _FILLING)[: settings.limit_bytes - _SPARE]


@dataclass(frozen=True, slots=True)
class _Sends:
    client: GatewayClient
    settings: GatewaySettings
    target: Envelope
    guid: Guid
    now: float

    def send(self, text: str) -> GatewayError | None:
        """Send a text; return why it was not accepted, or None."""
        code = derive("doctor", self.target.call_id, self.now, len(text))
        delivery = Delivery(
            seq=0,
            message_code=MessageCode(code),
            sender_id=SenderId("doctor"),
            envelope=self.target,
            draft=Draft(MediaType.TEXT, text),
            origin=Origin.AGENT,
            reply_key=code,
            part=0,
            state=DeliveryState.SENDING,
            created_at=self.now,
            expires_at=self.now,
            due_at=self.now,
        )
        request = wire.send_message(delivery, self.settings)
        seconds = self.settings.connect_timeout + self.settings.read_timeout
        try:
            self.client.call(self.target.agent_id, request, guid=self.guid, timeout=seconds)
        except GatewayError as failure:
            return failure
        return None


def _decided(right: str, settings: GatewaySettings) -> Diagnosis:
    said = {
        "content": "the size limit counts the content alone",
        "data": "the size limit counts the whole data string",
    }[right]
    if settings.limit_counts == right:
        return ok(_LIMIT, f"{said}, as configured")
    return warning(
        _LIMIT,
        f"{said}, and {settings.limit_counts} is configured",
        allowed=right,
        hint=f"set gateway.limit_counts: {right}",
        file=_FILE,
    )


def _not_decided(failure: GatewayError) -> Diagnosis:
    if isinstance(failure, SessionGoneError):
        hint = "let the desktop push a new GUID, or use --sign-in"
        return error(_KEY, f"the GUID is refused: {failure}", allowed="a valid GUID", hint=hint)
    hint = "try again; if the message arrived, the answer was lost on its way"
    return error(_KEY, f"not decided: {failure}", allowed="an answer", hint=hint)


def _deployment(failure: GatewayError, settings: GatewaySettings) -> Diagnosis:
    if not isinstance(failure, FinalError):
        return _not_decided(failure)
    other = "public_cloud" if settings.deployment == "private" else "private"
    return error(
        _KEY,
        f"a short message is refused, too: {failure}",
        allowed="retcode 0",
        hint=f"check that the call is open and the agent's; then try gateway.deployment: {other}",
        file=_FILE,
    )

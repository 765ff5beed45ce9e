"""The gateway's wire format: build requests, parse responses. Pure.

Source: the published API reference; page numbers refer to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from bridge import untrusted
from bridge.errors import (
    AlreadySignedInError,
    FinalError,
    GatewayError,
    RetryableError,
    SessionGoneError,
    SignInRefusedError,
    UnknownOutcomeError,
)
from bridge.model import Delivery, Draft, Envelope, Guid, MediaType, ReceivedEvent

if TYPE_CHECKING:  # the sender process does not load the settings
    from bridge.config.settings import AgentSettings, GatewaySettings

PREFIX = "/agentgateway/resource"
JSON_UTF8 = "application/json; charset=UTF-8"
FIRST_AGENT = 101

_DEEPEST = 32  # levels of JSON that are kept of an answer
_LONGEST_RETCODE = 32
_LONGEST_EVENT_TYPE = 128

CALL_ID = "^[A-Za-z0-9_-]{1,64}$"
GUID = "^[A-Za-z0-9._-]{1,128}$"
_AGENT_ID = re.compile(r"[1-9][0-9]{2,5}")

_SESSION_GONE = frozenset(
    {"100-006", "000-003", "105-005", "105-006", "105-007", "100-008", "105-001"}
)
_WAIT = frozenset({"000-004", "100-021", "105-002", "105-003", "105-004"})
_REPEATED = "000-007"  # it may say that the same request was taken before
_SIGN_IN_REFUSED = frozenset({"100-004", "100-015", "100-020", "110-016"})
_ALREADY_SIGNED_IN = "100-002"
_STATUS = {"busy": "3", "ready": "4", "wrap_up": "5"}  # page 1202
_MOST_EVENTS = 1000  # of one push

_MEANINGS = {
    "000-002": "the gateway refused the request",
    "000-003": "no permission, or the authentication expired",
    "000-006": "the gateway refused the request",
    "100-002": "the agent is signed in already, perhaps at a desktop",
    "100-004": "wrong agent ID or password",
    "100-006": "the agent is not signed in",
    "100-015": "the agent may not be signed in by force",
    "100-020": "the agent's password has expired",
    "106-001": "multimedia is switched off for this tenant",
    "106-002": "the message is empty",
    "110-016": "the agent's account is locked",
}


@dataclass(frozen=True, slots=True)
class Callback:
    """Where the gateway pushes an agent's events to, and the token that comes with them."""

    uri: str
    token: str


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """A request to the gateway."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str  # below PREFIX, encoded
    body: bytes | None = None


def is_agent_id(value: object, *, highest: int) -> bool:
    """Return whether ``value`` is an agent ID: ``"101"`` to ``highest`` (page 1277)."""
    return (
        isinstance(value, str)
        and _AGENT_ID.fullmatch(value) is not None
        and FIRST_AGENT <= int(value) <= highest
    )


def is_call_id(value: object) -> bool:
    """Return whether ``value`` is a well-formed call ID."""
    return isinstance(value, str) and re.fullmatch(CALL_ID, value) is not None


def is_guid(value: object) -> bool:
    """Return whether ``value`` is a well-formed GUID."""
    return isinstance(value, str) and re.fullmatch(GUID, value) is not None


# -- requests ------------------------------------------------------------------------------------


def send_message(delivery: Delivery, settings: GatewaySettings) -> GatewayRequest:
    """Build ``POST mediacall/{agentid}/sendmessage`` (page 1277)."""
    envelope = delivery.envelope
    if settings.deployment == "private":
        text = delivery.draft.content
    else:
        text = _dump(data(envelope, delivery.draft, delivery.message_code, delivery.created_at))
    body = {"callid": envelope.call_id, "userid": envelope.user_id, "data": text}
    path = f"/mediacall/{_part(envelope.agent_id)}/sendmessage"
    return GatewayRequest("POST", path, _dump(body).encode())


def data(envelope: Envelope, draft: Draft, message_code: str, at: float) -> dict[str, Any]:
    """Return the fields inside ``data`` on the public cloud, in the order of the reference's table.

    ``sendTime`` is the time when the message was stored, so that a retry sends identical data. It
    is a string of epoch milliseconds, as in the table; the sample shows a number.
    """
    fields: dict[str, Any] = {
        "from": envelope.channel_config_id,
        "to": envelope.user_id,
        "channel": envelope.channel.value,
        "controlType": "CHAT",
        "mediaType": draft.media_type.value,
        "messageCode": message_code,
    }
    if draft.media_file_type:
        fields["mediaFileType"] = draft.media_file_type
    fields["senderNickname"] = envelope.nickname
    fields["senderAvatar"] = envelope.avatar
    fields["sendTime"] = str(int(at * 1000))
    fields["content"] = draft.content
    if draft.content_type is not None:
        fields["contentType"] = draft.content_type
    fields["userId"] = envelope.user_id
    return fields


_WIDEST = Draft(MediaType.WHATSAPPTEMPLATE, content="", media_file_type="jpeg", content_type="1")


def overhead(envelope: Envelope, settings: GatewaySettings) -> int:
    """Return the bytes besides the content that count towards the gateway's size limit."""
    if settings.deployment == "private" or settings.limit_counts == "content":
        return 0
    code = "00000000-0000-5000-8000-000000000000"
    return len(_dump(data(envelope, _WIDEST, code, 9_999_999_999.0)).encode())


def sign_in(
    agent_id: str,
    agent: AgentSettings,
    *,
    state: str = "busy",
    callback: Callback | None = None,
    force: bool = False,
) -> GatewayRequest:
    """Build ``PUT onlineagent/{agentid}`` (page 1202), or its ``/forcelogin``.

    The platform answers no calls by itself (``autoanswer``): the bridge does, or the agent. After
    a call, a reader is ready again by itself (``autoenteridle``). Numbers and booleans are strings,
    as in the samples.
    """
    password = agent.password.get_secret_value() if agent.password else ""
    body = {
        "password": password,
        "phonenum": agent.phone or "",
        "autoanswer": "false",
        "autoenteridle": "true" if agent.reader else "false",
        "releasephone": "true",
        "agenttype": "4",
        "status": _STATUS.get(state, _STATUS["busy"]),
        "checkInWebm": "true",
    }
    if callback is not None:
        body["callBackUri"], body["serviceToken"] = callback.uri, callback.token
    path = f"/onlineagent/{_part(agent_id)}" + ("/forcelogin" if force else "")
    return GatewayRequest("PUT", path, _dump(body).encode())


def sign_out(agent_id: str) -> GatewayRequest:
    """Build ``DELETE onlineagent/{agentid}/logout``."""
    return GatewayRequest("DELETE", f"/onlineagent/{_part(agent_id)}/logout")


def poll(agent_id: str) -> GatewayRequest:
    """Build ``GET agentevent/{agentid}`` (page 1274): consumes and returns at most one event."""
    return GatewayRequest("GET", f"/agentevent/{_part(agent_id)}")


def handshake(agent_id: str) -> GatewayRequest:
    """Build ``POST onlineagent/{agentid}/handshake``, the heartbeat of push mode."""
    return GatewayRequest("POST", f"/onlineagent/{_part(agent_id)}/handshake")


def reset_skills(agent_id: str, skills: Sequence[int] | None) -> GatewayRequest:
    """Build ``POST onlineagent/{agentid}/resetskill/...``; no ``skills`` means all of theirs."""
    path = f"/onlineagent/{_part(agent_id)}/resetskill"
    if skills is None:
        return GatewayRequest("POST", f"{path}/true?phonelinkage=0")
    listed = quote(";".join(map(str, skills)), safe="")
    return GatewayRequest("POST", f"{path}/false?skillid={listed}&phonelinkage=0")


def change_state(agent_id: str, state: str, former: str | None) -> tuple[GatewayRequest, ...]:
    """Build the requests that change an agent's state, in order.

    In wrap-up, another state takes effect when wrap-up is cancelled.
    """
    verbs: tuple[str, ...] = ({"busy": "saybusy", "wrap_up": "work"}.get(state, "sayfree"),)
    if former == "wrap_up" and state != "wrap_up":
        verbs = ("saybusy", "cancelwork") if state == "busy" else ("cancelwork",)
    path = f"/onlineagent/{_part(agent_id)}"
    return tuple(GatewayRequest("POST", f"{path}/{verb}") for verb in verbs)


# -- responses -----------------------------------------------------------------------------------


def read(status: int, body: bytes, *, retry_after: str | None = None) -> dict[str, Any]:
    """Parse the response to a call and return its JSON object if the call succeeded.

    The only place that converts HTTP statuses and retcodes to errors.

    Raises:
        GatewayError: the call failed; the class says whether to retry.
    """
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
        raise _by_status(status, retry_after)
    try:
        answer = untrusted.cleaned(json.loads(body), deepest=_DEEPEST)
    except (ValueError, RecursionError):
        answer = None
    retcode = answer.get("retcode") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(retcode, (str, int)):
        message = "the gateway's answer has no readable retcode"
        raise UnknownOutcomeError(message, status=status)
    if str(retcode) == "0":
        return answer
    raise by_retcode(_shown(str(retcode), _LONGEST_RETCODE), status)


def by_retcode(retcode: str, status: int = 200) -> GatewayError:
    """Return the error for a retcode; an unknown retcode is final and quoted in the message."""
    kind: type[GatewayError] = FinalError
    if retcode == _ALREADY_SIGNED_IN:
        kind = AlreadySignedInError
    elif retcode in _SESSION_GONE:
        kind = SessionGoneError
    elif retcode in _WAIT:
        kind = RetryableError
    elif retcode == _REPEATED:
        kind = UnknownOutcomeError
    elif retcode in _SIGN_IN_REFUSED:
        kind = SignInRefusedError
    meaning = _MEANINGS.get(retcode, "the gateway refused it")
    return kind(f"{meaning} (retcode {retcode})", retcode=retcode, status=status)


def _by_status(status: int, retry_after: str | None) -> GatewayError:
    message = f"the gateway answered HTTP {status}"
    if status == 401:  # noqa: PLR2004 - the meanings of HTTP's statuses
        return SessionGoneError(message, status=status)
    if status in (429, 502, 503):
        return RetryableError(message, status=status, retry_after=_seconds(retry_after))
    if status in (500, 504):
        return UnknownOutcomeError(message, status=status)
    return FinalError(message, status=status)


def _seconds(retry_after: str | None) -> float | None:
    try:
        seconds = untrusted.number(float(retry_after)) if retry_after else None
    except ValueError:
        return None  # an HTTP date: the default back-off applies
    return None if seconds is None else max(0.0, seconds)


def new_guid(headers: Mapping[str, str]) -> Guid | None:
    """Return the GUID in ``Set-GUID``: all after ``=`` (``JSESSIONID=279f....AgentGateway0``)."""
    header = headers.get("Set-GUID")
    if not header:
        return None
    value = header.split(";", 1)[0].rpartition("=")[2].strip()
    return Guid(value) if is_guid(value) else None


def event(answer: Mapping[str, Any]) -> ReceivedEvent | None:
    """Return the event in a poll's response, or None if it has none."""
    received = answer.get("event")
    return _event(received) if isinstance(received, dict) else None


def pushed_events(body: Mapping[str, Any]) -> tuple[ReceivedEvent, ...]:
    """Return the events of a push, oldest first; what is no object is left out.

    The values must be clean: see ``untrusted.cleaned``.
    """
    listed = body.get("eventList")
    if isinstance(listed, dict):
        listed = [listed]
    found = listed if isinstance(listed, list) else [body.get("event")]
    return tuple(_event(item) for item in found[:_MOST_EVENTS] if isinstance(item, dict))


def _event(received: Mapping[str, Any]) -> ReceivedEvent:
    kind = received.get("eventType")
    if not isinstance(kind, (str, int)) or not kind:
        kind = "unknown"
    shown = _shown(str(kind), _LONGEST_EVENT_TYPE)
    return ReceivedEvent(shown, received.get("content"), received.get("eventGenTime"))


def _shown(value: str, longest: int) -> str:
    """Return a name of the gateway's that can be stored and logged."""
    return untrusted.one_line(value[:longest])[:longest]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _part(value: str) -> str:
    return quote(value, safe="")

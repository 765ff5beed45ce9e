"""Requests to the gateway about calls: build requests, read look-ups. Pure.

Answering, dropping, rejecting and transferring: section 4 of the reference; the look-up of a call:
page 1266; the number of concurrent chats: page 1278.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bridge import untrusted
from bridge.gateway.events import Media
from bridge.gateway.wire import GatewayRequest
from bridge.model import CallInfo, Channel

CHAT_MEDIA = ("1", "51", "53")  # text chat, web chat, social chat
_AGENT, _SKILL = "2", "1"  # devicetype
_IF_SUCCESSFUL = "2"  # mode: the call leaves the agent only when the transfer has succeeded
_LONGEST_NAME = 256
_LONGEST_USER = 512
_LONGEST_CONFIG_ID = 128
_WEB_CHAT = "51"
_MEDIA = {
    "1": Media.TEXT,
    "51": Media.TEXT,
    "53": Media.TEXT,
    "5": Media.VOICE,
    "17": Media.MESSAGE,
}


def answer(agent_id: str, call_id: str) -> GatewayRequest:
    """Build ``PUT voicecall/{agentid}/answer?callid=``; text chats are answered by it too."""
    return GatewayRequest("PUT", f"/voicecall/{_part(agent_id)}/answer?callid={_part(call_id)}")


def reject(agent_id: str, call_id: str) -> GatewayRequest:
    """Build ``POST voicecall/{agentid}/reject``."""
    return GatewayRequest("POST", f"/voicecall/{_part(agent_id)}/reject", _body(callid=call_id))


def drop(agent_id: str, call_id: str) -> GatewayRequest:
    """Build ``POST voicecall/{agentid}/dropcall/{callid}``: hang up one call of several."""
    return GatewayRequest("POST", f"/voicecall/{_part(agent_id)}/dropcall/{_part(call_id)}")


def transfer(agent_id: str, call_id: str, target: Mapping[str, Any]) -> GatewayRequest:
    """Build ``POST mediacall/{agentid}/transfer`` (page 0460).

    Args:
        agent_id: the agent who has the call.
        call_id: the call.
        target: ``agent`` or ``skill``, with its ID.
    """
    agent = target.get("agent")
    body = _body(
        callid=call_id,
        devicetype=_AGENT if agent else _SKILL,
        mode=_IF_SUCCESSFUL,
        address=str(agent or target.get("skill") or ""),
    )
    return GatewayRequest("POST", f"/mediacall/{_part(agent_id)}/transfer", body)


def look_up(agent_id: str, call_id: str) -> GatewayRequest:
    """Build ``GET calldata/{agentid}/callinfobycallid/{callid}``."""
    path = f"/calldata/{_part(agent_id)}/callinfobycallid/{_part(call_id)}"
    return GatewayRequest("GET", path)


def set_chats(agent_id: str, number: int, media: str) -> GatewayRequest:
    """Build ``POST mediacall/{agentid}/setcallnums``: how many calls of a medium at a time.

    Args:
        agent_id: the agent.
        number: 1 to 60.
        media: one of ``CHAT_MEDIA``; the gateway refuses one that no skill of the agent has.
    """
    body = _body(mediaType=media, callnums=str(number))
    return GatewayRequest("POST", f"/mediacall/{_part(agent_id)}/setcallnums", body)


def looked_up(answer: Mapping[str, Any]) -> CallInfo:
    """Return what the gateway's look-up says of a call: who called, and on which medium.

    The gateway does not know the channel, except that a web chat is on WEB.
    """
    result = answer.get("result")
    if isinstance(result, list):
        result = next((item for item in result if isinstance(item, dict)), None)
    fields = _fields(result if isinstance(result, dict) else answer)
    kind = _text(fields.get("mediatype"), 8)
    return CallInfo(
        user_id=_text(fields.get("caller"), _LONGEST_USER),
        channel=Channel.WEB if kind == _WEB_CHAT else None,
        media=_MEDIA.get(kind, Media.UNKNOWN).value,
    )


def user_info(answer: Mapping[str, Any]) -> CallInfo:
    """Return what the workbench's ``getUserInfoBycallId`` says of a call (page 2218)."""
    fields = _fields(answer)
    inner: Mapping[str, Any] = next(
        (fields[key] for key in ("result", "data") if isinstance(fields.get(key), dict)), {}
    )
    fields = {**fields, **_fields(inner)}
    return CallInfo(
        user_id=_text(fields.get("userid"), _LONGEST_USER),
        nickname=_text(fields.get("usernickname"), _LONGEST_NAME),
        channel=_channel(fields.get("channel")),
        channel_config_id=_text(fields.get("channelconfigid"), _LONGEST_CONFIG_ID) or None,
    )


def _channel(value: Any) -> Channel | None:
    try:
        return Channel(_text(value, 16).upper())
    except ValueError:
        return None


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).casefold(): item for key, item in value.items()}


def _text(value: Any, longest: int) -> str:
    """Return a text or a whole number as one line; "" for anything else, and for what is cut."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        value = str(value)
    if not isinstance(value, str) or len(value) > longest:
        return ""
    return untrusted.one_line(value.strip(), None)


def _body(**fields: str) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _part(value: str) -> str:
    return quote(value, safe="")

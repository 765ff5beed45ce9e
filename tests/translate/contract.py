"""The published page of sendmessage, written down again: what a message may be.

Transcribed from the reference, not from the bridge, so that a misspelling there is found here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bridge.model import Channel, Draft
from bridge.translate import Room

CHANNELS = (
    *("WEB", "WECHAT", "TWITTER", "FACEBOOK", "5G", "EMAIL", "VOICE", "LINE", "WHATSAPP", "SMS"),
    *("INSTAGRAM", "TELEGRAM"),
)
MEDIA_TYPES = frozenset(
    {
        *("TEXT", "IMAGE", "AUDIO", "VIDEO", "LOCATE", "EMOTICONS", "CARD", "MULTICARD", "EMAIL"),
        *("WHATSAPPTEMPLATE", "RICHTEXT", "WEBCARD", "SMSTEMPLATE", "LOCATION", "DOCUMENT"),
        "COBROWSESITE",
    }
)
FILE_TYPES = {
    "IMAGE": {"jpg", "png", "jpeg"},
    "AUDIO": {"mp3", "aac", "m4a", "mp4"},
    "EMOTICONS": {"gif"},
    "DOCUMENT": {"doc", "docx", "pdf", "zip", "RTF"},
}
ONLY_ON = {
    "WHATSAPPTEMPLATE": {"WHATSAPP"},
    "SMSTEMPLATE": {"SMS"},
    "EMAIL": {"EMAIL"},
    "LOCATION": {"TELEGRAM"},
    "LOCATE": set(CHANNELS) - {"TELEGRAM"},
    "TEXT": set(CHANNELS) - {"EMAIL"},
}
JSON_CONTENT = frozenset(
    {
        *("CARD", "MULTICARD", "WEBCARD", "LOCATE", "LOCATION", "COBROWSESITE"),
        *("WHATSAPPTEMPLATE", "SMSTEMPLATE"),
    }
)
WEBCARD = {"title", "description", "mediaFileId", "mediaFileType", "redirectUrl"}


def faults(draft: Draft, channel: Channel, room: Room) -> list[str]:
    """What of a message the page does not allow."""
    kind, content = draft.media_type.value, draft.content
    wrong = {
        f"no media type {kind}": kind not in MEDIA_TYPES,
        f"{kind} on {channel.value}": channel.value not in ONLY_ON.get(kind, CHANNELS),
        "the message is empty": not content.strip(),
        f"{kind} with {draft.media_file_type}": draft.media_file_type
        not in {None, *FILE_TYPES.get(kind, ())},
        f"contentType {draft.content_type}": draft.content_type not in (None, "0", "1"),
        f"{size(content, room)} bytes of {room.limit}": size(content, room) > room.limit,
        f"{len(content)} characters": room.chars is not None and len(content) > room.chars,
        f"{kind} in a private deployment": room.text_only and kind not in ("TEXT", "EMAIL"),
    }
    return [fault for fault, is_so in wrong.items() if is_so] + list(_json_faults(kind, content))


def _json_faults(kind: str, content: str) -> Iterator[str]:
    if kind not in JSON_CONTENT:
        return
    read = _json(content)
    if not isinstance(read, dict):
        yield f"{kind} is no JSON object"
    elif kind == "WEBCARD" and set(read) != WEBCARD:
        yield "a WEBCARD of other fields"


def _json(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def size(content: str, room: Room) -> int:
    """Bytes that the limit counts."""
    written = json.dumps(content, ensure_ascii=False)[1:-1] if room.as_json else content
    return len(written.encode()) + room.overhead


GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = set("^{}\\[~]|€\f")


def sms_units_left(text: str) -> int:
    """How much of ten concatenated segments is left: 1,530 septets, or 670 units of UTF-16."""
    if set(text) <= GSM | GSM_EXTENSION:
        return 1530 - len(text) - sum(char in GSM_EXTENSION for char in text)
    return 670 - len(text.encode("utf-16-le")) // 2

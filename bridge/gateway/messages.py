"""What customers write, as the gateway's events carry it: words, files and locations. Pure.

A private deployment sends the words themselves. The public cloud sends JSON inside a string, whose
``content`` has the words, the ID of a file or further JSON; words may be wrapped in HTML. Files and
locations are shown as what they are, never as text.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from bridge import untrusted

LONGEST_TEXT = 32 * 1024  # characters, as in the API; what is longer is cut

_LONGEST_NAME = 512  # characters of a file's name or ID, and of a place's name
_DEEPEST = 8
_NESTED = 4  # levels of JSON inside JSON
_HTML = re.compile(
    r"\s*<(?:p|div|span|br|b|i|u|strong|em|a|ul|ol|font|img)\b[^<>]{0,2000}>", re.IGNORECASE
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})\b[^<>]{0,2000}>")
_IMAGE = re.compile(r"<img\b[^<>]{0,2000}?\bsrc\s?=\s?[\"']?([^\"'\s<>]{1,2000})", re.IGNORECASE)
_BREAKS = {"br", "hr"}
_BLOCKS = {"p", "div", "li", "tr", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
_BLANK_LINES = re.compile(r"[^\S\n]*\n\s*")

FileKind: TypeAlias = Literal["file", "picture", "video", "audio", "emoticon", "other"]

_KINDS: dict[str, FileKind] = {
    "file": "file",
    "document": "file",
    "file_image": "picture",
    "image": "picture",
    "picture": "picture",
    "file_video": "video",
    "video": "video",
    "file_audio": "audio",
    "audio": "audio",
    "voice": "audio",
    "emoticons": "emoticon",
}
_ENDINGS: dict[str, FileKind] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "bmp", "webp", "heic"), "picture"),
    **dict.fromkeys(("mp4", "mov", "avi", "webm", "3gp", "mkv"), "video"),
    **dict.fromkeys(("mp3", "aac", "m4a", "wav", "amr", "ogg", "opus"), "audio"),
}
_WORDS = {"", "text", "richtext", "email", "chat", "html"}  # media types whose content is words
# Fields that make a JSON object a message of the platform's, and not what a customer typed.
_ENVELOPE = {
    *("content", "mediatype", "msgtype", "messagetype", "contenttype", "filepath", "fileid"),
    *("latitude", "longitude"),
}
_TYPES = ("mediatype", "msgtype", "messagetype", "contenttype", "type")
_MEDIA_TYPES = 3  # of these, whose unlisted values are media types too
_FILE_IDS = ("fileid", "filepath", "fileurl")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a customer sent; ``file_id`` is its ID or path at the platform."""

    kind: FileKind
    file_id: str = ""
    name: str = ""
    size: int | None = None  # bytes
    file_type: str = ""  # as the platform says: an ending or a media type


@dataclass(frozen=True, slots=True)
class Location:
    """A place that a customer sent."""

    latitude: float
    longitude: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """The words of a message, "" if there are none, and its file or location."""

    text: str
    attachment: Attachment | Location | None = None


def read(message: Any) -> CustomerMessage | None:
    """Read the message of an event: a string, or JSON as a string or an object.

    Returns:
        The message, or None if it is neither words nor anything that can be shown.
    """
    if isinstance(message, (int, float)) and not isinstance(message, bool):
        message = str(message) if abs(message) < 2**63 else ""
    fields = _object(message)
    if fields is not None:
        return _from_fields(fields, nested=0)
    return _words(message) if isinstance(message, str) else None


def _object(value: Any) -> dict[str, Any] | None:
    """Return a JSON object of the platform's with names in lower case, else None.

    A customer may type JSON too: in a string, only the platform's own fields make it a message.
    """
    parsed = isinstance(value, dict)
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {}
    for key, item in untrusted.cleaned(value, deepest=_DEEPEST).items():
        fields.setdefault(str(key).casefold(), item)
    return fields if parsed or _ENVELOPE & fields.keys() else None


def _from_fields(fields: dict[str, Any], *, nested: int) -> CustomerMessage | None:
    content = fields.get("content")
    inner = _object(content) if nested < _NESTED else None
    if inner is not None:
        outer = {key: value for key, value in fields.items() if key != "content"}
        return _from_fields({**outer, **inner}, nested=nested + 1)
    words = next(filter(None, (_text(fields.get(each)) for each in ("content", "text"))), "")
    file_id = next(filter(None, (_text(fields.get(each)) for each in _FILE_IDS)), "")
    attachment = _location(fields) or _file(fields, file_id, words)
    if isinstance(attachment, Attachment) and file_id in ("", words):
        words = ""  # it is the ID of the file
    message = _words(words)
    if attachment is None:
        return message
    return CustomerMessage("" if message is None else message.text, attachment)


def _location(fields: dict[str, Any]) -> Location | None:
    latitude, longitude = (_degrees(fields.get(each)) for each in ("latitude", "longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        return None
    description = next(filter(None, map(_text, map(fields.get, ("description", "name")))), "")
    return Location(latitude, longitude, _line(description))


def _degrees(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value[:32])
        except ValueError:
            return None
    return untrusted.number(value)


def _file(fields: dict[str, Any], file_id: str, content: str) -> Attachment | None:
    """Return the file of a message, None if the message is words."""
    names = [_text(fields.get(each)).casefold() for each in _TYPES]
    said = next((_KINDS[each] for each in names if each in _KINDS), None)
    typed = next((each for each in names[:_MEDIA_TYPES] if each not in _WORDS), "")
    name = _line(_text(fields.get("filename")))
    file_type = _line(_text(fields.get("filetype")) or _text(fields.get("mediafiletype")))
    if said is None and not file_id and not name:
        # A card, a location without degrees, or a type that the reference does not list.
        return Attachment("other", _line(content), file_type=_line(typed)) if typed else None
    file_id = file_id or content
    by_name = (_ENDINGS.get(_ending(each)) for each in (file_type, name, typed, file_id))
    kind: FileKind = said if said not in (None, "file") else next(filter(None, by_name), "file")
    return Attachment(kind, _line(file_id), name or _base(file_id), _size(fields), file_type)


def _ending(name: str) -> str:
    return name.rpartition(".")[2].rpartition("/")[2].casefold()


def _base(file_id: str) -> str:
    """Return the last part of a path, "" for an ID."""
    return _line(re.split(r"[/\\]", file_id)[-1]) if "." in file_id else ""


def _size(fields: dict[str, Any]) -> int | None:
    size = fields.get("filesize")
    if isinstance(size, str) and size.isascii() and size.isdecimal() and len(size) <= 15:  # noqa: PLR2004 - bytes of any file
        size = int(size)
    number = untrusted.number(size)
    return int(number) if number is not None and 0 <= number < 1e15 else None  # noqa: PLR2004


def _words(text: str) -> CustomerMessage | None:
    """Return the words of plain text or HTML; None if there are none and no picture."""
    text = text[: 4 * LONGEST_TEXT]
    picture = None
    if _HTML.match(text):
        if image := _IMAGE.search(text):
            picture = Attachment("picture", _line(html.unescape(image[1])))
        text = _without_tags(text)
    text = untrusted.text(text)
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - 1] + "…"
    if not text.strip():
        return None if picture is None else CustomerMessage("", picture)
    return CustomerMessage(text, picture)


def _without_tags(text: str) -> str:
    marked = _TAG.sub(_break, text.replace("\n", " "))
    plain = html.unescape(marked).replace("\xa0", " ")
    return _BLANK_LINES.sub("\n", plain).strip()


def _break(tag: re.Match[str]) -> str:
    name = tag[2].casefold()
    return "\n" if name in _BREAKS or (tag[1] and name in _BLOCKS) else ""


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 2**63 else ""
    return value if isinstance(value, str) else ""


def _line(value: str) -> str:
    return untrusted.one_line(untrusted.text(value[:_LONGEST_NAME]), None)[:_LONGEST_NAME]

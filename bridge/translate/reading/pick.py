"""Extract text, addresses, buttons and cards from any JSON that came through the door.

Keys are in snake case. Every function accepts any value, never raises, and returns a clean result
of bounded size, or an empty one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from bridge.translate.files import INLINE, LONGEST_ADDRESS, extension
from bridge.translate.markup import plain
from bridge.translate.parts import Button, RichCard
from bridge.translate.text import clean

Json = Mapping[str, Any]

LONGEST_TEXT = 200_000  # characters of one text that are read
LONGEST_TITLE = 1_000
_LONGEST_DESCRIPTION = 2_000
_DEEPEST = 6  # levels of one value that are read
_MOST = 201  # items of one list: one more than the highest `max_items`

_TITLES = ("title", "label", "text", "name", "display_text", "caption")
_PAYLOADS = (
    *("payload", "paylaod", "value", "data", "callback_data", "postback", "action_body"),
    *("id", "uid"),
)
_SAID = ("payload", "value")  # a payload under these keys may be the words that a tap sends
_ADDRESSES = (
    *("url", "uri", "href", "link", "link_uri", "web_url", "open_url_action", "open_uri_action"),
    *("web_app", "login_url"),  # Telegram's, with a `url` inside
)
_VIDEO_IDS = ("youtube_id", "you_tube_id", "yt_id", "video_id")
_YOUTUBE_ID = re.compile(r"[\w-]{4,20}", re.ASCII)
_PHONES = ("phone_number", "phone", "tel")
_NESTED = ("reply", "action", "postback_action", "button")
_GROUPS = ("options", "rows", "buttons", "items")
_OPENING = ("web_url", "url", "uri", "link", "open_url", "openurl", "open-url")
_FOR_THE_BOT = re.compile(r"^[/\[]|[_{}=<>|\\]|\w[:/]\w")
_SPACE = re.compile(r"\s")
_SPACED = re.compile(r"https?://|tel:|sms:|mailto:", re.IGNORECASE)  # addresses may have spaces
_IMAGES = (
    *("image_url", "image", "thumbnail_image_url", "thumbnail_url", "media_url", "img"),
    *("picture", "images", "src"),
)


def is_object(value: Any) -> TypeGuard[Json]:
    """Return whether ``value`` is a JSON object."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Return whether ``value`` is a JSON list."""
    return isinstance(value, (list, tuple))


def listed(value: Any) -> list[Any]:
    """Return a list's items up to the limit, no items for null or ``""``, else a list of one."""
    if is_list(value):
        return list(value[:_MOST])
    return [] if value is None or value == "" else [value]


def words(value: Any, longest: int = LONGEST_TEXT, _deep: int = 0) -> str:
    """Return the text of a value: a string, a number, or the ``text`` (or similar) of an object."""
    if isinstance(value, str):
        return clean(value if len(value) <= longest else value[:longest] + " ...").strip()
    if isinstance(value, bool) or value is None or _deep > _DEEPEST:
        return ""
    if isinstance(value, (int, float)):
        return _number_as_words(value)
    if is_object(value):
        for key in ("text", "title", "body", "plain_text", "formatted_name"):
            if text := words(value.get(key), longest, _deep + 1):
                return text
    return ""


def _number_as_words(value: float) -> str:
    try:
        return str(int(value)) if value == int(value) else str(value)
    except (ValueError, OverflowError):  # infinity, NaN, or too many digits for Python
        return ""


def first(source: Any, *keys: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text under the first of ``keys`` that has any."""
    if not is_object(source):
        return ""
    for key in keys:
        if text := words(source.get(key), longest):
            return text
    return ""


def inside(value: Any, *keys: str) -> Any:
    """Return the value at the end of a path of keys, or None."""
    for key in keys:
        value = value.get(key) if is_object(value) else None
    return value


def title(value: Any, longest: int = LONGEST_TITLE) -> str:
    """Return the text of a value on one line, without markup."""
    return " ".join(plain(words(value, longest)).split())


def address(value: Any, *keys: str, _deep: int = 0) -> str:
    """Return an address: a string, or the value under one of ``keys`` (default: ``url`` etc.)."""
    if isinstance(value, str):
        return _address(value)
    if is_list(value):
        value = value[0] if value else None
        return address(value, *keys, _deep=_deep + 1) if _deep < _DEEPEST else ""
    if not is_object(value) or _deep > _DEEPEST:
        return ""
    for key in keys or ("url", "src", "link", "href", "uri", "image_url", "image_uri", "media"):
        if key in value and (found := address(value[key], _deep=_deep + 1)):
            return found
    return ""


def video(value: Any, *keys: str) -> str:
    """Return a video's address, which may be given as the ID of a video of YouTube."""
    if found := address(value, *keys):
        return youtube(found)
    source = next((each for each in (value, inside(value, "payload")) if is_object(each)), None)
    return youtube(first(source, *_VIDEO_IDS, longest=LONGEST_TITLE))


def youtube(value: str) -> str:
    """Return the page of a YouTube video, or ``value`` unchanged if it is not an ID."""
    return f"https://www.youtube.com/watch?v={value}" if _YOUTUBE_ID.fullmatch(value) else value


def page(value: str) -> str:
    """Return the address of a page; a relative one always has a slash, unlike the ID of a file."""
    return f"./{value}" if value and not set(value) & set("/.:") else value


def _address(value: str) -> str:
    """Return an address of bounded length, or ``""`` for words.

    Only the scheme of a ``data:`` URL is kept. The path of a file may contain spaces.
    """
    text = clean(value[: LONGEST_ADDRESS + 1]).strip()
    if text[: len(INLINE)].lower() == INLINE:
        return INLINE
    if len(text) > LONGEST_ADDRESS:
        return ""
    is_words = _SPACE.search(text) and not _SPACED.match(text) and not extension(text)
    return "" if is_words else text


def number(value: Any) -> float | None:
    """Return a finite number, given as a number or as text, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def place(latitude: Any, longitude: Any) -> tuple[float, float] | None:
    """Return valid coordinates in degrees, or None."""
    north, east = number(latitude), number(longitude)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:  # noqa: PLR2004 - degrees
        return None
    return north, east


def buttons(value: Any) -> tuple[Button, ...]:
    """Return the buttons of a list, of nested lists (rows), or of groups of options.

    A button that has nothing to show is among them, so that its absence can be noted.
    """
    return tuple(_buttons(value, 0))


def _buttons(value: Any, deep: int) -> Iterator[Button]:
    if deep > _DEEPEST:
        return
    for each in listed(value):
        if is_list(each):
            yield from _buttons(each, deep + 1)
        elif is_object(each) and (group := _group(each)):
            yield from _buttons(group, deep + 1)
        elif parsed := button(each):
            yield parsed


def _group(value: Json) -> list[Any]:
    """Return the options of a group of buttons: an object that is no button itself."""
    groups = [value[key] for key in _GROUPS if is_list(value.get(key)) or is_object(value.get(key))]
    if not groups or any(title(value.get(key)) for key in _TITLES):
        return []
    return [] if any(_target(value, _payload(value))) else groups


def button(value: Any) -> Button | None:
    """Return one button, in any dialect, or None if there is none.

    A button without a title is called by the words that a tap sends, if it sends words.
    """
    if not is_object(value):
        name = title(value)
        return Button(name, payload=name) if name else None
    if not value:
        return None
    for key in _NESTED:
        if is_object(inner := value.get(key)):
            value = {**{name: each for name, each in value.items() if name != key}, **inner}
    payload = _payload(value)
    url, phone = _target(value, payload)
    name = next(filter(None, (title(value.get(key)) for key in _TITLES)), "")
    if not name and not url and not phone:
        said = (value[key] for key in _SAID if not is_object(value.get(key, {})))
        name = next(filter(None, map(title, filter(_is_readable, map(words, said)))), "")
    if description := title(value.get("description")):
        name = f"{name} - {description}" if name else description
    return Button(name, payload=payload, url=url, phone=phone)


def _payload(value: Json) -> str:
    """Return what a tap sends: LINE's text of a message, a payload, or a text beside a label."""
    said = words(value.get("text"), LONGEST_TITLE)
    if said and value.get("type") == "message":
        return said
    for key in _PAYLOADS:
        given = value.get(key)
        if not is_object(given) and (found := words(given, LONGEST_TITLE)):
            return found
    is_named = said and any(words(value.get(key), LONGEST_TITLE) for key in ("title", "label"))
    return said if is_named else ""


def _target(value: Json, payload: str) -> tuple[str, str]:
    """Return the address that a button opens and the number that it calls; ``""`` for none."""
    kind = words(value.get("type"), LONGEST_TITLE).lower()
    phone = first(value, *_PHONES, longest=100)
    for target in (address(value, *_ADDRESSES), payload):
        if target.lower().startswith("tel:"):
            return "", target[4:]
        if target.lower().startswith(("http://", "https://", "www.", "mailto:")):
            return target, ""
    if kind in ("phone_number", "call", "phone"):
        return "", phone or payload
    found = address(value, *_ADDRESSES)
    if not found and kind in _OPENING:
        found = _address(payload)
    return page(found), phone


def _is_readable(payload: str) -> bool:
    """Return whether a payload is words, and not an intent, an identifier or JSON."""
    return bool(payload) and not _FOR_THE_BOT.search(payload)


def card(value: Any) -> RichCard | None:
    """Return one card, in any dialect, or None if it has nothing to show."""
    if not is_object(value):
        text = title(value, _LONGEST_DESCRIPTION)
        return RichCard(title=text) if text else None
    heading = next(filter(None, (title(value.get(key)) for key in ("title", "name", "header"))), "")
    result = RichCard(
        title=heading,
        description=_description(value, heading),
        image=_image(value),
        url=_opens(value),
        buttons=tuple(
            each
            for key in ("buttons", "actions", "quick_replies", "link_out_suggestion")
            for each in buttons(value.get(key))
        ),
    )
    return None if result == RichCard() else result


def _description(value: Json, heading: str) -> str:
    keys = ("subtitle", "description", "text", "body", "formatted_text", "content", "ratings")
    lines = (plain(words(value.get(key), _LONGEST_DESCRIPTION)).strip() for key in keys)
    return "\n".join(line for line in dict.fromkeys(lines) if line and line != heading)


def _image(value: Json) -> str:
    return next(filter(None, (address(value.get(key)) for key in _IMAGES)), "")


def _opens(value: Json) -> str:
    for key in ("default_action", "action", "tap"):
        if url := address(value.get(key), "url", "uri", "value"):
            return page(url)
    return page(address(value, "url", "link", "href", "title_link", "redirect_url"))

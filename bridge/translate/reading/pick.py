"""Extract text, addresses, buttons and cards from any JSON.

Every function accepts any value, never raises, and returns a clean result of bounded size, or an
empty one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from bridge.translate.files import INLINE, LONGEST_ADDRESS
from bridge.translate.markup import plain
from bridge.translate.parts import Button, RichCard
from bridge.translate.text import clean

Json = Mapping[str, Any]

LONGEST_TEXT = 200_000  # characters of one text that are read
LONGEST_TITLE = 1_000
_LONGEST_DESCRIPTION = 2_000
_DEEPEST = 6  # levels of one value that are read
_MOST = 201  # items of one list: one more than the highest `max_items`
_MOST_SEEN = 2_000  # values visited when checking for longer lists

_TITLES = ("title", "label", "text", "name", "displayText", "display_text", "caption")
_PAYLOADS = ("payload", "paylaod", "value", "data", "callback_data", "postback", "id", "uid")
_ADDRESSES = ("url", "uri", "href", "link", "linkUri", "openUrlAction", "openUriAction")
_PHONES = ("phone_number", "phone", "phoneNumber", "tel")
_NESTED = ("reply", "action", "postback_action", "button")
_GROUPS = ("options", "rows", "buttons", "items")
_IMAGES = (
    *("image_url", "imageUrl", "image", "thumbnailImageUrl", "thumbnail_url", "media_url", "img"),
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


def is_cut(value: Any) -> bool:
    """Return whether any list in ``value`` exceeds the number of items that are read."""
    seen, waiting = 0, [value]
    while waiting and seen < _MOST_SEEN:
        each = waiting.pop()
        seen += 1
        if is_list(each):
            if len(each) > _MOST:
                return True
            waiting.extend(each)
        elif is_object(each):
            waiting.extend(list(each.values())[:_MOST])
    return False


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
    for key in keys or ("url", "src", "link", "href", "uri", "image_url", "imageUri", "media"):
        if key in value and (found := address(value[key], _deep=_deep + 1)):
            return found
    return ""


def _address(value: str) -> str:
    """Return an address of bounded length; only the scheme of a ``data:`` URL is kept."""
    text = clean(value[: LONGEST_ADDRESS + 1]).strip()
    if text[: len(INLINE)].lower() == INLINE:
        return INLINE
    return text if len(text) <= LONGEST_ADDRESS else ""


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
    """Return the buttons of a list, of nested lists (rows), or of groups of options."""
    return tuple(_buttons(value, 0))


def _buttons(value: Any, deep: int) -> Iterator[Button]:
    if deep > _DEEPEST:
        return
    for each in listed(value):
        if is_list(each):
            yield from _buttons(each, deep + 1)
        elif parsed := button(each):
            yield parsed
        elif is_object(each):
            for key in _GROUPS:
                yield from _buttons(each.get(key), deep + 1)


def button(value: Any) -> Button | None:
    """Return one button, in any dialect, or None if it has nothing to show."""
    if not is_object(value):
        name = title(value)
        return Button(name, payload=name) if name else None
    for key in _NESTED:
        if is_object(inner := value.get(key)):
            value = {**inner, **{name: each for name, each in value.items() if name != key}}
    payload = _payload(value)
    url, phone = _target(value, payload)
    name = next(filter(None, (title(value.get(key)) for key in _TITLES)), "")
    if not name and not url and not phone and _is_readable(payload):
        name = title(payload)
    if not name and not url and not phone:
        return None
    if description := title(value.get("description")):
        name = f"{name} - {description}" if name else description
    return Button(name, payload=payload, url=url, phone=phone)


def _payload(value: Json) -> str:
    if value.get("type") == "message" and (text := words(value.get("text"), LONGEST_TITLE)):
        return text  # LINE: the text that is sent when the customer taps the button
    for key in _PAYLOADS:
        given = value.get(key)
        if not is_object(given) and (found := words(given, LONGEST_TITLE)):
            return found
    return ""


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
    return address(value, *_ADDRESSES), phone


def _is_readable(payload: str) -> bool:
    """Return whether a payload is readable text, not an intent or JSON for the bot."""
    return bool(payload) and payload[0] not in "/{["


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
            for key in ("buttons", "actions", "quick_replies", "linkOutSuggestion")
            for each in buttons(value.get(key))
        ),
    )
    return None if result == RichCard() else result


def _description(value: Json, heading: str) -> str:
    keys = ("subtitle", "description", "text", "body", "formattedText", "content", "ratings")
    lines = (plain(words(value.get(key), _LONGEST_DESCRIPTION)).strip() for key in keys)
    return "\n".join(line for line in dict.fromkeys(lines) if line and line != heading)


def _image(value: Json) -> str:
    return next(filter(None, (address(value.get(key)) for key in _IMAGES)), "")


def _opens(value: Json) -> str:
    for key in ("default_action", "defaultAction", "action", "tap"):
        if url := address(value.get(key), "url", "uri", "value"):
            return url
    return address(value, "url", "link", "href", "title_link", "redirectUrl")

"""Picking words, addresses, buttons and cards out of any JSON. Nothing here can be surprised.

Every function takes whatever stands there and gives something clean and bounded, or nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from bridge.translate.files import INLINE, LONGEST_ADDRESS
from bridge.translate.markup import plain
from bridge.translate.parts import Button, Card
from bridge.translate.text import clean

Json = Mapping[str, Any]

LONGEST_TEXT = 200_000  # characters of one text that are looked at
LONGEST_TITLE = 1_000
_LONGEST_DESCRIPTION = 2_000
_DEEPEST = 6  # levels that one value is looked into
_MOST = 201  # items of one list: one more than `max_items` can be
_MOST_SEEN = 2_000  # values looked at for lists that are longer

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
    """Whether ``value`` is a JSON object."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether ``value`` is a JSON list."""
    return isinstance(value, (list, tuple))


def listed(value: Any) -> list[Any]:
    """A list as it is, nothing as none, anything else as a list of one."""
    if is_list(value):
        return list(value[:_MOST])
    return [] if value is None or value == "" else [value]


def is_cut(value: Any) -> bool:
    """Whether some list in ``value`` is longer than is read."""
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
    """The words of a value: text, a number, or what stands under ``text`` in an object."""
    if isinstance(value, str):
        return clean(value if len(value) <= longest else value[:longest] + " ...").strip()
    if isinstance(value, bool) or value is None or _deep > _DEEPEST:
        return ""
    if isinstance(value, (int, float)):
        return _number_as_words(value)
    if is_object(value):
        for key in ("text", "title", "body", "plain_text", "formatted_name"):
            if found := words(value.get(key), longest, _deep + 1):
                return found
    return ""


def _number_as_words(value: float) -> str:
    try:
        return str(int(value)) if value == int(value) else str(value)
    except (ValueError, OverflowError):  # infinity, nan, or more digits than Python writes
        return ""


def first(source: Any, *keys: str, longest: int = LONGEST_TEXT) -> str:
    """The words under the first of ``keys`` that has some."""
    if not is_object(source):
        return ""
    for key in keys:
        if found := words(source.get(key), longest):
            return found
    return ""


def title(value: Any, longest: int = LONGEST_TITLE) -> str:
    """Words for one line, without markup."""
    return " ".join(plain(words(value, longest)).split())


def address(value: Any, *keys: str, _deep: int = 0) -> str:
    """An address: a text, or what stands under one of ``keys``, or of ``url`` and the like."""
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
    """An address within bounds; of a file that stands in its own address, only that it does."""
    found = clean(value[: LONGEST_ADDRESS + 1]).strip()
    if found[: len(INLINE)].lower() == INLINE:
        return INLINE
    return found if len(found) <= LONGEST_ADDRESS else ""


def number(value: Any) -> float | None:
    """A finite number, written as one or as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def place(latitude: Any, longitude: Any) -> tuple[float, float] | None:
    """Coordinates on this earth."""
    north, east = number(latitude), number(longitude)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:  # noqa: PLR2004 - degrees
        return None
    return north, east


def buttons(value: Any) -> tuple[Button, ...]:
    """The buttons of a list, of rows of lists, or of groups of options."""
    return tuple(_buttons(value, 0))


def _buttons(value: Any, deep: int) -> Iterator[Button]:
    if deep > _DEEPEST:
        return
    for each in listed(value):
        if is_list(each):
            yield from _buttons(each, deep + 1)
        elif found := button(each):
            yield found
        elif is_object(each):
            for key in _GROUPS:
                yield from _buttons(each.get(key), deep + 1)


def button(value: Any) -> Button | None:
    """One button, in any dialect; None where there is nothing to show."""
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
    if value.get("type") == "message" and (said := words(value.get("text"), LONGEST_TITLE)):
        return said  # LINE's: what the customer's tap says
    for key in _PAYLOADS:
        given = value.get(key)
        if not is_object(given) and (found := words(given, LONGEST_TITLE)):
            return found
    return ""


def _target(value: Json, payload: str) -> tuple[str, str]:
    """What a button opens or calls."""
    kind = words(value.get("type"), LONGEST_TITLE).lower()
    phone = first(value, *_PHONES, longest=100)
    for given in (address(value, *_ADDRESSES), payload):
        if given.lower().startswith("tel:"):
            return "", given[4:]
        if given.lower().startswith(("http://", "https://", "www.", "mailto:")):
            return given, ""
    if kind in ("phone_number", "call", "phone"):
        return "", phone or payload
    return address(value, *_ADDRESSES), phone


def _is_readable(payload: str) -> bool:
    """Whether a payload is words, and not an intent or JSON for the bot."""
    return bool(payload) and payload[0] not in "/{["


def card(value: Any) -> Card | None:
    """One card, in any dialect; None where it shows nothing."""
    if not is_object(value):
        text = title(value, _LONGEST_DESCRIPTION)
        return Card(title=text) if text else None
    heading = next(filter(None, (title(value.get(key)) for key in ("title", "name", "header"))), "")
    found = Card(
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
    return None if found == Card() else found


def _description(value: Json, heading: str) -> str:
    keys = ("subtitle", "description", "text", "body", "formattedText", "content", "ratings")
    lines = (plain(words(value.get(key), _LONGEST_DESCRIPTION)).strip() for key in keys)
    return "\n".join(line for line in dict.fromkeys(lines) if line and line != heading)


def _image(value: Json) -> str:
    return next(filter(None, (address(value.get(key)) for key in _IMAGES)), "")


def _opens(value: Json) -> str:
    for key in ("default_action", "defaultAction", "action", "tap"):
        if found := address(value.get(key), "url", "uri", "value"):
            return found
    return address(value, "url", "link", "href", "title_link", "redirectUrl")

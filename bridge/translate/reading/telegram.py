"""Read Telegram messages: the keys that Rasa's Telegram channel passes to the Bot API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Form, Part
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json

_FILES = {
    "photo": Kind.IMAGE,
    "audio": Kind.AUDIO,
    "voice": Kind.AUDIO,
    "document": Kind.DOCUMENT,
    "animation": Kind.ANIMATION,
    "sticker": Kind.IMAGE,
    "video": Kind.VIDEO,
    "video_note": Kind.VIDEO,
}
_FORMS = {"html": Form.HTML, "markdown": Form.MARKDOWN, "markdownv2": Form.MARKDOWN}


def is_telegram(value: Json) -> bool:
    """Recognise the arguments of one of the Bot API's send methods."""
    keys = value.keys()
    return (
        any(isinstance(value.get(key), str) for key in _FILES)
        or ("text" in keys and bool({"parse_mode", "reply_markup"} & keys))
        or {"latitude", "longitude"} <= keys
        or {"phone_number", "first_name"} <= keys
        or ({"question", "options"} <= keys)
        or _is_group(value)
    )


def _is_group(value: Json) -> bool:
    media = value.get("media")
    return pick.is_list(media) and any(pick.is_object(each) and "media" in each for each in media)


def read(value: Json) -> Iterator[Part]:
    """Read one message and the keyboard below it."""
    form = _FORMS.get(str(value.get("parse_mode")).lower(), Form.AUTO)
    flow = Flow(form)
    if place := pick.place(value.get("latitude"), value.get("longitude")):
        flow.show(location(value, place))
    elif {"phone_number", "first_name"} <= value.keys():
        flow.show(_contact(value))
    elif _is_group(value):
        for each in pick.listed(value.get("media")):
            _file(flow, Kind.IMAGE, each, each)
    else:
        for key, kind in _FILES.items():
            if isinstance(address := value.get(key), str):
                _file(flow, kind, address, value)
        flow.say(value.get("question") or value.get("text"), form)
        flow.choose(pick.buttons(value.get("options")))
    _keyboard(flow, value.get("reply_markup"))
    yield from flow.parts()


def _file(flow: Flow, kind: Kind, given: Any, value: Any) -> None:
    text = pick.first(value, "caption")
    flow.file(_FILES.get(pick.first(value, "type"), kind), given, "media", text=text)


def _keyboard(flow: Flow, markup: Any) -> None:
    if pick.is_object(markup):
        flow.choose(
            button
            for key in ("inline_keyboard", "keyboard")
            for button in pick.buttons(markup.get(key))
        )


def location(value: Json, place: tuple[float, float]) -> Part:
    """Return a location, with its name and address if present."""
    return Part(
        Kind.LOCATION,
        latitude=place[0],
        longitude=place[1],
        title=pick.title(value.get("title") or value.get("name")),
        address=pick.title(value.get("address")),
    )


def _contact(value: Json) -> Part:
    name = f"{pick.title(value.get('first_name'))} {pick.title(value.get('last_name'))}".strip()
    return Part(Kind.CONTACT, name=name, phone=pick.title(value.get("phone_number")))

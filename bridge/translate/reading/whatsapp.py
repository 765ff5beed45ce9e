"""Read the message objects of WhatsApp's Cloud API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Button, Form, Part
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json
from bridge.translate.reading.telegram import location

_FILES = {
    "image": Kind.IMAGE,
    "sticker": Kind.IMAGE,
    "audio": Kind.AUDIO,
    "video": Kind.VIDEO,
    "document": Kind.DOCUMENT,
}
_OBJECTS = {*_FILES, "interactive", "template", "location", "text", "contacts"}
_DEEPEST = 8  # levels of a template's components that are passed on
_MOST = 50  # items of each list in the components


def is_whatsapp(value: Json) -> bool:
    """Recognise ``{type: X, X: {...}}``; a template must have a name."""
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _OBJECTS:
        return False
    inner = value.get(kind)
    if kind == "template":
        return pick.is_object(inner) and "name" in inner
    return pick.is_object(inner) or (kind == "contacts" and pick.is_list(inner))


def read(value: Json) -> Iterator[Part]:
    """Read one message object."""
    kind = str(value.get("type"))
    inner = value.get(kind)
    if kind == "contacts":
        for each in pick.listed(inner):
            yield from _contact(each)
    elif not pick.is_object(inner):
        return
    elif kind == "template":
        yield template(inner, pick.words(value.get("text")))
    elif kind == "location":
        if place := pick.place(inner.get("latitude"), inner.get("longitude")):
            yield location(inner, place)
    else:
        yield from _message(kind, inner)


def _message(kind: str, inner: Json) -> Iterator[Part]:
    flow = Flow()
    if kind == "interactive":
        _interactive(flow, inner)
    elif kind == "text":
        flow.say(inner.get("body"))
    else:
        text, name = inner.get("caption"), inner.get("filename")
        flow.file(_FILES[kind], inner, "link", "url", "id", text=text, name=name)
    yield from flow.parts()


def _interactive(flow: Flow, inner: Json) -> None:
    header = inner.get("header")
    if pick.is_object(header):
        kind = str(header.get("type"))
        if kind in _FILES:
            flow.file(_FILES[kind], header.get(kind), "link", "id")
        else:
            flow.say(header.get("text"))
    flow.say(inner.get("body"))
    flow.say(inner.get("footer"))
    flow.choose(_offered(inner.get("action")))


def _offered(action: Any) -> Iterator[Button]:
    """Yield the reply buttons, the rows of a list, or the button that opens an address."""
    if not pick.is_object(action):
        return
    yield from pick.buttons(action.get("buttons"))
    sections = [each for each in pick.listed(action.get("sections")) if pick.is_object(each)]
    for section in sections:
        heading = pick.title(section.get("title")) if len(sections) > 1 else ""
        for each in pick.buttons(section.get("rows")):
            name = f"{heading}: {each.title}" if heading else each.title
            yield Button(name, each.payload, each.url, each.phone)
    opens = action.get("parameters")
    if pick.is_object(opens) and (url := pick.address(opens, "url")):
        yield Button(pick.title(opens.get("display_text")), url=url)


def template(inner: Json, text: str = "") -> Part:
    """Return a pre-approved template message: its name, language and parameters."""
    language = inner.get("language")
    code = language.get("code") if pick.is_object(language) else language
    components = pick.listed(inner.get("components"))
    parameters = [pick.title(each) for each in pick.listed(inner.get("parameters"))]
    return Part(
        Kind.WHATSAPP_TEMPLATE,
        text=text,
        form=Form.PLAIN,
        name=pick.title(inner.get("name")),
        language=pick.title(code),
        parameters=tuple(filter(None, (*parameters, *_values(components)))),
        components=_bounded(components, 0),
    )


def _values(components: list[Any]) -> Iterator[str]:
    for component in components:
        if pick.is_object(component) and component.get("type") != "button":
            for each in pick.listed(component.get("parameters")):
                yield pick.title(each)


def _bounded(value: Any, deep: int) -> Any:
    """Return the same JSON, truncated to limits that no valid template exceeds."""
    if pick.is_object(value) and deep < _DEEPEST:
        return {
            pick.title(key): _bounded(each, deep + 1) for key, each in list(value.items())[:_MOST]
        }
    if pick.is_list(value) and deep < _DEEPEST:
        return [_bounded(each, deep + 1) for each in value[:_MOST]]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        found = pick.number(value)
        return None if found is None else value
    return pick.words(value, pick.LONGEST_TITLE)


def _contact(value: Any) -> Iterator[Part]:
    if not pick.is_object(value):
        return
    for each in pick.listed(value.get("phones")) or [None]:
        name, phone = pick.title(value.get("name")), pick.first(each, "phone", "wa_id")
        if name or phone:
            yield Part(Kind.CONTACT, name=name, phone=pick.title(phone))

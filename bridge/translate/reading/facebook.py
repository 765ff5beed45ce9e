"""Read Facebook Messenger's templates, attachments and quick replies.

Many web widgets use this format too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Part, RichCard
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow, deck
from bridge.translate.reading.pick import Json

FILE_KINDS = {
    "image": Kind.IMAGE,
    "photo": Kind.IMAGE,
    "picture": Kind.IMAGE,
    "gif": Kind.ANIMATION,
    "audio": Kind.AUDIO,
    "voice": Kind.AUDIO,
    "video": Kind.VIDEO,
    "youtube": Kind.VIDEO,
    "file": Kind.DOCUMENT,
    "document": Kind.DOCUMENT,
    "pdf": Kind.DOCUMENT,
}
ADDRESS_KEYS = ("src", "url", "link", "href", "uri", "media_url", "attachment_id")


def is_message(value: Json) -> bool:
    """Recognise ``{attachment: {...}}`` and ``{message: {attachment | quick_replies}}``."""
    inner = value.get("message")
    return pick.is_object(value.get("attachment")) or (
        pick.is_object(inner) and bool({"attachment", "quick_replies"} & inner.keys())
    )


def read_message(value: Json) -> Iterator[Part]:
    """Read a message: its text, its attachment and its quick replies."""
    inner = value.get("message")
    message: Json = inner if pick.is_object(inner) else value
    flow = Flow()
    flow.say(message.get("text"))
    attachment = message.get("attachment")
    if pick.is_object(attachment):
        flow.show(*read_attachment(attachment))
    flow.choose(pick.buttons(message.get("quick_replies")))
    yield from flow.parts()


def is_attachment(value: Json) -> bool:
    """Recognise ``{type: template | image | ..., payload | src | url}`` or a bare template."""
    if _template(value):
        return True
    kind = value.get("type")
    known = isinstance(kind, str) and kind.lower() in FILE_KINDS
    return known and ("payload" in value or bool(pick.video(value, *ADDRESS_KEYS)))


def _template(value: Json) -> Json | None:
    """Return the object that has a ``template_type``: the payload or the value itself."""
    for each in (value.get("payload"), value):
        if pick.is_object(each) and isinstance(each.get("template_type"), str):
            return each
    return None


def read_attachment(value: Json) -> Iterator[Part]:
    """Read a template, or a file: ``{type: video, payload: {src, title}}``."""
    if template := _template(value):
        yield from read_template(template)
        return
    payload = value.get("payload")
    inner: Any = payload if pick.is_object(payload) or payload else value
    kind = FILE_KINDS.get(str(value.get("type")).lower(), Kind.DOCUMENT)
    flow = Flow()
    find = pick.video if kind is Kind.VIDEO else pick.address
    flow.file(
        kind,
        find(inner, *ADDRESS_KEYS),
        text=pick.first(inner, "title", "caption", "text") or pick.first(value, "title", "caption"),
        name=pick.first(inner, "alt", "name", "filename"),
    )
    yield from flow.parts()


def read_template(payload: Json) -> Iterator[Part]:
    """Read ``generic``, ``button``, ``media`` and other templates with elements or buttons."""
    flow = Flow()
    flow.say(payload.get("text") or payload.get("title"))
    elements = pick.listed(payload.get("elements"))
    if payload.get("template_type") == "media":
        for each in elements:
            _media(flow, each)
    else:
        flow.show(*deck(pick.card(each) for each in elements))
    flow.choose(pick.buttons(payload.get("buttons")))
    yield from flow.parts()


def _media(flow: Flow, element: Any) -> None:
    """Read a picture with its buttons as one card; a video has none on any channel."""
    offered = pick.buttons(element.get("buttons")) if pick.is_object(element) else ()
    url = pick.address(element, "url", "attachment_id")
    is_video = pick.first(element, "media_type") == "video"
    if is_video or not offered:
        flow.file(Kind.VIDEO if is_video else Kind.IMAGE, url)
        flow.choose(offered)
    else:
        flow.cards([RichCard(image=url, buttons=offered)])

"""Read the bridge's own shapes, for content that no Rasa connector can express.

``{type: email | sms_template | whatsapp_template | cobrowse | link}``; see docs/media.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bridge.config.media import Kind
from bridge.translate.parts import Form, Part
from bridge.translate.reading import pick
from bridge.translate.reading.pick import Json
from bridge.translate.reading.whatsapp import template


def is_ours(value: Json) -> bool:
    """Recognise an object with one of the types above."""
    return value.get("type") in _TYPES if isinstance(value.get("type"), str) else False


def read(value: Json) -> Iterator[Part]:
    """Read an object with one of the types above."""
    yield _TYPES[value["type"]](value)


def _email(value: Json) -> Part:
    html = value.get("html")
    return Part(
        Kind.EMAIL,
        subject=pick.title(value.get("subject")),
        text=pick.words(html or value.get("text") or value.get("body")),
        form=Form.HTML if html else Form.AUTO,
    )


def _sms_template(value: Json) -> Part:
    parameters = pick.listed(value.get("parameters"))
    return Part(
        Kind.SMS_TEMPLATE,
        name=pick.title(value.get("template") or value.get("name") or value.get("id")),
        text=pick.words(value.get("text")),
        form=Form.PLAIN,
        parameters=tuple(pick.title(each) for each in parameters),
    )


def _whatsapp_template(value: Json) -> Part:
    return template(value, pick.words(value.get("text")))


def _cobrowse(value: Json) -> Part:
    return Part(
        Kind.COBROWSE, title=pick.title(value.get("title")), url=pick.address(value, "url", "href")
    )


def _link(value: Json) -> Part:
    title, description = pick.title(value.get("title")), pick.title(value.get("description"))
    image, url = pick.address(value, "image", "image_url"), pick.address(value, "url", "href")
    kind = Kind.WEB_CARD if title and (description or image) else Kind.LINK
    return Part(kind, title=title, description=description, image=image, url=url)


_TYPES: Mapping[str, Callable[[Json], Part]] = {
    "email": _email,
    "sms_template": _sms_template,
    "whatsapp_template": _whatsapp_template,
    "cobrowse": _cobrowse,
    "link": _link,
}

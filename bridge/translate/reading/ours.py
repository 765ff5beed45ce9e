"""Shapes of our own, for what no connector of Rasa's can say; docs/media.md lists them.

``{type: email | sms_template | whatsapp_template | cobrowse | link}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bridge.config.media import Kind
from bridge.translate.parts import Form, Part
from bridge.translate.reading import pick
from bridge.translate.reading.pick import Json
from bridge.translate.reading.whatsapp import template


def is_ours(value: Json) -> bool:
    """One of the types above."""
    return value.get("type") in _TYPES if isinstance(value.get("type"), str) else False


def read(value: Json) -> Iterator[Part]:
    """One of them."""
    yield _TYPES[value["type"]](value)


def _email(value: Json) -> Part:
    written = value.get("html")
    return Part(
        Kind.EMAIL,
        subject=pick.title(value.get("subject")),
        text=pick.words(written or value.get("text") or value.get("body")),
        form=Form.HTML if written else Form.AUTO,
    )


def _sms_template(value: Json) -> Part:
    given = pick.listed(value.get("parameters"))
    return Part(
        Kind.SMS_TEMPLATE,
        name=pick.title(value.get("template") or value.get("name") or value.get("id")),
        text=pick.words(value.get("text")),
        form=Form.PLAIN,
        parameters=tuple(pick.title(each) for each in given),
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

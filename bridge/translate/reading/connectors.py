"""Read the messages of platforms for which Rasa has a connector but no format of its own.

Viber, Chatwoot, WeChat, Webex Teams and Google Chat (Hangouts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Button, Part, RichCard
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json
from bridge.translate.reading.telegram import location

# -- Viber -----------------------------------------------------------------------------------------

_VIBER_FILES = {
    "picture": Kind.IMAGE,
    "video": Kind.VIDEO,
    "file": Kind.DOCUMENT,
    "sticker": Kind.IMAGE,
}


def is_viber(value: Json) -> bool:
    """Recognise a message by its keyboard, or by its type and that type's key."""
    kind = value.get("type")
    if not isinstance(kind, str):
        return False
    keyboard = value.get("keyboard")
    return (
        (pick.is_object(keyboard) and "buttons" in keyboard)
        or (kind in (*_VIBER_FILES, "url") and isinstance(value.get("media"), str))
        or (kind == "rich_media" and pick.is_object(value.get("rich_media")))
        or (
            kind == "location"
            and pick.is_object(value.get("location"))
            and "lat" in value["location"]
        )
        or (kind == "contact" and pick.is_object(value.get("contact")))
    )


def read_viber(value: Json) -> Iterator[Part]:
    """Read one message and the keyboard below it."""
    flow = Flow()
    kind = str(value.get("type"))
    text, inner = value.get("text"), value.get(kind)
    if kind in _VIBER_FILES:
        flow.file(_VIBER_FILES[kind], value, "media", text=text, name=value.get("file_name"))
    else:
        flow.say(text)
    if kind == "url":
        flow.link(pick.address(value, "media"))
    elif pick.is_object(inner):
        _viber_object(flow, kind, inner)
    keyboard = value.get("keyboard")
    flow.choose(pick.buttons(keyboard.get("buttons")) if pick.is_object(keyboard) else ())
    yield from flow.parts()


def _viber_object(flow: Flow, kind: str, inner: Json) -> None:
    if kind == "rich_media":
        flow.choose(pick.buttons(inner.get("buttons")))
    elif kind == "contact":
        name, phone = pick.title(inner.get("name")), pick.title(inner.get("phone_number"))
        flow.show(Part(Kind.CONTACT, name=name, phone=phone))
    elif place := pick.place(inner.get("lat"), inner.get("lon")):
        flow.show(location(inner, place))


# -- Chatwoot --------------------------------------------------------------------------------------


_CHATWOOT_TYPES = ("text", "input_text", "input_select", "input_email", "cards", "form", "article")


def is_chatwoot(value: Json) -> bool:
    """Recognise a message by its ``content_type`` and text beside it."""
    return value.get("content_type") in _CHATWOOT_TYPES and "content" in value


def read_chatwoot(value: Json) -> Iterator[Part]:
    """Read the text, and the items as choices or as cards."""
    attributes = value.get("content_attributes")
    items = value.get("items") or pick.inside(attributes, "items")
    flow = Flow()
    flow.say(value.get("content"))
    if value.get("content_type") in ("cards", "article"):
        flow.cards(pick.card(each) for each in pick.listed(items))
    else:
        flow.choose(pick.buttons(items))
    yield from flow.parts()


# -- WeChat ----------------------------------------------------------------------------------------

_WECHAT_FILES = {
    "image": Kind.IMAGE,
    "voice": Kind.AUDIO,
    "video": Kind.VIDEO,
    "file": Kind.DOCUMENT,
}


def is_wechat(value: Json) -> bool:
    """Recognise a customer service message by its ``msgtype``."""
    return value.get("msgtype") in ("text", "news", "msgmenu", *_WECHAT_FILES)


def read_wechat(value: Json) -> Iterator[Part]:
    """Read one message."""
    kind = str(value.get("msgtype"))
    inner = value.get(kind)
    message: Json = inner if pick.is_object(inner) else value
    flow = Flow()
    if kind in _WECHAT_FILES:
        flow.file(_WECHAT_FILES[kind], message, "url", "media_url", text=message.get("title"))
    elif kind == "msgmenu":
        flow.say(message.get("head_content"))
        flow.choose(map(_option, filter(pick.is_object, pick.listed(message.get("list")))))
        flow.say(message.get("tail_content"))
    else:
        flow.say(message.get("content"))
        articles = message.get("articles") or value.get("articles")
        flow.cards(pick.card(_article(each)) for each in pick.listed(articles))
    yield from flow.parts()


def _option(item: Json) -> Button:
    return Button(pick.title(item.get("content")), payload=pick.title(item.get("id")))


def _article(article: Any) -> Any:
    """Return an article with its picture under the key of other cards."""
    return {**article, "image": article.get("picurl")} if pick.is_object(article) else article


# -- Webex Teams -----------------------------------------------------------------------------------


def is_webex(value: Json) -> bool:
    """Recognise a message by its ``files`` beside the text."""
    return pick.is_list(value.get("files")) and bool({"markdown", "text", "html"} & value.keys())


def read_webex(value: Json) -> Iterator[Part]:
    """Read the text and the files."""
    flow = Flow()
    flow.say(value.get("markdown") or value.get("html") or value.get("text"))
    for each in pick.listed(value.get("files")):
        flow.file(Kind.DOCUMENT, each)
    yield from flow.parts()


# -- Google Chat -----------------------------------------------------------------------------------


def is_google_chat(value: Json) -> bool:
    """Recognise cards that consist of sections."""
    return any("sections" in each for each in _chat_cards(value))


def read_google_chat(value: Json) -> Iterator[Part]:
    """Read the text and the cards."""
    flow = Flow()
    flow.say(value.get("text"))
    flow.cards(map(_chat_card, _chat_cards(value)))
    yield from flow.parts()


def _chat_cards(value: Json) -> list[Json]:
    cards = pick.listed(value.get("cards_v2") or value.get("cards"))
    inner = (each.get("card", each) for each in cards if pick.is_object(each))
    return [each for each in inner if pick.is_object(each)]


def _chat_card(value: Json) -> RichCard:
    header = value.get("header")
    lines = [pick.title(pick.first(header, "subtitle"))]
    images: list[str] = []
    buttons: list[Button] = []
    for section in filter(pick.is_object, pick.listed(value.get("sections"))):
        lines.append(pick.title(section.get("header")))
        for widget in filter(pick.is_object, pick.listed(section.get("widgets"))):
            for read in _CHAT_WIDGETS:
                words, image, offered = read(widget)
                lines.append(words)
                images.append(image)
                buttons += offered
    return RichCard(
        title=pick.title(pick.first(header, "title")),
        description="\n".join(filter(None, lines)),
        image=next(filter(None, images), pick.address(header, "image_url")),
        buttons=tuple(buttons),
    )


_Widget = tuple[str, str, tuple[Button, ...]]


def _chat_text(widget: Json) -> _Widget:
    paragraph, row = (
        widget.get("text_paragraph"),
        widget.get("key_value", widget.get("decorated_text")),
    )
    words = [pick.first(paragraph, "text")]
    words += [pick.first(row, key) for key in ("top_label", "content", "text", "bottom_label")]
    return "\n".join(filter(None, map(pick.title, words))), "", ()


def _chat_image(widget: Json) -> _Widget:
    return "", pick.address(widget.get("image"), "image_url"), ()


def _chat_buttons(widget: Json) -> _Widget:
    offered = pick.listed(widget.get("buttons") or pick.inside(widget, "button_list", "buttons"))
    return "", "", tuple(filter(None, map(_chat_button, offered)))


def _chat_button(value: Any) -> Button | None:
    for key in ("text_button", "image_button"):
        value = value.get(key, value) if pick.is_object(value) else value
    opened = pick.inside(value, "on_click", "open_link", "url")
    return pick.button({**value, "url": opened} if pick.is_object(value) else value)


_CHAT_WIDGETS: tuple[Callable[[Json], _Widget], ...] = (_chat_text, _chat_image, _chat_buttons)

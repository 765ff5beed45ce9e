"""Read Google Assistant's rich responses and the cards of Microsoft's Bot Framework."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.markup import without_tags
from bridge.translate.parts import Form, Part
from bridge.translate.reading import pick
from bridge.translate.reading.facebook import FILE_KINDS
from bridge.translate.reading.flow import Flow, card
from bridge.translate.reading.pick import Json

_DEEPEST = 8  # levels of containers in an adaptive card
_GOOGLE_CARDS = ("basic_card", "card", "table_card")
_DECKS = ("carousel_browse", "list_select", "carousel_select", "list", "collection")


# -- Google Assistant ----------------------------------------------------------------------------


def is_google(value: Json) -> bool:
    """Recognise a rich response or a prompt, either of them also within ``google``."""
    return _google(value) is not None


def _google(value: Json) -> Json | None:
    inside = (value.get("data"), value.get("payload"), value.get("google"))
    nested = [each.get("google") for each in inside if pick.is_object(each)]
    for each in (value, *inside, *nested):
        if pick.is_object(each) and (
            pick.is_object(each.get("rich_response"))
            or (pick.is_object(each.get("prompt")) and "first_simple" in each["prompt"])
        ):
            return each
    return None


def read_google(value: Json) -> Iterator[Part]:
    """Yield what is displayed, or what is spoken if nothing is displayed."""
    response = _google(value) or {}
    flow = Flow()
    rich, prompt = response.get("rich_response"), response.get("prompt")
    if pick.is_object(rich):
        for each in pick.listed(rich.get("items")):
            _item(flow, each)
        flow.choose(pick.buttons(rich.get("suggestions")))
        link = rich.get("link_out_suggestion")
        flow.link(pick.address(link), pick.first(link, "destination_name"))
    if pick.is_object(prompt):
        for key in ("first_simple", "last_simple"):
            _simple(flow, prompt.get(key))
        _item(flow, prompt.get("content"))
        flow.choose(pick.buttons(prompt.get("suggestions")))
    yield from flow.parts()


def _item(flow: Flow, item: Any) -> None:
    if not pick.is_object(item):
        return
    _simple(flow, item.get("simple_response"))
    for key in _GOOGLE_CARDS:
        if found := pick.card(item[key]) if pick.is_object(item.get(key)) else None:
            flow.show(card(found))
    for key in _DECKS:
        if pick.is_object(deck := item.get(key)):
            flow.say(deck.get("title"))
            flow.cards(pick.card(each) for each in pick.listed(deck.get("items")))
    if pick.is_object(image := item.get("image")):
        flow.file(Kind.IMAGE, image, name=image.get("alt"))


def _simple(flow: Flow, simple: Any) -> None:
    shown = pick.first(simple, "display_text", "text")
    flow.say(shown or without_tags(pick.first(simple, "text_to_speech", "ssml", "speech")))


# -- Bot Framework -------------------------------------------------------------------------------


def is_botframework(value: Json) -> bool:
    """Recognise an adaptive card, or attachments that name their ``contentType``."""
    if value.get("type") == "AdaptiveCard":
        return True
    return any(
        pick.is_object(each) and isinstance(each.get("content_type"), str)
        for each in pick.listed(value.get("attachments"))
    )


def read_botframework(value: Json) -> Iterator[Part]:
    """Read an adaptive card, or an activity with attachments and suggested actions."""
    flow = Flow()
    if value.get("type") == "AdaptiveCard":
        _adaptive(flow, value)
    else:
        flow.say(value.get("text"))
        for each in pick.listed(value.get("attachments")):
            _attached(flow, each)
        actions = value.get("suggested_actions")
        flow.choose(pick.buttons(actions.get("actions")) if pick.is_object(actions) else ())
    yield from flow.parts()


def _attached(flow: Flow, attachment: Any) -> None:
    if not pick.is_object(attachment):
        return
    kind, content = pick.first(attachment, "content_type"), attachment.get("content")
    if pick.is_object(content):
        if "adaptive" in kind:
            _adaptive(flow, content)
        elif found := pick.card(_hero(content)):
            flow.show(card(found))
        return
    media = FILE_KINDS.get(kind.partition("/")[0], Kind.DOCUMENT)
    flow.file(media, attachment, "content_url", name=attachment.get("name"))


def _hero(content: Json) -> Json:
    """Return a hero card with ``value`` copied to ``url`` in buttons of the type ``openUrl``."""
    opened = [
        {**each, "url": each.get("value")}
        if pick.is_object(each) and each.get("type") == "openUrl"
        else each
        for each in pick.listed(content.get("buttons"))
    ]
    return {**content, "buttons": opened}


def _adaptive(flow: Flow, content: Json) -> None:
    _elements(flow, content.get("body"), 0)
    flow.choose(pick.buttons(content.get("actions")))


def _elements(flow: Flow, value: Any, deep: int) -> None:
    if deep > _DEEPEST:
        return
    for each in pick.listed(value):
        if not pick.is_object(each):
            continue
        kind = each.get("type")
        if kind == "Image":
            flow.file(Kind.IMAGE, each, "url", name=each.get("alt_text"))
        elif kind == "FactSet":
            flow.say("\n".join(_fact(fact) for fact in pick.listed(each.get("facts"))))
        elif kind == "ActionSet":
            flow.choose(pick.buttons(each.get("actions")))
        else:
            flow.say(each.get("text") or each.get("label"), Form.AUTO)
            flow.choose(pick.buttons(each.get("choices")))
            for key in ("items", "columns", "images"):
                _elements(flow, each.get(key), deep + 1)


def _fact(fact: Any) -> str:
    return f"{pick.first(fact, 'title')}: {pick.first(fact, 'value')}"

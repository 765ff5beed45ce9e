"""Read web widgets, ``{payload: NAME, data | url | title}``, and lists of ``{answers}``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bridge.config.media import Kind
from bridge.translate.markup import without_tags
from bridge.translate.parts import Form, Part
from bridge.translate.reading import pick
from bridge.translate.reading.facebook import ADDRESS_KEYS, FILE_KINDS
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json
from bridge.translate.reading.telegram import location


def is_widget(value: Json) -> bool:
    """Recognise a payload whose name web widgets know."""
    return _name(value) in _WIDGETS


def _name(value: Json) -> str:
    name = value.get("payload")
    return name.replace("_", "").replace("-", "").lower() if isinstance(name, str) else ""


def read_widget(value: Json) -> Iterator[Part]:
    """Read one widget."""
    flow = Flow()
    _WIDGETS[_name(value)](flow, value)
    yield from flow.parts()


def _text(flow: Flow, value: Json) -> None:
    flow.say(value.get("text") or value.get("data") or value.get("title"))


def _collapsible(flow: Flow, value: Json) -> None:
    """Read headings with a text below each."""
    flow.say(value.get("title"))
    for each in pick.listed(value.get("data")):
        lines = (pick.first(each, "title", "label"), pick.first(each, "description", "text"))
        flow.say("\n".join(filter(None, lines)) or each)


_OFFERED = (
    *("data", "options", "buttons", "quick_replies", "items", "choices", "replies"),
    *("drop_down_data", "dropdown_data"),
)


def _choices(flow: Flow, value: Json) -> None:
    flow.say(value.get("title") or value.get("text"))
    flow.choose(pick.buttons(next(filter(None, map(value.get, _OFFERED)), None)))


def _cards(flow: Flow, value: Json) -> None:
    flow.say(value.get("title") or value.get("text"))
    flow.cards(pick.card(each) for each in pick.listed(value.get("data") or value.get("cards")))


def _chart(flow: Flow, value: Json) -> None:
    """Read a chart as lines of ``label: value``."""
    data = value.get("data")
    chart: Json = data if pick.is_object(data) else value
    flow.say(chart.get("title") or value.get("title"))
    labels, numbers = pick.listed(chart.get("labels")), pick.listed(chart.get("charts_data"))
    rows = [
        f"{pick.title(label)}: {pick.title(number)}"
        for label, number in zip(labels, numbers, strict=False)
    ]
    rows += [pick.title(each) for each in labels[len(rows) :]]
    flow.say("\n".join(filter(None, rows)))


def _location(flow: Flow, value: Json) -> None:
    """Read a location; without coordinates it is an event: the page asks for the location."""
    for each in (value, value.get("data")):
        if not pick.is_object(each):
            continue
        latitude = each.get("latitude", each.get("lat"))
        longitude = each.get("longitude", each.get("lng", each.get("lon")))
        if place := pick.place(latitude, longitude):
            flow.show(location(each, place))
            return
    flow.show(Part(Kind.EVENT, text=pick.words(value.get("title") or value.get("text"))))


def _file(kind: Kind) -> Callable[[Flow, Json], None]:
    def read(flow: Flow, value: Json) -> None:
        given = value.get("data")
        find = pick.video if kind is Kind.VIDEO else pick.address
        url = find(value, *ADDRESS_KEYS) or find(given, *ADDRESS_KEYS)
        caption = pick.first(value, "title", "caption", "text") or pick.first(given, "title")
        flow.file(kind, url, text=caption, name=pick.first(value, "alt"))

    return read


_WIDGETS: Mapping[str, Callable[[Flow, Json], None]] = {
    "text": _text,
    "pdfattachment": _file(Kind.DOCUMENT),
    "image": _file(Kind.IMAGE),
    "video": _file(Kind.VIDEO),
    "audio": _file(Kind.AUDIO),
    "collapsible": _collapsible,
    "dropdown": _choices,
    "quickreplies": _choices,
    "cardscarousel": _cards,
    "chart": _chart,
    "location": _location,
}


# -- answers -------------------------------------------------------------------------------------


def is_answers(value: Json) -> bool:
    """Recognise ``{answers: [{type: ...}]}``."""
    return pick.is_list(value.get("answers"))


def read_answers(value: Json) -> Iterator[Part]:
    """Read answers in order; skip speech markup if there is text, because it repeats the text."""
    answers = [each for each in pick.listed(value.get("answers")) if pick.is_object(each)]
    has_text = any(each.get("type") in ("html", "text") for each in answers)
    flow = Flow(Form.HTML)
    for answer in answers:
        flow.flush()  # each answer is a separate message
        kind = answer.get("type")
        if kind == "ssml" and has_text:
            continue
        reader = _ANSWERS.get(kind) if isinstance(kind, str) else None
        (reader or _any_answer)(flow, answer)
    yield from flow.parts()


def _inner(answer: Json, *keys: str) -> Any:
    """Return an answer's content: under one of ``keys``, its type's name or a generic key."""
    names = (*keys, str(answer.get("type")), "payload", "value", "data", "content", "items")
    return next((answer[key] for key in names if answer.get(key)), None)


def _html(flow: Flow, answer: Json) -> None:
    flow.say(_inner(answer, "html", "text"), Form.HTML)


def _ssml(flow: Flow, answer: Json) -> None:
    flow.say(without_tags(pick.words(_inner(answer, "ssml", "text"))), Form.PLAIN)


def _options(flow: Flow, answer: Json) -> None:
    flow.say(answer.get("title") or answer.get("question"))
    flow.choose(pick.buttons(_inner(answer, "buttons", "options", "choices", "hints", "text")))


def _links(flow: Flow, answer: Json) -> None:
    flow.say(answer.get("title"))
    flow.choose(pick.buttons(_inner(answer, "links", "buttons")))


def _video(flow: Flow, answer: Json) -> None:
    given = _inner(answer, "url", "src", "link", "id")
    url = pick.video(given) or pick.video(answer)
    flow.file(Kind.VIDEO, url, text=answer.get("title") or answer.get("text"))


def _images(flow: Flow, answer: Json) -> None:
    for each in pick.listed(_inner(answer, "images", "image", "url", "src")):
        caption = pick.first(each, "title", "caption") or pick.first(answer, "title", "caption")
        flow.file(Kind.IMAGE, each, text=caption, name=pick.first(each, "alt"))


def _carousel(flow: Flow, answer: Json) -> None:
    flow.say(answer.get("title"))
    flow.cards(pick.card(each) for each in pick.listed(_inner(answer, "cards", "elements")))


def _command(flow: Flow, answer: Json) -> None:
    flow.show(Part(Kind.EVENT, text=pick.words(answer.get("text"))))


def _any_answer(flow: Flow, answer: Json) -> None:
    kind = FILE_KINDS.get(str(answer.get("type")).lower())
    if kind:
        flow.file(kind, _inner(answer, *ADDRESS_KEYS), text=answer.get("title"))
    else:
        flow.say(pick.first(answer, "text", "html", "title", "message"))
        flow.choose(pick.buttons(answer.get("buttons")))


_ANSWERS: Mapping[str, Callable[[Flow, Json], None]] = {
    "html": _html,
    "text": _html,
    "ssml": _ssml,
    "hints": _options,
    "multichoice": _options,
    "links": _links,
    "youtube": _video,
    "video": _video,
    "image": _images,
    "carousel": _carousel,
    "command": _command,
}

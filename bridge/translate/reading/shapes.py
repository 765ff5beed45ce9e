"""The table of shapes: for each dialect, how its payload is recognised and which function reads it.

The first matching shape is used. Every shape is registered here; those that ``media.yml`` defines
for a bot's own payloads come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.config.media import Kind, ShapeRow
from bridge.translate.parts import Form, Part, RichCard, choices
from bridge.translate.reading import (
    anything,
    assistants,
    connectors,
    decks,
    facebook,
    line,
    ours,
    pick,
    slack,
    telegram,
    twilio,
    whatsapp,
    widgets,
)
from bridge.translate.reading.door import Door
from bridge.translate.reading.flow import card
from bridge.translate.reading.pick import Json

ANY = "*"  # in a match: any value except null


@dataclass(frozen=True, slots=True)
class Shape:
    """A row of the table: a predicate that recognises a payload, and the function that reads it.

    Attributes:
        repeats: keys whose words repeat the rest, for notifications and old clients.
    """

    name: str
    matches: Callable[[Json], bool]
    read: Callable[[Json], Iterator[Part]]
    repeats: tuple[str, ...] = ()


def _is_event(value: Json) -> bool:
    """Recognise an event for the page: ``{data: {event_type}}``, typing, a reaction."""
    inner = value.get("data")
    return (
        (pick.is_object(inner) and "event_type" in inner)
        or ("event_type" in value and not pick.first(value, "text"))
        or "sender_action" in value
        or ("action" in value and "chat_id" in value)
        or value.get("type") in ("command", "event", "typing", "reaction")
    )


def _event(value: Json) -> Iterator[Part]:
    words = pick.first(value, "text", "title") or pick.first(value.get("data"), "text", "title")
    yield Part(Kind.EVENT, text=words)


def _is_card(value: Json) -> bool:
    """Recognise a single card: ``{title, subtitle | image_url | buttons | default_action}``."""
    keys = {"subtitle", "image_url", "buttons", "default_action"}
    return bool(keys & value.keys()) and bool(pick.first(value, "title", "text", "subtitle"))


def _card(value: Json) -> Iterator[Part]:
    if set(value) <= {"text", "buttons"}:
        yield choices(pick.words(value.get("text")), pick.buttons(value.get("buttons")))
    elif found := pick.card(value):
        yield card(found)


SHAPES: tuple[Shape, ...] = (
    Shape("event", _is_event, _event),
    Shape("answers", widgets.is_answers, widgets.read_answers),
    Shape("slack", slack.is_slack, slack.read, repeats=("text",)),
    Shape("botframework", assistants.is_botframework, assistants.read_botframework),
    Shape("whatsapp", whatsapp.is_whatsapp, whatsapp.read),
    Shape("line", line.is_line, line.read),
    Shape("google", assistants.is_google, assistants.read_google),
    Shape("facebook", facebook.is_message, facebook.read_message),
    Shape("ours", ours.is_ours, ours.read),
    Shape("widget", widgets.is_widget, widgets.read_widget),
    Shape("attachment", facebook.is_attachment, facebook.read_attachment),
    Shape("telegram", telegram.is_telegram, telegram.read),
    Shape("viber", connectors.is_viber, connectors.read_viber),
    Shape("chatwoot", connectors.is_chatwoot, connectors.read_chatwoot),
    Shape("wechat", connectors.is_wechat, connectors.read_wechat),
    Shape("webex", connectors.is_webex, connectors.read_webex),
    Shape("google_chat", connectors.is_google_chat, connectors.read_google_chat),
    Shape("deck", decks.is_deck, decks.read),
    Shape("card", _is_card, _card),
    Shape("twilio", twilio.is_twilio, twilio.read),
    Shape("message", anything.is_message, anything.read),
)


def own_shape(row: ShapeRow) -> Shape:
    """Build a shape from a row of ``media.yml``."""

    def matches(value: Json) -> bool:
        return all(_holds(value, path, wanted) for path, wanted in row.match.items())

    def read(value: Json) -> Iterator[Part]:
        yield from _own_part(row, value)

    name = ", ".join(f"{path}: {wanted}" for path, wanted in row.match.items())
    return Shape(name, matches, read)


def _at(value: Any, path: str) -> Any:
    """Return the value at a path such as ``data.items.0.title``, or None."""
    for step in path.split("."):
        if pick.is_object(value):
            value = value.get(step)
        elif pick.is_list(value) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _holds(value: Json, path: str, wanted: object) -> bool:
    value_at = _at(value, path)
    if wanted == ANY:
        return value_at is not None
    return type(value_at) is type(wanted) and value_at == wanted


def _own_part(row: ShapeRow, value: Json) -> Iterator[Part]:
    door = Door()
    fields = {name: door.admit(_at(value, path)) for name, path in row.fields.items()}
    place = pick.place(fields.get("latitude"), fields.get("longitude"))
    offered = pick.buttons(fields.get("buttons"))
    cards = tuple(filter(None, (pick.card(each) for each in pick.listed(fields.get("cards")))))
    url, image = pick.address(fields.get("url")), pick.address(fields.get("image"))
    title, description = pick.title(fields.get("title")), pick.title(fields.get("description"))
    if row.as_ in (Kind.BUTTONS, Kind.LINKS):
        yield choices(pick.words(fields.get("text") or fields.get("title")), offered)
        return
    if row.as_ is Kind.CARD and not cards:
        cards = (RichCard(title, description, image, url, offered),)
    yield Part(
        row.as_,
        text=pick.words(fields.get("text")),
        form=Form.HTML if row.as_ is Kind.MARKUP else Form.AUTO,
        title=title,
        description=description,
        url=url,
        image=image,
        buttons=offered,
        cards=cards,
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        address=pick.title(fields.get("address")),
        phone=pick.title(fields.get("phone")),
        name=pick.title(fields.get("name")),
        language=pick.title(fields.get("language")),
        parameters=tuple(pick.title(each) for each in pick.listed(fields.get("parameters"))),
        subject=pick.title(fields.get("subject")),
    )

"""The parts of a reply, independent of the bot's dialect: the values between reading and writing.

A reader turns JSON into parts, and ``fallback.py`` turns parts into drafts. Strings in parts are
clean (see ``text.clean``); addresses are as the bot wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from bridge.config.media import Kind


class Form(Enum):
    """The markup language of a text."""

    AUTO = "auto"  # markdown or HTML if it is detected, else plain
    PLAIN = "plain"  # as written: an agent's own text
    MARKDOWN = "markdown"
    HTML = "html"
    SLACK = "slack"  # Slack's mrkdwn


SKIPPED = "event_skipped"  # the code of the note on a part that is not meant for the customer


@dataclass(frozen=True, slots=True)
class Button:
    """A choice that replies with its payload, opens an address, or calls a number."""

    title: str
    payload: str = ""
    url: str = ""
    phone: str = ""

    @property
    def type(self) -> str:
        """Return the button's type in the JSON sent to the gateway."""
        return "url" if self.url else "phone" if self.phone else "reply"


@dataclass(frozen=True, slots=True)
class RichCard:
    """A card: title, description, picture, address and buttons."""

    title: str = ""
    description: str = ""
    image: str = ""
    url: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One item for the customer; its kind determines which fields are used."""

    kind: Kind
    text: str = ""  # a message, a caption, or the text above buttons
    form: Form = Form.AUTO
    title: str = ""
    description: str = ""
    url: str = ""
    image: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[RichCard, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    address: str = ""
    phone: str = ""
    name: str = ""  # of a template or a person
    language: str = ""
    parameters: tuple[str, ...] = ()
    components: Any = None  # of a WhatsApp template: JSON of bounded size
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the translation: a fallback, a cut or an omission.

    The code is for counters; the sentence is for people and contains nothing a customer wrote.
    """

    code: str
    sentence: str
    draft: int | None = None  # the index of the first draft that it explains


def choices(text: str, buttons: tuple[Button, ...], form: Form = Form.AUTO) -> Part:
    """Return a part of text with buttons below it."""
    kind = Kind.LINKS if any(button.type != "reply" for button in buttons) else Kind.BUTTONS
    return Part(kind, text=text, form=form, buttons=buttons)

"""What a reply holds, freed of the dialect that said it: between reading and writing.

A reader turns JSON into parts, ``fallback`` turns parts into drafts. Strings here are clean (see
``text.clean``) and addresses are as the bot wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from bridge.config.media import Kind


class Form(Enum):
    """How words are marked up."""

    AUTO = "auto"  # markdown or HTML where it is found, else plain
    PLAIN = "plain"  # as written: an agent's own text
    MARKDOWN = "markdown"
    HTML = "html"
    SLACK = "slack"  # Slack's mrkdwn


SKIPPED = "event_skipped"  # the code of a note: something was not meant for the customer


@dataclass(frozen=True, slots=True)
class Button:
    """One choice: it answers with its payload, opens an address, or calls a number."""

    title: str
    payload: str = ""
    url: str = ""
    phone: str = ""

    @property
    def type(self) -> str:
        """The word for it in the wire's JSON."""
        return "url" if self.url else "phone" if self.phone else "reply"


@dataclass(frozen=True, slots=True)
class Card:
    """Title, words, picture, address and choices."""

    title: str = ""
    description: str = ""
    image: str = ""
    url: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the customer is to get; which fields count depends on the kind."""

    kind: Kind
    text: str = ""  # words to read: a message, a caption, what stands above buttons
    form: Form = Form.AUTO
    title: str = ""
    description: str = ""
    url: str = ""
    image: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[Card, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    address: str = ""
    phone: str = ""
    name: str = ""  # of a template, or a person
    language: str = ""
    parameters: tuple[str, ...] = ()
    components: Any = None  # WhatsApp's, bounded JSON
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling: a fallback, a cut, something left out.

    The code is a word for counters; the sentence is for people and holds no customer's words.
    """

    code: str
    sentence: str
    draft: int | None = None  # the first draft that it explains, by its place


def choices(text: str, buttons: tuple[Button, ...], form: Form = Form.AUTO) -> Part:
    """Words with buttons under them."""
    kind = Kind.LINKS if any(each.type != "reply" for each in buttons) else Kind.BUTTONS
    return Part(kind, text=text, form=form, buttons=buttons)

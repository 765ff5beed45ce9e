"""Read the arguments that Rasa's Twilio channel passes on: ``{body, media_url}``."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.media import Kind
from bridge.translate.parts import Part
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json


def is_twilio(value: Json) -> bool:
    """Recognise a message by its files, or by its text beside the service that sends it."""
    return "media_url" in value or {"body", "messaging_service_sid"} <= value.keys()


def read(value: Json) -> Iterator[Part]:
    """Read the files, the first with the text as its caption."""
    flow = Flow()
    text = value.get("body") or value.get("text")
    for number, each in enumerate(pick.listed(value.get("media_url")) or [None]):
        flow.file(Kind.IMAGE, each, text=None if number else text)
    yield from flow.parts()

"""Translate a reply for a channel and its size limits into drafts, notes and refusals.

A ``Translator`` is built once from ``media.yml``, is pure and may be shared between threads. It
never raises, whatever JSON a reply consists of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.config.media import Kind, MediaSettings
from bridge.model import Channel, Draft, Reply
from bridge.translate import channels, kinds
from bridge.translate.fallback import fall_back
from bridge.translate.files import Files
from bridge.translate.parts import SKIPPED, Note, Part
from bridge.translate.plain import plain
from bridge.translate.platforms import platforms
from bridge.translate.reading import RICH_KEYS, Reading, ReadingContext
from bridge.translate.reading.pick import LONGEST_TEXT
from bridge.translate.reading.shapes import own_shape
from bridge.translate.rows import RenderContext
from bridge.translate.shortcodes import is_plain
from bridge.translate.text import clean
from bridge.translate.writer import Room, Writer


@dataclass(frozen=True, slots=True)
class Translation:
    """The result of translating a reply."""

    drafts: tuple[Draft, ...] = ()
    notes: tuple[Note, ...] = ()  # fallbacks, cuts, omissions and skipped parts
    refused: tuple[Note, ...] = ()  # parts that are not sent at all, with the reason


class Translator:
    """Translates replies with the mapping tables compiled from ``media.yml``.

    Args:
        settings: the contents of ``media.yml``.
    """

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._rows = channels.channel_rows(settings)
        self._private = {
            channel: channels.private(row, settings) for channel, row in self._rows.items()
        }
        self._rasa = channels.rasa_channels(settings)
        self._templates = kinds.templates(settings)
        self._shapes = tuple(own_shape(row) for row in settings.shapes)
        self._platforms = platforms(self._rasa)
        self._context = RenderContext(
            rows=kinds.rows(settings),
            files=Files(settings),
            on_unknown_file=settings.on_unknown_file,
            max_items=settings.max_items,
        )

    def rasa_channel(self, name: str) -> channels.RasaChannel | None:
        """Return the row of a Rasa channel, or None if the table has none."""
        return self._rasa.get(name)

    def translate(self, reply: Reply, channel: Channel, room: Room) -> Translation:
        """Translate a reply into drafts, in the order in which Rasa would send them.

        Args:
            reply: what the bot said or would say; any JSON.
            channel: the gateway channel to translate for.
            room: the size limits of one content.
        """
        writer = self._writer(channel, room)
        if (text := _only_text(reply)) is not None and is_plain(text):
            writer.words(text)
            return _done(writer)
        reading = Reading(self._reading_context(channel))
        try:
            if text is not None and len(text) <= LONGEST_TEXT:
                fall_back(Part(Kind.TEXT, text=clean(text).strip()), writer, self._context)
            else:
                self._write(reading.reply(reply), writer)
        except Exception as error:  # noqa: BLE001 - one odd part must not lose the rest of the reply
            writer.refuse("unreadable", f"the reply could not be read ({type(error).__name__})")
        for each in reading.refused:
            writer.refuse(each.code, each.sentence)
        writer.notes[:0] = reading.notes
        return _done(writer)

    def text(self, text: str, channel: Channel, room: Room) -> Translation:
        """Translate an agent's own text into drafts; markup in it is not interpreted."""
        writer = self._writer(channel, room)
        writer.words(clean(text))
        return _done(writer)

    def plain(self, draft: Draft, channel: Channel, *, text_only: bool = False) -> str | None:
        """Return the readable text of a draft made for ``channel``, or None if it has no text."""
        row = (self._private if text_only else self._rows)[channel]
        return plain(draft, rendered=row.html)

    def _reading_context(self, channel: Channel) -> ReadingContext:
        def is_for(platform: str) -> bool:
            return self._platforms.get(platform.lower(), channel) is channel

        def is_known(address: str) -> bool:
            return self._context.files.find(address) is not None

        has_base = self._settings.base_url is not None
        return ReadingContext(self._shapes, is_for, is_known, has_base)

    def _writer(self, channel: Channel, room: Room) -> Writer:
        row = (self._private if room.text_only else self._rows)[channel]
        return Writer(channel, row, room, self._settings, self._templates, self._context.files)

    def _write(self, parts: Iterator[Part], writer: Writer) -> None:
        for part in parts:
            if writer.full:
                writer.leave_out()
                return
            fall_back(part, writer, self._context)


def _only_text(reply: Any) -> str | None:
    """Return the text of a reply, or None if the reply contains anything else."""
    if not isinstance(reply, dict) or not isinstance(text := reply.get("text"), str):
        return None
    return None if any(map(reply.get, RICH_KEYS)) else text


def _done(writer: Writer) -> Translation:
    skipped = any(each.code == SKIPPED for each in writer.notes)
    if not writer.drafts and not writer.refused and not skipped:
        writer.refuse("empty_reply", "the reply holds nothing to send")
    return Translation(tuple(writer.drafts), tuple(writer.notes), tuple(writer.refused))


__all__ = ["Translation", "Translator"]

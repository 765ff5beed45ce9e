"""A reply, a channel and a room in; drafts, notes and refusals out.

Built once from ``media.yml``; pure, and safe to share between threads. It never raises, whatever
JSON a reply is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.config.media import Kind, MediaSettings
from bridge.model import Channel, Draft, Reply
from bridge.translate import channels, media
from bridge.translate.fallback import fall_back
from bridge.translate.files import Files
from bridge.translate.parts import SKIPPED, Note, Part
from bridge.translate.plain import plain
from bridge.translate.reading import RICH_KEYS, Reading
from bridge.translate.reading.pick import LONGEST_TEXT
from bridge.translate.reading.shapes import own_shape
from bridge.translate.renderers import RenderContext
from bridge.translate.text import SUSPICIOUS, clean
from bridge.translate.writer import Room, Writer


@dataclass(frozen=True, slots=True)
class Translation:
    """What a reply became."""

    drafts: tuple[Draft, ...] = ()
    notes: tuple[Note, ...] = ()  # fallbacks, cuts, what was left out or skipped
    refused: tuple[Note, ...] = ()  # what is not sent at all, and why


class Translator:
    """The tables, compiled.

    Args:
        settings: ``media.yml``.
    """

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._rows = channels.channel_rows(settings)
        self._private = {
            channel: channels.private(row, settings) for channel, row in self._rows.items()
        }
        self._rasa = channels.rasa_channels(settings)
        self._templates = media.templates(settings)
        self._shapes = tuple(own_shape(row) for row in settings.shapes)
        self._context = RenderContext(
            fallbacks=media.fallbacks(settings),
            files=Files(settings),
            on_unknown_file=settings.on_unknown_file,
            max_items=settings.max_items,
        )

    def rasa_channel(self, name: str) -> channels.RasaChannel | None:
        """The row of a Rasa channel, None where the table has none."""
        return self._rasa.get(name)

    def translate(self, reply: Reply, channel: Channel, room: Room) -> Translation:
        """The drafts of a reply, in Rasa's order of sending.

        Args:
            reply: what the bot said or would say; any JSON.
            channel: where it goes.
            room: how much one content may hold.
        """
        writer = self._writer(channel, room)
        if (text := _only_text(reply)) is not None and not SUSPICIOUS.search(text):
            writer.words(text)
            return _done(writer)
        reading = Reading(self._shapes)
        try:
            if text is not None and len(text) <= LONGEST_TEXT:
                fall_back(Part(Kind.TEXT, text=clean(text).strip()), writer, self._context)
            else:
                self._write(reading.reply(reply), writer)
        except Exception as error:  # noqa: BLE001 - one odd reply must not cost a customer the rest
            writer.refuse("unreadable", f"the reply could not be read ({type(error).__name__})")
        for each in reading.refused:
            writer.refuse(each.code, each.sentence)
        writer.notes[:0] = reading.notes
        return _done(writer)

    def text(self, text: str, channel: Channel, room: Room) -> Translation:
        """The drafts of an agent's own words: plain, whatever they hold."""
        writer = self._writer(channel, room)
        writer.words(clean(text))
        return _done(writer)

    def plain(self, draft: Draft, channel: Channel, *, text_only: bool = False) -> str | None:
        """What a person reads of a draft that was made for ``channel``; None if it is no words."""
        row = (self._private if text_only else self._rows)[channel]
        return plain(draft, rendered=row.html)

    def _writer(self, channel: Channel, room: Room) -> Writer:
        row = (self._private if room.text_only else self._rows)[channel]
        return Writer(channel, row, room, self._settings, self._templates)

    def _write(self, parts: Iterator[Part], writer: Writer) -> None:
        for part in parts:
            if writer.full:
                writer.leave_out()
                return
            fall_back(part, writer, self._context)


def _only_text(reply: Any) -> str | None:
    """The text of a reply that holds nothing else."""
    if not isinstance(reply, dict) or not isinstance(text := reply.get("text"), str):
        return None
    return None if any(map(reply.get, RICH_KEYS)) else text


def _done(writer: Writer) -> Translation:
    skipped = any(each.code == SKIPPED for each in writer.notes)
    if not writer.drafts and not writer.refused and not skipped:
        writer.refuse("empty_reply", "the reply holds nothing to send")
    return Translation(tuple(writer.drafts), tuple(writer.notes), tuple(writer.refused))


__all__ = ["Translation", "Translator"]

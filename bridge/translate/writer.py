"""Write drafts within the limits: measure every content, split long text, count messages.

A writer serves one reply, one channel and one set of limits. ``renderers.py`` decides what a part
becomes; every draft is created through ``Writer.add``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from bridge.config.media import MediaSettings
from bridge.config.templates import Template
from bridge.model import Channel, Draft, MediaType
from bridge.translate.blocks import Block, direction
from bridge.translate.files import Files
from bridge.translate.literal import original, original_html, original_json
from bridge.translate.parts import Note
from bridge.translate.sms import segments
from bridge.translate.text import escape, is_blank, json_size, split
from bridge.translate.view import Style, View

_WIDEST = 4  # the most bytes of one character of clean text in UTF-8; an escaped quote takes 2
_MORE = " ..."  # appended to truncated text; these characters are in the SMS alphabet too
_NUMBER = " ({0}/{1})"


@dataclass(frozen=True, slots=True)
class Room:
    """The size limits of one content."""

    limit: int  # bytes of UTF-8
    overhead: int  # bytes around the content that count towards the limit
    as_json: bool  # the content is measured in its form inside a JSON string
    chars: int | None = None  # an additional limit in characters, if one is configured
    text_only: bool = False  # a private deployment carries only text


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """The media types that a gateway channel takes, and how it displays text."""

    takes: frozenset[MediaType]
    text: MediaType = MediaType.TEXT  # the media type of plain text
    markup: Literal["plain", "html", "whatsapp"] = "plain"  # how the channel reads text
    buttons: bool = False  # a text with buttons becomes a CARD; else numbered text
    max_chars: int | None = None  # the longest text of one message, in characters
    max_segments: int | None = None  # SMS: the most segments of one concatenated message

    @property
    def html(self) -> bool:
        """Return whether text is rendered as HTML: it is escaped, and line breaks are <br>."""
        return self.markup == "html"

    @property
    def rich(self) -> MediaType | None:
        """Return the media type of formatted text, or None if the channel takes only plain text."""
        if MediaType.RICHTEXT in self.takes:
            return MediaType.RICHTEXT
        return self.text if self.text is MediaType.EMAIL and self.html else None

    def accepts(self, media_type: MediaType) -> bool:
        """Return whether a part can be written as ``media_type``; every channel has a text type."""
        if media_type is MediaType.RICHTEXT:
            return self.rich is not None
        return media_type is MediaType.TEXT or media_type in self.takes


@dataclass(frozen=True, slots=True)
class _OpenEmail:
    """The e-mail of a reply, to which further text is added while it fits."""

    place: int  # the index of its draft
    body: str
    subject: str
    in_blocks: bool  # whether the body ends with an HTML block


class Writer:
    """Collects the drafts, notes and refusals of one reply."""

    def __init__(
        self,
        channel: Channel,
        row: ChannelRow,
        room: Room,
        media: MediaSettings,
        templates: dict[str, Template],
        files: Files,
    ) -> None:
        self.channel = channel
        self.row = row
        self.room = room
        self.drafts: list[Draft] = []
        self.notes: list[Note] = []
        self.refused: list[Note] = []
        self._media = media
        self._templates = templates
        self._files = files
        self._view: View | None = None
        self._budget = room.limit - room.overhead
        self._email: _OpenEmail | None = None
        caps = [cap for cap in (room.chars, row.max_chars) if cap is not None]
        self._chars = min(caps, default=None)

    @property
    def full(self) -> bool:
        """Return whether the reply has reached the maximum number of messages."""
        return len(self.drafts) >= self._media.max_messages

    def place(self, draft: int) -> int:
        """Return where the text is that was to become the draft at this index.

        That is an earlier draft if the text was added to the reply's e-mail.
        """
        return draft if draft < len(self.drafts) or self._email is None else self._email.place

    @property
    def view(self) -> View:
        """Return how the channel shows the parts of this reply as text."""
        if self._view is None:
            style = Style.WHATSAPP if self.row.markup == "whatsapp" else Style.PLAIN
            self._view = View(self._files, style)
        return self._view

    def note(self, code: str, sentence: str, draft: int | None = None) -> None:
        """Add a note, unless the same note was added before."""
        note = Note(code, sentence, None if draft is None else self.place(draft))
        if note not in self.notes:
            self.notes.append(note)

    def refuse(self, code: str, sentence: str) -> None:
        """Record that a part of the reply is not sent, unless it was recorded before."""
        refusal = Note(code, sentence)
        if refusal not in self.refused:
            self.refused.append(refusal)

    def fits(self, content: str) -> bool:
        """Return whether ``content`` fits in one message."""
        if self._chars is not None and len(content) > self._chars:
            return False
        if self.row.max_segments and segments(content) > self.row.max_segments:
            return False
        if len(content) * _WIDEST <= self._budget:
            return True
        size = json_size(content) if self.room.as_json else len(content.encode())
        return size <= self._budget

    def add(self, draft: Draft) -> None:
        """Add a draft, or a note if the reply is full."""
        if self.full:
            self.leave_out()
        else:
            self.drafts.append(draft)

    def leave_out(self) -> None:
        """Add a note that the rest of the reply exceeds the maximum number of messages."""
        most = self._media.max_messages
        self.note("left_out", f"a reply becomes {most} messages at most: the rest was left out")

    def render(self, name: str, values: dict[str, object]) -> str | None:
        """Render the template ``name`` with ``values``; return None if there is no template."""
        template = self._templates.get(name)
        if template is None:
            return None
        return template.render({field: encode(values.get(field, "")) for field in template.fields})

    # -- plain text ------------------------------------------------------------------------------

    def words(self, text: str, subject: str = "") -> bool:
        """Write plain text in the channel's text type, split into as many messages as needed.

        Returns:
            Whether the text is not blank and there was room for it.
        """
        text = text.strip()
        if not text.isascii():
            text = original(text)
        if is_blank(text):
            return False
        if self._fits_text(text, subject):
            return True
        if self.full:
            self.leave_out()
            return True
        pieces, left = self._cut(text, subject)
        total = len(pieces)
        for number, piece in enumerate(pieces, 1):
            ending = _NUMBER.format(number, total) if self._numbers(total) else ""
            self._add_text(self._body(piece + ending), subject)
        if left:
            self.note("left_out", f"{left:,} characters at the end of the text were left out")
        if not pieces:
            self.refuse("no_room", "the limit leaves no room for words beside the other fields")
        return bool(pieces)

    def _fits_text(self, text: str, subject: str) -> bool:
        """Add a text that fits in one message, if it does."""
        body = self._body(text)
        if self._joins_email(body, subject):
            return True
        if self.fits(self._with_subject(body, subject)):
            self._add_text(body, subject)
            return True
        return False

    def _numbers(self, total: int) -> bool:
        return self._media.part_numbers and total > 1

    def _cut(self, text: str, subject: str) -> tuple[list[str], int]:
        reserve = _NUMBER.format(99, 99) if self._media.part_numbers else ""
        most = self._media.max_messages - len(self.drafts)
        reach = max(self._budget, 1)
        start = text[: (most + 1) * reach]
        pieces, left = split(
            start,
            lambda piece: self.fits(self._written(piece + reserve, subject)),
            reach=reach,
            most=most,
        )
        left += len(text) - len(start)
        if left and pieces:
            last, _ = split(
                pieces[-1],
                lambda piece: self.fits(self._written(piece + _MORE + reserve, subject)),
                reach=reach,
                most=1,
            )
            left += len(pieces[-1]) - sum(map(len, last))
            pieces[-1:] = [each + _MORE for each in last]
        return pieces, left

    def _body(self, text: str) -> str:
        """Return text as the channel reads it."""
        if self.row.markup != "html":
            return text
        towards = "" if text.isascii() else direction(text)
        return f"<div{towards}>{escape(text)}</div>" if towards else escape(text)

    def _written(self, text: str, subject: str) -> str:
        return self._with_subject(self._body(text), subject)

    # -- one e-mail per reply --------------------------------------------------------------------

    def _add_text(self, body: str, subject: str, *, in_blocks: bool = False) -> None:
        """Add a draft of text; on EMAIL, it stays open for the text that follows."""
        if self.row.text is MediaType.EMAIL and not self.full:
            self._email = _OpenEmail(len(self.drafts), body, subject, in_blocks)
        self.add(Draft(self.row.text, self._with_subject(body, subject)))

    def _joins_email(self, body: str, subject: str, *, in_blocks: bool = False) -> bool:
        """Add text to the reply's e-mail; return False if there is none, or it does not fit."""
        email = self._email
        if email is None or (subject and email.subject and subject != email.subject):
            return False
        if email.in_blocks and not in_blocks:
            body, in_blocks = f"<p>{body}</p>", True
        whole = email.body + self._separator(in_blocks=in_blocks) + body
        named = email.subject or subject
        if not self.fits(content := self._with_subject(whole, named)):
            return False
        self.drafts[email.place] = Draft(self.row.text, content)
        self._email = _OpenEmail(email.place, whole, named, in_blocks)
        return True

    def _separator(self, *, in_blocks: bool) -> str:
        return "\n" if in_blocks else self._body("\n\n")

    def _with_subject(self, content: str, subject: str) -> str:
        subject = subject or (self._media.email_subject or "")
        if self.row.text is not MediaType.EMAIL or not subject or self.room.text_only:
            return content
        return self.render("EMAIL", {"subject": subject, "content": content}) or content

    # -- formatted text --------------------------------------------------------------------------

    def blocks(self, blocks: tuple[Block, ...], subject: str = "") -> bool:
        """Write formatted text, with as many blocks per message as fit.

        Returns:
            Whether anything was written, or the reply is full.
        """
        if self.row.rich is None:
            return False
        written, pending = False, ""
        for block in blocks:
            if self.full:
                break
            html = original_html(block.html)
            joined = f"{pending}\n{html}" if pending else html
            if self.fits(self._dressed(joined, subject)):
                pending = joined
                continue
            written = self._rich(pending, subject) or written
            pending = html
            if not self.fits(self._dressed(pending, subject)):
                pending = ""
                self.note("markup_as_text", "a paragraph is too long for one message with markup")
                written = self.words(block.plain, subject) or written
        return self._rich(pending, subject) or written or self.full

    def _rich(self, html: str, subject: str) -> bool:
        """Add formatted text; return whether there is any."""
        if not html or not self.row.rich:
            return False
        if self.row.rich is not MediaType.EMAIL:
            self.add(Draft(self.row.rich, self._dressed(html, subject)))
        elif not self._joins_email(html, subject, in_blocks=True):
            self._add_text(html, subject, in_blocks=True)
        return True

    def _dressed(self, html: str, subject: str) -> str:
        if self.row.rich is MediaType.EMAIL:
            return self._with_subject(html, subject)
        return self.render("RICHTEXT", {"content": html}) or html


class Encoded(str):
    """A value that is already JSON text."""

    __slots__ = ()


def encode(value: object) -> str:
    """Encode a template's value as JSON text."""
    if isinstance(value, Encoded):
        return str(value)
    return json.dumps(original_json(value), ensure_ascii=False)

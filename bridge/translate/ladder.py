"""The fallback ladder: a part goes down its rungs until one is taken by the channel and built.

Native type, the nearest that the channel takes, RICHTEXT, numbered text with links. What was not
possible above the rung that was taken becomes the note that explains the fallback. The rungs
themselves are in ``rungs.py``.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.config.media import Kind
from bridge.model import MediaType
from bridge.translate import markup
from bridge.translate.parts import SKIPPED, Part
from bridge.translate.rungs import NOT_TAKEN, Book, Why, attempt
from bridge.translate.writer import Writer

_SKIPPED = {Kind.EVENT: "an event for a page and not for the customer: skipped"}
_FORMATTED = {Kind.TEXT: Kind.MARKUP, Kind.BUTTONS: Kind.LINKS}


def climb(part: Part, writer: Writer, book: Book) -> None:
    """Write the part as the best that the channel takes."""
    part = _counted(_seen(part), writer, book)
    ladder = book.ladders[part.kind]
    if not ladder:
        writer.note(
            SKIPPED, _SKIPPED.get(part.kind, f"{part.kind.value}: its row is empty, skipped")
        )
        return
    reasons: list[Why] = []
    place = len(writer.drafts)
    for rung in ladder:
        why = attempt(rung, part, writer, book)
        if not why:
            if reasons and rung is not MediaType.LOCATE:  # elsewhere LOCATION has that name
                _explain(part, rung, reasons, writer, place)
            return
        if why not in reasons:
            reasons.append(why)
    writer.refuse(f"{part.kind.value}_refused", f"{part.kind.value}: {_together(reasons)}")


def _explain(part: Part, rung: MediaType, reasons: list[Why], writer: Writer, place: int) -> None:
    sent = writer.drafts[place].media_type if place < len(writer.drafts) else rung
    code = f"{part.kind.value}_as_{rung.value.lower()}"
    writer.note(code, f"{part.kind.value} as {sent.value}: {_together(reasons)}", place)


def _together(reasons: list[Why]) -> str:
    """The reasons as one: ``the channel takes no CARD or RICHTEXT; ...``."""
    missing = [each.removeprefix(NOT_TAKEN) for each in reasons if each.startswith(NOT_TAKEN)]
    others = [each for each in reasons if not each.startswith(NOT_TAKEN)]
    if not missing:
        return "; ".join(others)
    *first, last = missing
    named = f"{', '.join(first)} or {last}" if first else last
    return "; ".join([NOT_TAKEN + named, *others])


def _seen(part: Part) -> Part:
    """Words that hold markup are of the kind that a channel may format."""
    kind = _FORMATTED.get(part.kind)
    return replace(part, kind=kind) if kind and markup.read(part.text, part.form) else part


def _counted(part: Part, writer: Writer, book: Book) -> Part:
    """No more cards and buttons than one reply may have."""
    most = book.max_items
    if len(part.buttons) <= most and len(part.cards) <= most:
        return part
    writer.note("left_out", f"{most} buttons or cards at most: the rest was left out")
    return replace(part, buttons=part.buttons[:most], cards=part.cards[:most])

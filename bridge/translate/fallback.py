"""The fallback chain: try a part as one media type after another until one can be built.

The order is the native type, the nearest type that the channel takes, RICHTEXT, then numbered text
with links. The reasons why earlier media types failed become the note that explains the fallback.
``kinds.py`` has the chains, and ``renderers.py`` builds each media type.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.model import MediaType
from bridge.translate import as_text, markup
from bridge.translate.kinds import NATIVE
from bridge.translate.parts import SKIPPED, Part
from bridge.translate.rows import RenderContext, Why
from bridge.translate.writer import Writer

_NUMBERED = (MediaType.TEXT, MediaType.RICHTEXT)  # media types in which choices are lines
_NOT_TAKEN = "the channel takes no "


def fall_back(part: Part, writer: Writer, context: RenderContext) -> None:
    """Write the part as the first media type of its chain that can be built for the channel."""
    part = _limited(_with_markup(part, writer, context), writer, context)
    row = context.rows[part.kind]
    if not row.becomes:
        writer.note(SKIPPED, row.skipped or f"{part.kind.value}: its row is empty, skipped")
        return
    reasons: list[Why] = []
    place = len(writer.drafts)
    for media_type in row.becomes:
        why = _attempt(media_type, part, writer, context)
        if not why:
            if media_type in _NUMBERED and part.buttons + part.cards:
                writer.view.first += as_text.numbers(part)
            # LOCATE is no fallback: it is the name of LOCATION on channels other than Telegram.
            if reasons and media_type is not MediaType.LOCATE:
                _explain(part, media_type, reasons, writer, place)
            return
        if why not in reasons:
            reasons.append(why)
    writer.refuse(f"{part.kind.value}_refused", f"{part.kind.value}: {_joined(reasons)}")


def _attempt(media_type: MediaType, part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write the part as ``media_type``, or return the reason why that is not possible."""
    if not writer.row.accepts(media_type):
        return f"{_NOT_TAKEN}{media_type.value}"
    return NATIVE[media_type].render(part, writer, context)


def _explain(
    part: Part, media_type: MediaType, reasons: list[Why], writer: Writer, place: int
) -> None:
    place = writer.place(place)
    sent = writer.drafts[place].media_type if place < len(writer.drafts) else media_type
    code = f"{part.kind.value}_as_{media_type.value.lower()}"
    writer.note(code, f"{part.kind.value} as {sent.value}: {_joined(reasons)}", place)


def _joined(reasons: list[Why]) -> str:
    """Join the reasons into one sentence: ``the channel takes no CARD or RICHTEXT; ...``."""
    missing = [
        reason.removeprefix(_NOT_TAKEN) for reason in reasons if reason.startswith(_NOT_TAKEN)
    ]
    others = [reason for reason in reasons if not reason.startswith(_NOT_TAKEN)]
    if not missing:
        return "; ".join(others)
    *first, last = missing
    named = f"{', '.join(first)} or {last}" if first else last
    return "; ".join([_NOT_TAKEN + named, *others])


def _with_markup(part: Part, writer: Writer, context: RenderContext) -> Part:
    """Change the kind of text and buttons that contain markup to the kind that may be formatted.

    A channel that takes no formatted text, but has markup of its own in plain text, keeps the kind.
    """
    kind, row = context.rows[part.kind].with_markup, writer.row
    if kind is None or (row.markup == "whatsapp" and row.rich is None):
        return part
    return replace(part, kind=kind) if markup.read(part.text, part.form, writer.view) else part


def _limited(part: Part, writer: Writer, context: RenderContext) -> Part:
    """Drop the cards and buttons above ``max_items`` and add a note."""
    most = context.max_items
    if len(part.buttons) <= most and len(part.cards) <= most:
        return part
    writer.note("left_out", f"{most} buttons or cards at most: the rest was left out")
    return replace(part, buttons=part.buttons[:most], cards=part.cards[:most])

"""The fallback chain: a part is tried as one media type after the other until one can be built.

Native type, the nearest that the channel takes, RICHTEXT, numbered text with links. What was not
possible before the media type that was taken becomes the note that explains the fallback. How a
part becomes each media type is in ``renderers.py``.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.config.media import Kind
from bridge.model import MediaType
from bridge.translate import markup
from bridge.translate.parts import SKIPPED, Part
from bridge.translate.renderers import NOT_TAKEN, RenderContext, Why, attempt
from bridge.translate.writer import Writer

_SKIPPED = {Kind.EVENT: "an event for a page and not for the customer: skipped"}
_FORMATTED = {Kind.TEXT: Kind.MARKUP, Kind.BUTTONS: Kind.LINKS}


def fall_back(part: Part, writer: Writer, context: RenderContext) -> None:
    """Write the part as the best that the channel takes."""
    part = _counted(_seen(part), writer, context)
    chain = context.fallbacks[part.kind]
    if not chain:
        writer.note(
            SKIPPED, _SKIPPED.get(part.kind, f"{part.kind.value}: its row is empty, skipped")
        )
        return
    reasons: list[Why] = []
    place = len(writer.drafts)
    for media_type in chain:
        why = attempt(media_type, part, writer, context)
        if not why:
            if reasons and media_type is not MediaType.LOCATE:  # elsewhere LOCATION has that name
                _explain(part, media_type, reasons, writer, place)
            return
        if why not in reasons:
            reasons.append(why)
    writer.refuse(f"{part.kind.value}_refused", f"{part.kind.value}: {_together(reasons)}")


def _explain(
    part: Part, media_type: MediaType, reasons: list[Why], writer: Writer, place: int
) -> None:
    sent = writer.drafts[place].media_type if place < len(writer.drafts) else media_type
    code = f"{part.kind.value}_as_{media_type.value.lower()}"
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


def _counted(part: Part, writer: Writer, context: RenderContext) -> Part:
    """No more cards and buttons than one reply may have."""
    most = context.max_items
    if len(part.buttons) <= most and len(part.cards) <= most:
        return part
    writer.note("left_out", f"{most} buttons or cards at most: the rest was left out")
    return replace(part, buttons=part.buttons[:most], cards=part.cards[:most])

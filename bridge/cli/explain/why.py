"""Print what happened in a conversation, from the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from bridge.cli import terminal
from bridge.config.settings import Settings
from bridge.planners.masking import masked
from bridge.planners.rules import version_of
from bridge.queries import EventKind, TimelineEvent
from bridge.web import schemas

_COLOURS = {
    EventKind.HANDED_OFF: "bold magenta",
    EventKind.HANDED_BACK: "bold magenta",
    EventKind.SUGGESTED: "bold cyan",
    EventKind.ALERT: "bold red",
}
_WIDE = 11  # of the column of kinds


def as_json(
    events: Sequence[TimelineEvent], settings: Settings, *, clear: bool
) -> list[dict[str, Any]]:
    """Return the events as JSON objects."""
    return [
        {
            "at": schemas.time(event.at),
            "event": event.kind.value,
            "words": _words(event, settings),
            "text": _text(event, settings, clear=clear),
            "call_id": event.call_id,
            "agent_id": event.agent_id,
            **event.details,
        }
        for event in events
    ]


def show(events: Sequence[TimelineEvent], settings: Settings, *, clear: bool) -> None:
    """Print the events: a table at a terminal, otherwise lines with tabs between the fields."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=19)
    table.add_column(width=_WIDE)
    table.add_column(overflow="fold")
    for event in events:
        at, kind, words, text = _fields(event, settings, clear=clear)
        said = Text(words)
        if text:
            said.append(f"\n{text}", style="bold")
        table.add_row(Text(at, style="dim"), Text(kind, style=_COLOURS.get(event.kind, "")), said)
    terminal.show(table, (_fields(event, settings, clear=clear) for event in events))


def _fields(event: TimelineEvent, settings: Settings, *, clear: bool) -> tuple[str, str, str, str]:
    text = _text(event, settings, clear=clear)
    call = f" (call {event.call_id})" if event.kind is EventKind.ASSIGNED else ""
    return (
        terminal.moment(event.at),
        event.kind.value.replace("_", " "),
        _words(event, settings) + call,
        text or "",
    )


def _words(event: TimelineEvent, settings: Settings) -> str:
    return event.words + "".join(_configuration(event, settings))


def _configuration(event: TimelineEvent, settings: Settings) -> Iterator[str]:
    """Yield which configuration made a suggestion, as far as it is known."""
    version = event.details.get("configuration")
    if event.kind is EventKind.SUGGESTED and version is not None:
        today = version == version_of(settings.designer)
        yield ", by today's configuration" if today else f", by configuration {version}"


def _text(event: TimelineEvent, settings: Settings, *, clear: bool) -> str | None:
    if event.text is None or clear:
        return event.text
    return masked(event.text, settings.designer.handoff.card.mask)

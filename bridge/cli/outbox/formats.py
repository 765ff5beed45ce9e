"""Format deliveries: a table, a single delivery in full, a line for pipes, JSON.

Message contents are shown only on request, because they include customers' words.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.cli import terminal
from bridge.model import Delivery, DeliveryState, Origin
from bridge.queries import History
from bridge.state.records import UpdateState
from bridge.web import schemas, serializers

_STYLES = {
    DeliveryState.WAITING: "cyan",
    DeliveryState.SENDING: "blue",
    DeliveryState.DELIVERED: "green",
    DeliveryState.FAILED: "red",
    DeliveryState.UNCERTAIN: "yellow",
    DeliveryState.EXPIRED: "magenta",
}
_BY = {
    Origin.HANDOFF: "the designer's words at a handoff",
    Origin.SUGGESTION: "the bot's words, approved by an agent",
    Origin.AUTO: "the bot's words, sent by itself",
    Origin.AGENT: "the agent's own words",
    Origin.BOT: "the bot's words",
}
_HEAD = ("id", "call", "agent", "state", "tries", "age", "error")
_RIGHT = (True, False, False, False, True, True)
_LONG_CALL = 24  # characters; the gateway's have about twenty
_GAP = 2
_SENTENCE = 36  # characters needed to show an error's sentence after its code
_ERASED = "(erased: too old to be kept)"


def table(
    deliveries: Sequence[Delivery],
    counts: Mapping[str, int],
    states: Sequence[DeliveryState],
    *,
    content: bool,
    width: int,
) -> Group:
    """Return a table of ``width`` characters, with the total number per state below it."""
    total = sum(counts.get(state.value, 0) for state in set(states))
    if not deliveries:
        return Group(Text("No deliveries match."), *([_footer(0, 0, counts)] if counts else []))
    widths = _widths(deliveries)
    head = _row(widths, [Text(name, "dim") for name in _HEAD])
    rows: list[Any] = []
    now = time.time()
    brief = width - sum(widths) - _GAP * len(widths) < _SENTENCE
    for delivery in deliveries:
        rows.append(_row(widths, _cells(delivery, now, brief=brief)))
        if content:
            rows.append(Padding(_content(delivery), (0, 0, 0, widths[0] + _GAP)))
    return Group(head, *rows, _footer(len(deliveries), total, counts))


def _cells(delivery: Delivery, now: float, *, brief: bool = False) -> list[Text]:
    error = _error(delivery)
    if brief and delivery.error is not None:
        error = Text(delivery.error.code, "yellow")
    return [
        Text(delivery.id, "bold"),
        Text(delivery.envelope.call_id),
        Text(delivery.envelope.agent_id),
        _state(delivery.state),
        Text(str(delivery.attempts)),
        Text(terminal.age(now - delivery.created_at), "dim"),
        error,
    ]


def _widths(deliveries: Sequence[Delivery]) -> list[int]:
    """Return the widths of all columns but the last, which takes the rest of the line."""
    cells = [_cells(delivery, delivery.created_at) for delivery in deliveries]
    widths = [
        max(len(name), *(len(row[place]) for row in cells)) for place, name in enumerate(_HEAD[:-1])
    ]
    widths[1] = min(widths[1], _LONG_CALL)
    widths[-1] = len("59 min")
    return widths


def _row(widths: Sequence[int], cells: Sequence[Text]) -> Table:
    row = Table.grid(padding=(0, _GAP, 0, 0), expand=True)
    for width, right in zip(widths, _RIGHT, strict=True):
        justify: Literal["right", "left"] = "right" if right else "left"
        row.add_column(width=width, justify=justify, no_wrap=True, overflow="ellipsis")
    row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    row.add_row(*cells)
    return row


def line(delivery: Delivery, *, content: bool) -> Iterator[object]:
    """Yield the fields of a delivery's line for pipes."""
    error = delivery.error
    yield from (delivery.id, delivery.envelope.call_id, delivery.envelope.agent_id)
    yield from (delivery.state.value, delivery.attempts, schemas.time(delivery.created_at))
    yield f"{error.code}: {error.message}" if error else ""
    if content:
        yield delivery.draft.content


def json(delivery: Delivery, *, content: bool) -> dict[str, Any]:
    """Return the API's JSON of a delivery, without its content unless ``content`` is set."""
    fields = serializers.delivery(delivery).dump()
    return fields if content else {key: item for key, item in fields.items() if key != "content"}


def whole(history: History, *, content: bool) -> Group:
    """Return one delivery in full: its fields, its history, the other parts of its reply."""
    delivery = history.delivery
    parts: list[Any] = [_facts(delivery), Text(), Text("History", "bold"), _story(history)]
    if history.parts:
        parts += [Text(), Text("Other parts of the same reply", "bold")]
        parts += [
            Text.assemble(f"  {part.id}  part {part.part}  ", _state(part.state))
            for part in history.parts
        ]
    if content:
        parts += [Text(), Text("Content", "bold"), _content(delivery, whole=True)]
    return Group(*parts)


def whole_json(history: History, *, content: bool) -> dict[str, Any]:
    """Return one delivery in full as JSON."""
    suggestion, update = history.suggestion, history.written_back
    return {
        **json(history.delivery, content=content),
        "user_id": history.delivery.envelope.user_id,
        "due_at": schemas.time(history.delivery.due_at),
        "parts": [json(part, content=content) for part in history.parts],
        "suggestion": suggestion and {"id": suggestion.id, "state": suggestion.state.value},
        "written_back": update and {"state": update.state.value, "error": update.error},
    }


def _facts(delivery: Delivery) -> Table:
    envelope, draft = delivery.envelope, delivery.draft
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    media = " ".join(part for part in (draft.media_type.value, draft.media_file_type) if part)
    rows: list[tuple[str, Any]] = [
        ("delivery", Text.assemble((delivery.id, "bold"), "  ", _state(delivery.state))),
        ("code", delivery.message_code),
        ("call", envelope.call_id),
        ("conversation", delivery.sender_id),
        ("agent", f"{envelope.agent_id} ({envelope.nickname})"),
        ("user", f"{envelope.user_id} on {envelope.channel.value}"),
        ("said", f"{media}, {_BY[delivery.origin]}"),
        ("approved by", delivery.approved_by),
        ("tries", _tries(delivery)),
        ("error", _error(delivery).plain),
    ]
    for name, value in rows:
        if value:
            facts.add_row(name, value)
    return facts


def _tries(delivery: Delivery) -> str:
    unknown = f", {delivery.unknowns} of them of unknown outcome" if delivery.unknowns else ""
    return f"{delivery.attempts}{unknown}"


def _story(history: History) -> Table:
    """Return a delivery's events in chronological order."""
    story = Table.grid(padding=(0, 2))
    story.add_column(style="dim", no_wrap=True)
    story.add_column(overflow="fold")
    for at, what in sorted(_events(history), key=lambda pair: pair[0]):
        story.add_row("  " + terminal.moment(at), what)
    return story


def _events(history: History) -> Iterator[tuple[float, str]]:
    delivery, suggestion, update = history.delivery, history.suggestion, history.written_back
    if suggestion is not None:
        yield suggestion.created_at, "suggested to the agent"
        if suggestion.settled_at is not None:
            yield suggestion.settled_at, f"{suggestion.state.value} by {suggestion.settled_by}"
    yield delivery.created_at, "stored"
    if delivery.state is DeliveryState.WAITING:
        yield delivery.due_at, "to be tried" + (" again" if delivery.attempts else "")
        yield delivery.expires_at, "expires, if it was not sent before"
    if delivery.state is DeliveryState.SENDING and delivery.lease_until is not None:
        yield delivery.lease_until, "lease ends: recovered if its process has died"
    if delivery.settled_at is not None:
        yield delivery.settled_at, delivery.state.value
    if update is not None:
        yield update.created_at, "to be written into Rasa's tracker"
        if update.settled_at is not None:
            written = "written into" if update.state is UpdateState.DONE else "not accepted by"
            yield update.settled_at, f"{written} Rasa's tracker"
    if delivery.erased_at is not None:
        yield delivery.erased_at, "its words were erased"


def _state(state: DeliveryState) -> Text:
    return Text(state.value, _STYLES[state])


def _error(delivery: Delivery) -> Text:
    if delivery.error is None:
        return Text()
    return Text.assemble((delivery.error.code, "yellow"), "  ", delivery.error.message)


def _content(delivery: Delivery, *, whole: bool = False) -> Text:
    if delivery.erased_at is not None:
        return Text(_ERASED, "dim italic")
    words = delivery.draft.content
    return Text(words if whole else " ".join(words.split()), "italic")


def _footer(shown: int, total: int, counts: Mapping[str, int]) -> Text:
    footer = Text()
    if shown < total:
        footer.append(f"The newest {shown:,} of {total:,}; --all shows them all.\n", "dim")
    listed = [state for state in DeliveryState if counts.get(state.value)]
    for place, state in enumerate(listed):
        footer.append("   " if place else "")
        footer.append(f"{counts[state.value]:,} {state.value}", _STYLES[state])
    return footer

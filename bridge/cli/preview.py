"""``cc-bridge preview``: show a reply's translation per channel, and explain each fallback."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bridge import config
from bridge.cli import terminal
from bridge.config import environment
from bridge.config.faults import suggest
from bridge.config.settings import GatewaySettings
from bridge.errors import BridgeError
from bridge.language import codes_of
from bridge.model import Channel, Draft
from bridge.replies import render
from bridge.translate import Note, Room, Translation, Translator, literal
from bridge.translate.literal import original_json

OTHER_FIELDS = 430  # bytes of ``data`` besides the content, for IDs and names of typical length

_NO_ADDRESS = {"BRIDGE__GATEWAY__URL": "https://preview.invalid"}  # nothing is sent
_SHOWN = 600  # characters of a content without --full

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A translation and the channels that share it."""

    channels: tuple[Channel, ...]
    translation: Translation


@app.command()
def preview(
    what: str = typer.Argument(
        ...,
        metavar="FILE|utter_name",
        help="File with a reply or a list of replies as JSON (- reads standard input), or the name"
        " of a response.",
    ),
    channel: list[str] = typer.Option(
        [], help="Channel of the gateway; repeatable; the default is all."
    ),
    domain: Path = typer.Option(
        None, help="Domain file or folder of the responses; the default is rasa.domain."
    ),
    slot: list[str] = typer.Option(
        [], metavar="NAME=VALUE", help="Value of a slot for a response; repeatable."
    ),
    folder: Path = typer.Option(None, "--config", help="Folder of media.yml and bridge.yml."),
    as_json: bool = typer.Option(
        False, "--json", help="Print JSON with the gateway's field names."
    ),
    full: bool = typer.Option(False, "--full", help="Show long contents in full."),
) -> None:
    """Show how a reply is sent on each channel, and why; nothing is sent."""
    try:
        channels = [_channel(name) for name in channel] or list(Channel)
        settings = config.load(folder, {**_NO_ADDRESS, **environment.current()})
        known = config.load_domain(domain) if domain else settings.domain
        translator = Translator(settings.media)
        room = _room(settings.bridge.gateway)
        slots = _slots(slot)
        codes = codes_of(slots, settings.designer)
        replies = _replies(what, channels, known, slots, codes)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None
    results = [
        {name: translator.translate(reply, name, room) for name, reply in per_channel.items()}
        for per_channel in replies
    ]
    if as_json:
        terminal.as_json(_as_json(replies, results, room), indent=2)
    else:
        _print(what, results, room, full=full)


# -- the arguments -------------------------------------------------------------------------------


def _channel(name: str) -> Channel:
    try:
        return Channel(name.upper())
    except ValueError:
        names = [channel.value for channel in Channel]
        close = suggest(name, names)
        hint = f"; did you mean {close}?" if close else f"; the channels are {', '.join(names)}"
        raise BridgeError(f"no channel {name!r}{hint}") from None


def _slots(assignments: Sequence[str]) -> dict[str, Any]:
    slots: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise BridgeError(f"--slot takes NAME=VALUE, and found {assignment!r}")
        try:
            slots[name] = json.loads(value)
        except ValueError:
            slots[name] = value
    return slots


def _room(gateway: GatewaySettings) -> Room:
    private = gateway.deployment == "private"
    whole = not private and gateway.limit_counts == "data"
    return Room(
        limit=gateway.limit_bytes,
        overhead=OTHER_FIELDS if whole else 0,
        as_json=whole,
        chars=gateway.max_content_chars,
        text_only=private,
    )


def _replies(
    what: str,
    channels: Sequence[Channel],
    domain: Mapping[str, Any] | None,
    slots: dict[str, Any],
    codes: Sequence[str],
) -> list[dict[Channel, Any]]:
    """Return each reply by channel: a response may have variations by channel."""
    if not what.startswith("utter_") or Path(what).is_file():
        value = _read(what)
        replies = value if isinstance(value, list) else [value]
        return [dict.fromkeys(channels, reply) for reply in replies]
    if domain is None:
        raise BridgeError(f"{what} is a response: name its domain with --domain domain.yml")
    responses = domain.get("responses") or {}
    if what not in responses:
        close = suggest(what, map(str, responses))
        hint = f"; did you mean {close}?" if close else ""
        raise BridgeError(f"the domain has no response {what}{hint}")
    rendered = {
        channel: render(
            responses,
            what,
            slots,
            channels=(channel.value.lower(),),
            seed="preview",
            codes=codes,
            quote=literal,
        )
        for channel in channels
    }
    return [{channel: reply or {} for channel, reply in rendered.items()}]


def _read(name: str) -> Any:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
        return json.loads(text)
    except OSError as error:
        reason = error.strerror or "not readable"
        raise BridgeError(f"{name}: {reason}; give a file, or a response's name") from None
    except (ValueError, RecursionError) as error:
        raise BridgeError(f"{name}: not JSON in UTF-8 ({error})") from None


# -- JSON ----------------------------------------------------------------------------------------


def _as_json(
    replies: Sequence[Mapping[Channel, Any]],
    results: Sequence[Mapping[Channel, Translation]],
    room: Room,
) -> Any:
    shown = [
        {
            "channels": {
                channel.value: {
                    "reply": original_json(per_channel[channel]),
                    "messages": [_message(draft, room) for draft in translation.drafts],
                    "notes": [_note(note) for note in translation.notes],
                    "refused": [_note(note) for note in translation.refused],
                }
                for channel, translation in result.items()
            }
        }
        for per_channel, result in zip(replies, results, strict=True)
    ]
    return shown[0] if len(shown) == 1 else {"replies": shown}


def _message(draft: Draft, room: Room) -> dict[str, Any]:
    fields = {
        "mediaType": draft.media_type.value,
        "mediaFileType": draft.media_file_type,
        "contentType": draft.content_type,
        "content": draft.content,
        "bytes": _bytes(draft, room),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _note(note: Note) -> dict[str, Any]:
    fields = {"code": note.code, "sentence": note.sentence, "message": note.draft}
    return {name: value for name, value in fields.items() if value is not None}


def _bytes(draft: Draft, room: Room) -> int:
    content = json.dumps(draft.content, ensure_ascii=False)[1:-1] if room.as_json else draft.content
    return len(content.encode())


# -- a table -------------------------------------------------------------------------------------


def _print(
    what: str, results: Sequence[Mapping[Channel, Translation]], room: Room, *, full: bool
) -> None:
    console = terminal.out()
    for number, result in enumerate(results, 1):
        counted = f", {number} of {len(results)}" if len(results) > 1 else ""
        console.print(Text.assemble((what, "bold"), (f"{counted}, as the gateway gets it", "dim")))
        for shown in _grouped(result):
            console.print(_table(shown, room, full=full))
        console.print()


def _grouped(result: Mapping[Channel, Translation]) -> list[Shown]:
    """Group the channels that have the same translation."""
    groups: dict[Translation, list[Channel]] = {}
    for channel, translation in result.items():
        groups.setdefault(translation, []).append(channel)
    return [Shown(tuple(channels), translation) for translation, channels in groups.items()]


def _table(shown: Shown, room: Room, *, full: bool) -> Group:
    names = Text("  ".join(channel.value for channel in shown.channels), style="bold cyan")
    table = Table(box=None, expand=True, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim", width=2)
    table.add_column(style="bold", width=14, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", style="dim", width=8)
    notes = shown.translation.notes
    for place, draft in enumerate(shown.translation.drafts):
        cell: list[Text] = [_content(draft, full=full)]
        cell += [_labelled("why", note, "yellow") for note in notes if note.draft == place]
        size = f"{_bytes(draft, room):,} B"
        table.add_row(str(place + 1), _kind(draft), Group(*cell), size)
    for note in notes:
        if note.draft is None:
            table.add_row("", Text("note", style="yellow"), Text(note.sentence), "")
    for note in shown.translation.refused:
        table.add_row("", Text("refused", style="red"), Text(note.sentence), "")
    return Group(Text(), Rule(names, style="dim", align="left"), table)


def _kind(draft: Draft) -> Text:
    text = Text(draft.media_type.value)
    if draft.media_file_type:
        text.append(f" {draft.media_file_type}", style="dim")
    if draft.content_type == "1":
        text.append(" key", style="dim")
    return text


def _content(draft: Draft, *, full: bool) -> Text:
    content = draft.content
    if full or len(content) <= _SHOWN:
        return Text(content)
    text = Text(content[:_SHOWN])
    return text.append(f" ... {len(content) - _SHOWN:,} more characters (--full)", style="dim")


def _labelled(label: str, note: Note, style: str) -> Text:
    return Text.assemble((f"{label}: ", style), (note.sentence, "italic"))

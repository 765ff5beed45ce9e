"""``cc-bridge explain``: replay a conversation, and say what the configuration makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge import config, replay
from bridge.cli import terminal
from bridge.config import environment
from bridge.config.settings import Settings
from bridge.errors import BridgeError
from bridge.planners.masking import masked
from bridge.replay import Explained, Recording
from bridge.triggers import DecisionKind

_NO_ADDRESS = {"BRIDGE__GATEWAY__URL": "https://explain.invalid"}  # nothing is sent
_COLOURS = {
    DecisionKind.HANDOFF: "bold magenta",
    DecisionKind.ASSIST: "bold cyan",
    DecisionKind.NONE: "dim",
}

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    what: str = typer.Argument(
        ...,
        metavar="TRACKER.json|SENDER_ID",
        help="File with a tracker, or the sender ID of a conversation that Rasa knows.",
    ),
    folder: Path = typer.Option(
        None, "--config", help="Folder of handoff.yml; the default is BRIDGE_CONFIG, else config."
    ),
    clear: bool = typer.Option(
        False, "--clear", help="Do not mask card numbers, e-mail addresses and phone numbers."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON list of the turns."),
) -> None:
    """Replay a conversation turn by turn with today's configuration; nothing is sent."""
    try:
        settings = config.load(folder, {**_NO_ADDRESS, **environment.current()})
        recording = _recording(what, settings)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None
    turns = list(
        replay.replay(
            recording.tracker,
            settings.designer,
            domain=recording.domain or settings.domain,
            called=recording.called,
        )
    )
    if as_json:
        terminal.as_json([_object(turn, clear=clear) for turn in turns], indent=2)
    else:
        _print(turns, settings, clear=clear)


def _recording(what: str, settings: Settings) -> Recording:
    path = Path(what)
    if path.is_file():
        return replay.load(path)
    if path.suffix == ".json":
        raise BridgeError(f"{what}: there is no such file")
    if settings.bridge.rasa.url is None:
        raise BridgeError(
            f"{what}: there is no such file; to read the conversation from Rasa, set rasa.url"
        )
    return replay.fetch(settings.bridge.rasa, what)


def _text(turn: Explained, *, clear: bool) -> str:
    return turn.text if clear else masked(turn.text)


def _object(turn: Explained, *, clear: bool) -> dict[str, Any]:
    return {
        "message_id": turn.message_id,
        "text": _text(turn, clear=clear),
        "intent": turn.intent,
        "confidence": turn.confidence,
        "decision": turn.decision.value,
        "reason": turn.reason,
        "near": [{"condition": near.condition, "why": near.why} for near in turn.near],
        "called": turn.called,
        "recorded": dict(turn.recorded),
        "configuration": "today",
    }


def _print(turns: list[Explained], settings: Settings, *, clear: bool) -> None:
    console = terminal.out()
    folder = Path(settings.folder) / "handoff.yml"
    console.print(f"By today's configuration ({folder}):\n", style="dim", soft_wrap=True)
    for number, turn in enumerate(turns, 1):
        title = Text.assemble((f"{number}  ", "dim"), (_text(turn, clear=clear), "bold"))
        if turn.at:
            title.append(f"  {terminal.moment(turn.at)}", style="dim")
        console.print(title)
        rows = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        rows.add_column(width=8)
        rows.add_column(overflow="fold")
        rows.add_row(Text(turn.decision.value, style=_COLOURS[turn.decision]), _reason(turn))
        for near in turn.near:
            rows.add_row(Text("near", style="yellow"), Text(f"{near.condition}: {near.why}"))
        rows.add_row(Text("called", style="dim"), Text(_called(turn), style="dim"))
        console.print(Padding(rows, (0, 0, 1, 3)))
    console.print(f"{terminal.counted(len(turns), 'turn')}.", style="dim")


def _reason(turn: Explained) -> Text:
    """Return the reason, with each condition that did not hold on a line of its own."""
    if turn.decision is not DecisionKind.NONE or "; " not in turn.reason:
        return Text(turn.reason)
    return Text(turn.reason.replace(": ", ":\n", 1).replace("; ", "\n"))


def _called(turn: Explained) -> str:
    """Return what Rasa called at the time, and what came of it."""
    if turn.called is None:
        return "no action of the bridge"
    slots = {name: value for name, value in turn.recorded.items() if value is not None}
    said = ", ".join(f"{name}: {value}" for name, value in slots.items())
    return f"{turn.called}, which set {said}" if said else turn.called

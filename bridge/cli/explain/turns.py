"""Print what the configuration makes of each message of a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge.cli import terminal
from bridge.config.settings import Settings
from bridge.planners.masking import masked
from bridge.planners.rules import version_of
from bridge.replay import Explained
from bridge.triggers import DecisionKind

_COLOURS = {
    DecisionKind.HANDOFF: "bold magenta",
    DecisionKind.ASSIST: "bold cyan",
    DecisionKind.NONE: "dim",
}


@dataclass(frozen=True)
class Explanation:
    """A conversation's turns, and the configuration that decided them.

    Attributes:
        recorded: the version of the configuration of that time, by message ID, where it is known.
    """

    turns: Sequence[Explained]
    settings: Settings
    clear: bool
    recorded: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version of the configuration that decided."""
        return version_of(self.settings.designer)

    def text(self, turn: Explained) -> str:
        """Return the customer's message, masked unless it is to be shown as it is."""
        own = self.settings.designer.handoff.card.mask
        return turn.text if self.clear else masked(turn.text, own)

    def then(self, turn: Explained) -> str | None:
        """Return the version of the configuration at the time, or None if it is not known."""
        return self.recorded.get(turn.message_id)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the turns as JSON objects."""
        return [
            {
                "message_id": turn.message_id,
                "text": self.text(turn),
                "intent": turn.intent,
                "confidence": turn.confidence,
                "decision": turn.decision.value,
                "reason": turn.reason,
                "near": [{"condition": near.condition, "why": near.why} for near in turn.near],
                "called": turn.called,
                "recorded": dict(turn.recorded),
                "configuration": "then" if self.then(turn) == self.version else "today",
                "version_then": self.then(turn),
            }
            for turn in self.turns
        ]


def show(explanation: Explanation) -> None:
    """Print the turns."""
    console = terminal.out()
    folder = Path(explanation.settings.folder) / "handoff.yml"
    console.print(f"By today's configuration ({folder}):\n", style="dim", soft_wrap=True)
    for number, turn in enumerate(explanation.turns, 1):
        title = Text.assemble((f"{number}  ", "dim"), (explanation.text(turn), "bold"))
        if turn.at:
            title.append(f"  {terminal.moment(turn.at)}", style="dim")
        console.print(title)
        console.print(Padding(_rows(explanation, turn), (0, 0, 1, 3)))
    console.print(f"{terminal.counted(len(explanation.turns), 'turn')}.", style="dim")


def _rows(explanation: Explanation, turn: Explained) -> Table:
    rows = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    rows.add_column(width=8)
    rows.add_column(overflow="fold")
    rows.add_row(Text(turn.decision.value, style=_COLOURS[turn.decision]), _reason(turn))
    for near in turn.near:
        rows.add_row(Text("near", style="yellow"), Text(f"{near.condition}: {near.why}"))
    rows.add_row(Text("called", style="dim"), Text(_called(turn), style="dim"))
    then = explanation.then(turn)
    if then == explanation.version:
        rows.add_row(
            Text("then", style="dim"), Text("decided by the same configuration", style="dim")
        )
    elif then is not None:
        differs = Text(f"decided by another configuration, version {then}")
        rows.add_row(Text("then", style="yellow"), differs)
    return rows


def _reason(turn: Explained) -> Text:
    """Return the reason, with each condition that did not hold on a line of its own."""
    if turn.decision is not DecisionKind.NONE or "; " not in turn.reason:
        return Text(turn.reason)
    return Text(turn.reason.replace(": ", ":\n", 1).replace("; ", "\n"))


def _called(turn: Explained) -> str:
    """Return what Rasa called at the time, and the outcome."""
    if turn.called is None:
        return "no action of the bridge"
    slots = {name: value for name, value in turn.recorded.items() if value is not None}
    said = ", ".join(f"{name}: {value}" for name, value in slots.items())
    return f"{turn.called}, which set {said}" if said else turn.called

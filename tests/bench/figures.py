"""What was measured as rows that a person reads: each figure, its ratio, and what it must be.

Pure: a value as ``python -m tests.bench`` keeps it in docs/figures.json goes in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AT_LEAST = {"0": 1.0, "50": 0.9, "200": 0.95}  # of the pooled baseline's throughput, by delay
HANGING_AT_MOST = 1.5  # times an idle turn's p99 while the gateway answers
OPEN_CALLS_AT_MOST = 1.1  # times the CPU for a message with few open calls
BYTES_AT_MOST = 2048  # for a cached session, and for an open assignment
HEADINGS = ("", "bridge", "pooled", "plain", "ratio", "must be")

_ALL = ("bridge", "pooled", "plain")
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what it is, a cell for each program, the ratio that counts, and its bound."""

    name: str
    values: tuple[str, ...]  # of the bridge, pooled, plain
    ratio: str
    must: str
    holds: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """As many as ``HEADINGS``."""
        return (self.name, *self.values, self.ratio, self.must)


def rows(figures: Figures) -> list[Row]:
    """Everything that must be shown, in the order of the table."""
    return [
        *(_handoff(delay, found) for delay, found in figures["handoff"].items()),
        _hanging(figures["hanging"]),
        _open_calls(figures["open_calls"]),
        *(_memory(of, size) for of, size in figures["memory"].items()),
    ]


def _handoff(delay: str, found: Figures) -> Row:
    ratio, least = found["bridge/pooled"]["rate"], AT_LEAST[delay]
    rates = tuple(f"{found[name]['rate']:,.0f}" for name in _ALL)
    name = f"handoffs a second, gateway at {delay} ms"
    said = f"{ratio:.2f} of pooled, {found['bridge/tuned']['rate']:.2f} of tuned"
    return Row(name, rates, said, f"≥ {least:g} of pooled", holds=ratio >= least)


def _hanging(found: Figures) -> Row:
    times = tuple(
        f"{milliseconds(found[each]['answering p99'])} → {milliseconds(found[each]['hanging p99'])}"
        for each in _ALL
    )
    ratio = found["bridge"]["ratio"]
    name = "idle turn, p99: gateway answers → hangs"
    must = f"≤ {HANGING_AT_MOST:g}"
    return Row(name, times, f"{ratio:.2f} times", must, holds=ratio <= HANGING_AT_MOST)


def _open_calls(found: Figures) -> Row:
    name = f"CPU for a message: {found['few']} → {found['many']:,} open calls"
    bridge = f"{found['cpu few']:.2f} → {found['cpu many']:.2f} ms"
    ratio, most = found["ratio"], OPEN_CALLS_AT_MOST
    return Row(name, (bridge, "", ""), f"{ratio:.2f} times", f"≤ {most:g}", holds=ratio <= most)


def _memory(of: str, size: float) -> Row:
    name = {"session": "memory of a cached session", "assignment": "memory of an open assignment"}
    holds = size <= BYTES_AT_MOST
    cells = (f"{size:,.0f} bytes", "", "")
    return Row(name[of], cells, f"{size / 1024:.2f} KB", "≤ 2 KB", holds)


def milliseconds(value: float) -> str:
    """A time as short as it can be said; what was given up is only known to be over it."""
    return f"over {value / 1000:.0f} s" if value >= 1000 else f"{value:.0f} ms"


def markdown(figures: Figures) -> str:
    """The table of the README, and the sentence below it."""
    lines = [
        "| | the bridge | pooled | plain | ratio | must be |",
        "|---|--:|--:|--:|--:|--:|",
        *("| " + " | ".join(row.cells) + " |" for row in rows(figures)),
    ]
    return "\n".join([*lines, "", method(figures)])


def method(figures: Figures) -> str:
    """Where and how it was measured, in one sentence."""
    machine = figures["machine"]
    rounds: Sequence[Figures] = list(figures["handoff"].values())
    aside = max(found[name]["load"] + found[name]["gateway"] for found in rounds for name in _ALL)
    return (
        f"Measured by `make bench` on {machine['cores']} cores ({machine['cpu']}),"
        f" Python {machine['python']}, SQLite with an fsync for each commit: the programs run at"
        " once and are loaded by turns, 64 conversations at a time; medians of the rounds. The"
        f" load generator and the gateway took at most {aside:.0%} of a core."
    )

"""Turn what was measured into rows for people: each figure, its aim, and whether it is met.

Pure: a value as ``python -m tests.bench`` keeps it in docs/figures.json goes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

RATE_AT_LEAST = {"0": 1.0, "50": 1.0, "200": 0.9}  # of pooled's, 64 at a time, by delay
CPU_AT_MOST = 1.4  # times pooled's, 64 at a time
ALONE_AT_MOST = {"50": 2.5}  # milliseconds more than pooled's p50, one at a time, by delay
STATEMENTS_AT_MOST = 10  # for a lone handoff
COMMITS_AT_MOST = 2
HANGING_AT_MOST = 1.5  # times an idle turn's p99 while the gateway answers
OPEN_CALLS_AT_MOST = 1.1  # times the CPU for a message with few open calls
HISTORY_AT_MOST = 1.1  # times the CPU for a handoff without a history
LISTS_AT_MOST = 50  # milliseconds
FORGET_AT_MOST = 3  # seconds
BYTES_AT_MOST = 2048  # for a cached session, and for an open assignment
HEADINGS = ("", "bridge", "pooled", "plain", "difference", "aim", "met")

# Why a row misses its aim, one sentence each, by the row's key. Shown only while it misses it.
_LOCK = (
    "Rasa's SDK and the core share one interpreter lock, and verifying a token and storing its"
    " assignment take some 0.2 ms more of it than a handoff after a PUT."
)
_SMALL = "at such a rate fewer commands come together, so that each commit is shared by fewer."
REASONS: Mapping[str, str] = {
    "rate 0": _LOCK,
    "rate 50": _LOCK,
    "rate 200": _SMALL,
    "cpu 0": _LOCK,
    "cpu 50": _LOCK,
    "cpu 200": _SMALL,
    "times 1 50": "each of the two commits waits for the disk, 0.4 ms when it is busy and 1.4 ms"
    " after it rested for 50 ms, and what runs after that rest finds the processor's caches cold.",
    "memory session": "besides the session's record (0.4 kB), each agent has a cookie jar of the"
    " load balancer's cookies.",
}

_WAYS = {"put": "PUT", "token": "token"}
_MANY = "64"
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    key: str
    name: str
    values: tuple[str, str, str]  # of the bridge, pooled, plain
    difference: str = ""  # between the bridge and what it is compared with
    aim: str = ""
    met: bool | None = None  # None where there is no aim

    @property
    def cells(self) -> tuple[str, ...]:
        """As many as ``HEADINGS``."""
        met = "" if self.met is None else "yes" if self.met else "**no**"
        return (self.name, *self.values, self.difference, self.aim, met)


def rows(figures: Figures) -> list[Row]:
    """Return everything that must be shown, in the order of the table."""
    handoff = figures["handoff"]
    return [
        *(_rate(delay, found[_MANY]) for delay, found in handoff.items()),
        *(_cpu(delay, found[_MANY]) for delay, found in handoff.items()),
        *(_times(delay, "1", found["1"]) for delay, found in handoff.items()),
        *(_times(delay, "8", found["8"]) for delay, found in handoff.items()),
        *_statements(figures["statements"]),
        _hanging(figures["hanging"]),
        _open_calls(figures["open_calls"]),
        *_history(figures["history"]),
        *(_memory(of, size) for of, size in figures["memory"].items()),
    ]


def _rate(delay: str, found: Figures) -> Row:
    least = RATE_AT_LEAST[delay]
    ratios = [found[f"{way}/pooled"]["rate"] for way in _WAYS]
    return Row(
        f"rate {delay}",
        f"handoffs a second, 64 at a time, gateway at {delay} ms",
        (
            _ways(lambda way: f"{found[way]['rate']:,.0f}"),
            f"{found['pooled']['rate']:,.0f}",
            f"{found['plain']['rate']:,.0f}",
        ),
        _ways(lambda way: f"{found[f'{way}/pooled']['rate']:.2f}")
        + " of pooled; "
        + _ways(lambda way: f"{found[f'{way}/tuned']['rate']:.2f}")
        + " of tuned",
        f"≥ {least:g} of pooled",
        min(ratios) >= least,
    )


def _cpu(delay: str, found: Figures) -> Row:
    ratios = [found[f"{way}/pooled"]["cpu"] for way in _WAYS]
    return Row(
        f"cpu {delay}",
        f"CPU for a handoff, 64 at a time, gateway at {delay} ms",
        (
            _ways(lambda way: f"{found[way]['cpu']:.2f} ms"),
            f"{found['pooled']['cpu']:.2f} ms",
            f"{found['plain']['cpu']:.2f} ms",
        ),
        _ways(lambda way: f"{found[f'{way}/pooled']['cpu']:.2f}") + " times pooled",
        f"≤ {CPU_AT_MOST:g} times pooled",
        max(ratios) <= CPU_AT_MOST,
    )


def _times(delay: str, lanes: str, found: Figures) -> Row:
    most = ALONE_AT_MOST.get(delay) if lanes == "1" else None
    more = [found[f"{way}/pooled"]["p50 more"] for way in _WAYS]
    alone = "one at a time" if lanes == "1" else f"{lanes} at a time"

    def times(name: str) -> str:
        return f"{found[name]['p50']:.1f} / {found[name]['p99']:.1f} ms"

    return Row(
        f"times {lanes} {delay}",
        f"a handoff's p50 / p99, {alone}, gateway at {delay} ms",
        (_ways(times), times("pooled"), ""),
        _ways(lambda way: f"{found[f'{way}/pooled']['p50 more']:+.1f}") + " ms at p50",
        f"≤ {most:g} ms more than pooled at p50" if most else "",
        max(more) <= most if most else None,
    )


def _statements(found: Figures) -> Iterator[Row]:
    for what, most in (("statements", STATEMENTS_AT_MOST), ("commits", COMMITS_AT_MOST)):
        yield Row(
            what,
            f"{what} for a handoff, one at a time",
            (_ways(partial(_counted, found, what)), "", ""),
            "",
            f"≤ {most}",
            max(found[way][what] for way in _WAYS) <= most,
        )


def _counted(found: Figures, what: str, way: str) -> str:
    return f"{found[way][what]:.1f}"


def _hanging(found: Figures) -> Row:
    def times(name: str) -> str:
        answering, hanging = found[name]["answering p99"], found[name]["hanging p99"]
        return f"{milliseconds(answering)} → {milliseconds(hanging)}"

    ratio = found["bridge"]["ratio"]
    return Row(
        "hanging",
        "idle turn, p99: gateway answers → hangs",
        (times("bridge"), times("pooled"), times("plain")),
        f"{ratio:.2f} times",
        f"≤ {HANGING_AT_MOST:g} times",
        ratio <= HANGING_AT_MOST,
    )


def _open_calls(found: Figures) -> Row:
    return Row(
        "open calls",
        f"CPU for a message: {found['few']} → {found['many']:,} open calls",
        (f"{found['cpu few']:.2f} → {found['cpu many']:.2f} ms", "", ""),
        f"{found['ratio']:.2f} times",
        f"≤ {OPEN_CALLS_AT_MOST:g} times",
        found["ratio"] <= OPEN_CALLS_AT_MOST,
    )


def _history(found: Figures) -> Iterator[Row]:
    yield Row(
        "history",
        f"CPU for a handoff: no history → {found['rows']:,} settled calls",
        (f"{found['cpu none']:.2f} → {found['cpu long']:.2f} ms", "", ""),
        f"{found['ratio']:.2f} times",
        f"≤ {HISTORY_AT_MOST:g} times",
        found["ratio"] <= HISTORY_AT_MOST,
    )
    for path, took in found["lists"].items():
        yield Row(
            f"GET {path}",
            f"`GET {path}` with that history",
            (f"{took:.0f} ms", "", ""),
            "",
            f"≤ {LISTS_AT_MOST} ms",
            took <= LISTS_AT_MOST,
        )
    yield Row(
        "forget",
        "`cc-bridge forget` of one customer with that history",
        (f"{found['forget']:.1f} s", "", ""),
        "",
        f"≤ {FORGET_AT_MOST} s",
        found["forget"] <= FORGET_AT_MOST,
    )


def _memory(of: str, size: float) -> Row:
    name = {"session": "memory of a cached session", "assignment": "memory of an open assignment"}
    return Row(
        f"memory {of}",
        name[of],
        (f"{size:,.0f} bytes", "", ""),
        "",
        f"≤ {BYTES_AT_MOST:,} bytes",
        size <= BYTES_AT_MOST,
    )


def _ways(value: Callable[[str], str]) -> str:
    """Say a value of each way in."""
    return ", ".join(f"{name} {value(way)}" for way, name in _WAYS.items())


def milliseconds(value: float) -> str:
    """Say a time; of what was given up it is only known that it took longer."""
    return f"over {value / 1000:.0f} s" if value >= 1000 else f"{value:.0f} ms"


def markdown(figures: Figures, reasons: Mapping[str, str] = REASONS) -> str:
    """Return the table of the README, why rows miss their aims, and how it was measured."""
    shown = rows(figures)
    lines = [
        "| " + " | ".join(HEADINGS) + " |",
        "|---|" + "--:|" * (len(HEADINGS) - 1),
        *("| " + " | ".join(row.cells) + " |" for row in shown),
        "",
    ]
    missed: dict[str, list[str]] = {}
    for row in shown:
        if row.met is False:
            missed.setdefault(reasons.get(row.key, "not explained yet."), []).append(row.name)
    if missed:
        lines += ["What misses its aim, and why:", ""]
        lines += [f"- {'; '.join(names)}: {reason}" for reason, names in missed.items()]
        lines.append("")
    return "\n".join([*lines, method(figures)])


def method(figures: Figures) -> str:
    """Say where and how it was measured."""
    machine = figures["machine"]
    measured = [
        program
        for by_lanes in figures["handoff"].values()
        for found in by_lanes.values()
        for program in found.values()
        if "load" in program
    ]
    aside = max(program["load"] + program["gateway"] for program in measured)
    return (
        f"Measured by `make bench` on {machine['cores']} cores ({machine['cpu']}),"
        f" Python {machine['python']}, SQLite with an fsync for each commit, the bridge at its"
        " default settings: the programs run at once and are loaded by turns; rates and CPU are"
        " medians of the rounds, p50 and p99 those of all turns. *PUT*: the platform put the"
        " assignment before; *token*: the message brought it, signed. The load generator and the"
        f" gateway took at most {aside:.0%} of a core."
    )

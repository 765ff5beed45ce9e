"""SQL statements and commits of a handoff when nobody else asks: ``tests.bench.statements``.

One conversation at a time asks for a person, each turn a new customer's, at a gateway of 50 ms, of
a bridge at its default settings on SQLite. Every statement that the server runs from the first turn
to the last is counted, whichever of its processes and threads runs it; what it does every second
counts too. The figures are medians of three slices of a little more than a second each, so that
what it does once an hour does not. Begin, commit and rollback are no statements, and PRAGMAs are
counted apart. A commit counts where it changed something. ``--show`` prints the statements.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.gateway import BenchGateway
from tests.bench.handoff import Contender, prepare, run
from tests.bench.programs import Bridge
from tests.bench.turns import WAYS

DELAY = 50  # milliseconds of the gateway
TURNS = 20  # of each slice
SLICES = 3
WARM = 5  # turns until every connection and statement is made
_COUNTING = Path(__file__).parent / "counting"
_ROOT = Path(__file__).parents[2]
_VALUES = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b")
_REPEATED = re.compile(r"\?(?:, ?\?)+|\(\?\)(?:, ?\(\?\))+")


@dataclass(slots=True)
class Counted:
    """What was run for each handoff."""

    statements: float
    commits: float
    pragmas: float
    shown: Counter[str] = field(default_factory=Counter)  # how often each, values left out

    def figures(self) -> dict[str, float]:
        """Return what is kept of it."""
        return {"statements": self.statements, "commits": self.commits, "pragmas": self.pragmas}


def count(way: str, turns: int = TURNS) -> tuple[float, float]:
    """Return statements and commits for each lone handoff by a way in: ``put`` or ``token``."""
    with _watched() as (bridge, lines):
        found = _count(bridge, lines, way, turns)
    return found.statements, found.commits


def measure(turns: int = TURNS) -> dict[str, dict[str, float]]:
    """Count by both ways in."""
    return {way: counted.figures() for way, counted in _both(turns).items()}


def _both(turns: int) -> dict[str, Counted]:
    with _watched() as (bridge, lines):
        return {way: _count(bridge, lines, way, turns) for way in WAYS}


@contextmanager
def _watched() -> Iterator[tuple[Bridge, Path]]:
    """Start a bridge whose statements are written down."""
    with tempfile.TemporaryDirectory() as folder, BenchGateway() as gateway:
        lines = Path(folder) / "statements"
        environ = {"PYTHONPATH": f"{_COUNTING}:{_ROOT}", "BENCH_STATEMENTS": str(lines)}
        with Bridge(gateway, environ=environ) as bridge:
            gateway.answer_after(DELAY)
            yield bridge, lines


def _count(bridge: Bridge, lines: Path, way: str, turns: int) -> Counted:
    contender = Contender(way, bridge)
    run(contender, prepare(contender, f"warm-{way}", WARM, 1))
    slices = [_slice(contender, lines, f"lone{number}-{way}", turns) for number in range(SLICES)]
    kinds = [Counter(line[0] for line in each) for each in slices]
    return Counted(
        statements=round(median(each["S"] for each in kinds) / turns, 2),
        commits=round(median(each["C"] for each in kinds) / turns, 2),
        pragmas=round(median(each["P"] for each in kinds) / turns, 2),
        shown=Counter(_without_values(line) for each in slices for line in each),
    )


def _slice(contender: Contender, lines: Path, prefix: str, turns: int) -> list[str]:
    """Hand off, one after another; return what was run meanwhile."""
    prepared = prepare(contender, prefix, turns, 1)
    time.sleep(0.1)  # what the preparation left to be done is no part of a handoff
    before = lines.stat().st_size
    run(contender, prepared)
    with lines.open("rb") as file:
        file.seek(before)
        return file.read().decode().splitlines()


def _without_values(line: str) -> str:
    return _REPEATED.sub("?...", _VALUES.sub("?", line))


def main() -> None:
    """Count, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--show", action="store_true", help="each statement, and how often")
    given = parser.parse_args()
    for way, counted in _both(given.turns).items():
        print(way, *(f"{name} {value:g}" for name, value in counted.figures().items()))
        if given.show:
            for line, times in counted.shown.most_common():
                print(f"  {times / given.turns / SLICES:6.2f} {line}")


if __name__ == "__main__":
    main()

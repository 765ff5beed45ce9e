"""Every figure in one run: ``make bench``; with ``--keep`` the tables and the picture too.

Takes about ten minutes. Each part can be run by itself: ``tests.bench.handoff``, ``.statements``,
``.hanging``, ``.open_calls``, ``.history``, ``.memory``, ``.standing``, ``.several``,
``.translate``. Nothing here fails for
being slow: the numbers are the machine's, and only ratios of what ran side by side are the
program's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import (
    figures,
    handoff,
    hanging,
    history,
    memory,
    open_calls,
    pages,
    plot,
    several,
    standing,
    statements,
)

COLUMNS = 160  # of the table, also where no terminal says how many there are
PARTS: Mapping[str, Callable[[], Any]] = {
    "handoff": handoff.measure,
    "statements": statements.measure,
    "hanging": hanging.measure,
    "open_calls": open_calls.measure,
    "history": history.measure,
    "memory": memory.measure,
    "standing": standing.measure,
    "several": several.measure,
}


def measure(console: Console) -> dict[str, Any]:
    """Run every part."""
    found: dict[str, Any] = {"machine": _machine()}
    for name, part in PARTS.items():
        begun = time.monotonic()
        with console.status(f"measuring: {name}"):
            found[name] = part()
        console.print(f"{name}: measured in {time.monotonic() - begun:.0f} s")
    return found


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "cpu": models[0] if models else platform.machine(),
        "python": platform.python_version(),
    }


def table(found: figures.Figures) -> Table:
    """Return what a person looks at: a row for each figure, its aim, and whether it is met."""
    shown = Table(*figures.HEADINGS[:-1], title="the bridge beside what one writes without it")
    for column in shown.columns[1:]:
        column.justify = "right"
    for row in figures.rows(found):
        colour = {True: "green", False: "red", None: "default"}[row.met]
        *cells, aim, _ = row.cells
        shown.add_row(*cells, f"[{colour}]{aim}[/]")
    return shown


def main() -> None:
    """Measure, print, and keep what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="a file for everything that was measured")
    parser.add_argument("--keep", action="store_true", help="in docs/ and in the README")
    given = parser.parse_args()
    console = Console()
    console.width = max(console.width, COLUMNS)
    found = measure(console)
    written = json.dumps(found, indent=1) + "\n"
    if given.json:
        given.json.write_text(written, encoding="utf-8")
    if given.keep:
        plot.KEPT.write_text(written, encoding="utf-8")
        plot.PICTURE.write_text(plot.drawn(found), encoding="utf-8")
        pages.write(found)
    console.print(table(found))
    console.print(figures.method(found), highlight=False)


if __name__ == "__main__":
    main()

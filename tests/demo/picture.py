"""Draws the pages' pictures: ``python -m tests.demo.picture`` plays the demo and keeps parts of it.

What is drawn is what the demo printed in a terminal, without the scenes in between.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

DOCS = Path(__file__).parents[2] / "docs"
COLUMNS = 84
OPENING = ""  # what comes before the first heading
PICTURES: Mapping[str, Sequence[str]] = {
    "demo.svg": (OPENING, "The customer asks for a person", "What was recorded"),
    "assist.svg": ("An agent has the call, and the bot helps her",),
}

_SPINNER = re.compile(r"\x1b\[\?25l.*\x1b\[\?25h|\x1b\[2K|\x1b\[1A|\r", re.DOTALL)
_HEADING = re.compile(r"^(?:\d+  )?(\S.*?) ─{3,}$")


def printed() -> list[Text]:
    """The demo's lines, in colour, without the sign of life while the servers start."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-m", "bridge", "demo"]
    run = subprocess.run(command, env=environment, capture_output=True, check=True)
    written = _SPINNER.sub("", run.stdout.decode())
    lines = [Text.from_ansi(line) for line in written.splitlines()]
    for line in lines:
        line.rstrip()
    return lines


def parts(lines: Sequence[Text]) -> dict[str, list[Text]]:
    """The lines by the heading that they stand under."""
    found: dict[str, list[Text]] = {OPENING: []}
    heading = OPENING
    for line in lines:
        if (match := _HEADING.match(line.plain)) is not None:
            heading = match[1]
        found.setdefault(heading, []).append(line)
    return found


def drawn(known: Mapping[str, Sequence[Text]], wanted: Sequence[str]) -> str:
    """The parts that are wanted, as SVG; three dots where others are left out between them."""
    order = list(known)
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    before: str | None = None
    for heading in wanted:
        if before is not None and order.index(heading) != order.index(before) + 1:
            console.print(Text("   ...\n", style="dim"))
        for line in known[heading]:
            console.print(line, highlight=False)
        before = heading
    return console.export_svg(title="make demo", theme=MONOKAI, unique_id="demo")


def draw() -> None:
    """Write the pictures."""
    known = parts(printed())
    for name, wanted in PICTURES.items():
        (DOCS / name).write_text(drawn(known, wanted), encoding="utf-8")


if __name__ == "__main__":
    draw()

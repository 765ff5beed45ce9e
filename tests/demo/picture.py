"""Draws the README's picture: ``python -m tests.demo.picture`` plays the demo and keeps a part.

What is drawn is what the demo printed in a terminal, without the scenes in between.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE = Path(__file__).parents[2] / "docs" / "demo.svg"
COLUMNS = 84
SCENES = ("The customer asks for a person", "What was recorded")

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


def shown(lines: Sequence[Text]) -> list[Text]:
    """The opening and the parts that ``SCENES`` names, with a line where others are left out."""
    kept: list[Text] = []
    part: str | None = None
    for line in lines:
        found = _HEADING.match(line.plain)
        if found is not None:
            skipped = part is not None and part not in SCENES
            part = found[1]
            if skipped and part in SCENES:
                kept += [Text("   ...", style="dim"), Text()]
        if part is None or part in SCENES:
            kept.append(line)
    return kept


def draw() -> None:
    """Write the picture."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for line in shown(printed()):
        console.print(line, highlight=False)
    svg = console.export_svg(title="make demo", theme=MONOKAI, unique_id="demo")
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    draw()

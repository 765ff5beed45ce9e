"""``cc-bridge demo``: show handoff, assist and handback from end to end on this machine.

This module has only the command; read ``show.py`` first, which runs the demo. What is played and
what must be recorded are data, in ``scenes.py`` and ``expected/``.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path

import typer

from bridge.cli import terminal
from bridge.cli.demo.screen import Screen
from bridge.cli.demo.show import perform

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    keep: bool = typer.Option(
        False,
        "--keep",
        help="Keep both servers running afterwards, with a customer to answer, until Ctrl-C.",
    ),
    record: Path | None = typer.Option(
        None,
        metavar="FILE",
        dir_okay=False,
        help="Also write the results to a file, as JSON.",
    ),
) -> None:
    """Show a handoff from end to end on this machine.

    Starts a simulated CC-Gateway and the real action server, plays requests of a real Rasa, and
    ends with code 0 only if the gateway recorded what was expected.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the customers' letters
    raise typer.Exit(perform(Screen(terminal.PlainConsole()), keep=keep, record=record))

"""``cc-bridge store``: move all data from one database to another."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from bridge.cli import terminal
from bridge.errors import BridgeError
from bridge.upkeep import copying

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Copy the database.")


@app.callback()
def _group() -> None:
    """Keep `copy` a command of its own while it is the only one."""


@app.command()
def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="Address of the database, as in storage.url.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="Address of another database, which is empty.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy all tables of a database, sessions included, to an empty one.

    The addresses are those of storage.url: sqlite:///FILE, or
    postgresql+psycopg://USER@HOST/DATABASE, with the password in PGPASSWORD. Stop the server
    first. Nothing in FROM is changed; if the copy fails, TO stays empty.

    Exit codes: 0 copied, 2 the command failed.
    """
    try:
        with terminal.progress("Copying") as progress:
            counts = copying.copy(source, target, progress)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None
    total = sum(counts.values())
    if as_json:
        terminal.as_json({"rows": counts, "total": total})
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", style="green")
    table.add_column()
    for name, rows in counts.items():
        table.add_row(f"{rows:,}", name)
    table.add_row(f"{total:,}", "rows copied")
    terminal.show(table, counts.items())

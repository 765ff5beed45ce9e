"""``cc-bridge forget``: permanently erase all data of a customer, a conversation or a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from bridge import config, runtime
from bridge.cli import terminal
from bridge.errors import BridgeError
from bridge.upkeep.erasing import Erased, Eraser, Erasure

app = typer.Typer(add_completion=False)

_NOTHING = 1  # exit code if nothing was found, or the user declined
_SHOWN = 5  # IDs listed per kind, at most
_KINDS = {
    "deliveries": "messages to the customer",
    "messages": "messages of the customer",
    "suggestions": "suggestions to agents",
    "assignments": "calls, with their handoff cards",
    "rasa_updates": "updates for Rasa",
    "turns": "answers of actions",
    "events": "events of the gateway",
    "changes": "entries in the log of changes",
    "calls": "calls, as agents' events describe them",
    "call_requests": "requests to the gateway about calls",
}


@app.command()
def forget(
    sender: str = typer.Option(
        None, metavar="ID", help="Erase a conversation, by Rasa's sender ID."
    ),
    user: str = typer.Option(
        None,
        metavar="ID",
        help="Erase a customer with all conversations, by the gateway's user ID.",
    ),
    call: str = typer.Option(None, metavar="ID", help="Erase a single call, by its call ID."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask for confirmation."),
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Show what would be erased, without erasing it."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    compact: bool = typer.Option(
        None,
        "--compact/--no-compact",
        help="Rewrite the SQLite file, so that no erased bytes remain in it; by default, only files"
        " of up to 256 MB. Messages wait meanwhile.",
    ),
) -> None:
    """Erase all stored data of a conversation, a customer or a call.

    Waiting messages are no longer sent. The server may keep running meanwhile.
    The derived code of each action call is kept, so that no message is sent twice.

    Exit codes: 0 erased, 1 no data was found or you declined, 2 the command failed.
    """
    options = {"sender": sender, "user": user, "call": call}
    named = [(kind, name) for kind, name in options.items() if name]
    if len(named) != 1:
        terminal.say("Use exactly one of --sender, --user and --call.")
        raise typer.Exit(2)
    try:
        with runtime.tools(config.load()) as tools:
            _forget(tools.eraser, *named[0], yes, dry_run, as_json, compact)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None


def _forget(
    eraser: Eraser,
    kind: str,
    name: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    compact: bool | None,
) -> None:
    erasure = eraser.erasure(kind, name)
    with terminal.progress("Searching") as progress:
        result = eraser.find(erasure, progress)
    if not result.total:
        terminal.say(f"No data of {kind} {name} was found.")
        if as_json:
            _as_json(erasure, result, erased=False)
        raise typer.Exit(_NOTHING)
    asked = not dry_run and not yes
    if not dry_run:
        if asked:
            _show(erasure, result, erased=False, aside=True)
        terminal.confirm(f"Erase {terminal.counted(result.total, 'row')} permanently?", yes=yes)
        with terminal.progress("Erasing") as progress:
            result = eraser.erase(erasure, progress, compact=compact)
    if as_json:
        _as_json(erasure, result, erased=not dry_run)
    elif asked and terminal.out().is_terminal:
        terminal.out().print(_total(result, "erased"))  # the details were shown before
    else:
        _show(erasure, result, erased=not dry_run)
    if erasure.shadows:
        terminal.say(
            "Rasa's tracker store still holds the conversations in which the bot's actions were"
            " run for suggestions; delete them there: " + ", ".join(sorted(erasure.shadows))
        )
    if not result.clean:
        terminal.say(
            "Erased bytes may remain in the database file until they are overwritten: run this"
            " command again with --compact at a quiet time, or run sqlite3 FILE VACUUM."
        )


def _lines(result: Erased) -> Iterator[tuple[str, int]]:
    for table, what in _KINDS.items():
        if result.rows[table]:
            yield what, result.rows[table]


def _heading(erasure: Erasure) -> str:
    parts = [
        _ids("conversation", erasure.senders),
        _ids("call", erasure.calls),
        _ids("user", erasure.users),
    ]
    return "\n".join(part for part in parts if part)


def _ids(noun: str, ids: frozenset[str]) -> str:
    if not ids:
        return ""
    listed = sorted(ids)
    more = f" and {len(listed) - _SHOWN:,} more" if len(listed) > _SHOWN else ""
    return f"{noun + ('s' if len(listed) > 1 else ''):<13} {', '.join(listed[:_SHOWN])}{more}"


def _show(erasure: Erasure, result: Erased, *, erased: bool, aside: bool = False) -> None:
    """Print the result; with ``aside``, to standard error as part of a question."""
    word = "erased" if erased else "found"
    style = "red" if erased else "yellow"
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", style=style)
    table.add_column()
    for what, rows in _lines(result):
        table.add_row(f"{rows:,}", what)
    lines = [(name, rows) for name, rows in result.rows.items() if rows]
    whole = Group(Text(_heading(erasure)), Text(), table, Text(), _total(result, word))
    if aside:
        terminal.aside().print(whole)
        return
    terminal.show(whole, lines)


def _total(result: Erased, word: str) -> Text:
    return Text(f"{terminal.counted(result.total, 'row')} {word}.", "bold")


def _as_json(erasure: Erasure, result: Erased, *, erased: bool) -> None:
    value: dict[str, Any] = {
        "conversations": sorted(erasure.senders),
        "calls": sorted(erasure.calls),
        "users": sorted(erasure.users),
        "rasa_conversations": sorted(erasure.shadows),
        "erased": erased,
        "rows": {name: result.rows[name] for name in _KINDS},
        "total": result.total,
        "clean": result.clean if erased else None,
    }
    terminal.as_json(value)

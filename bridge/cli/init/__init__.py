"""``cc-bridge init``: connect a Rasa bot to the bridge.

Writes new files only. What a file of the bot's own lacks is put into a patch. ``project`` reads the
bot, ``wiring`` decides, ``content`` has the texts.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import terminal
from bridge.cli.init.project import inspect
from bridge.cli.init.wiring import PATCH, Wiring, wire
from bridge.errors import BridgeError

_PACKAGES = (
    "This Python has the bridge, and Rasa's own does not. Install in it what your actions import."
)
_SECRETS = (
    "BRIDGE_WEBHOOK_TOKEN and RASA_TOKEN are shared with Rasa (32 bytes or more, as from openssl"
    " rand -hex 32)."
)

app = typer.Typer(add_completion=False)


@app.command()
def init(
    project: Annotated[Path, typer.Argument(help="Folder of the Rasa bot.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Connect a Rasa bot to the bridge: write configuration, domain, rules or flows, a channel.

    Existing files are never changed. What has to be added to them is written to cc_bridge.patch.

    Exit codes: 0 done, 2 the command failed.
    """
    try:
        wiring = wire(inspect(project))
        written, kept = _write(project, wiring)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None
    except OSError as error:
        terminal.say(f"{error.filename}: {error.strerror}")
        raise typer.Exit(2) from None
    if as_json:
        terminal.as_json(
            {"written": written, "kept": kept, "edits": wiring.edits, "notes": wiring.notes},
            indent=2,
        )
        return
    _print(project, wiring, written, kept)


def _write(project: Path, wiring: Wiring) -> tuple[list[str], list[str]]:
    """Write the files that do not exist; return the paths of these and of the others."""
    files = dict(wiring.files)
    if wiring.changes:
        files[PATCH] = wiring.patch
        _refuse_old_patch(project / PATCH, wiring.patch)
    written, kept = [], []
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except FileExistsError:
            kept.append(name)
        else:
            written.append(name)
    return written, kept


def _refuse_old_patch(path: Path, wanted: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") != wanted:
        raise BridgeError(f"{path} is from an earlier run: delete it, and run this again")


def _print(project: Path, wiring: Wiring, written: list[str], kept: list[str]) -> None:
    for name in written:
        typer.echo(f"written  {name}")
    for name in kept:
        typer.echo(f"kept     {name}")
    edits = wiring.edits
    if edits:
        typer.echo("\nWhat remains to edit:")
        for number, edit in enumerate(edits, 1):
            terminal.item(f"{number}. ", edit)
    typer.echo("\nGood to know:")
    for note in wiring.notes:
        terminal.item("- ", note)
    folder = "" if project == Path() else f" in {project}"
    first = "With these edits made, train" if edits else "Train"
    terminal.item("", f"\n{first} the bot, and start the action server{folder}:")
    domain = f" --domain {wiring.domain}" if wiring.domain != "domain.yml" else ""
    typer.echo(f"  rasa train{domain}")
    typer.echo(f"  {shlex.quote(sys.executable)} -m rasa_sdk --actions {wiring.actions}")
    if wiring.actions != "bridge.actions":
        terminal.item("", _PACKAGES)
    terminal.item("", _SECRETS)

"""``cc-bridge validate``: report all faults and warnings of the three configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge import config
from bridge.cli import terminal
from bridge.errors import BridgeError

app = typer.Typer(add_completion=False)


@app.command()
def validate(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of the files; the default is BRIDGE_CONFIG, else config."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="Domain file or folder to check names of intents and responses against."),
    ] = None,
) -> None:
    """Check bridge.yml, handoff.yml and media.yml, and report all faults."""
    try:
        settings = config.load(folder, domain=domain)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None
    for warning in settings.warnings:
        terminal.say(f"warning: {warning}")
    typer.echo("The configuration is good.")

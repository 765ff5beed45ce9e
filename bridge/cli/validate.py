"""``cc-bridge validate``: report what is wrong with the configuration and with the Rasa project."""

from __future__ import annotations

from pathlib import Path

import typer

from bridge import validation
from bridge.cli import findings, terminal
from bridge.cli.findings import Format
from bridge.config import environment
from bridge.validation import connection

app = typer.Typer(add_completion=False)


@app.command()
def validate(
    folder: Path = typer.Argument(
        None, help="Folder of the files; the default is BRIDGE_CONFIG, else config."
    ),
    domain: list[Path] = typer.Option(
        [], help="Domain file or folder of the bot; repeatable; the default is rasa.domain."
    ),
    rules: list[Path] = typer.Option(
        [], help="File or folder with rules, stories, flows and NLU examples; repeatable."
    ),
    endpoints: Path = typer.Option(
        None, help="Rasa's endpoints.yml; the default is the one of the working folder."
    ),
    credentials: Path = typer.Option(
        None, help="Rasa's credentials.yml; the default is the one of the working folder."
    ),
    pipeline: Path = typer.Option(
        None, help="Rasa's config.yml; the default is the one of the working folder."
    ),
    strict: bool = typer.Option(False, "--strict", help="Exit with code 1 on warnings too."),
    how: Format = typer.Option(
        Format.TEXT, "--format", help="github: annotations of a GitHub workflow."
    ),
    as_json: bool = typer.Option(False, "--json", help="The same as --format json."),
) -> None:
    """Check bridge.yml, handoff.yml and media.yml, alone and against a Rasa project.

    The exit code is 0 if all is good, 1 if there are errors, and 2 if it cannot run.
    """
    others = (endpoints, credentials, pipeline)
    _require(folder, [*domain, *rules, *(each for each in others if each)])
    project = validation.read_project(
        folder,
        domain=domain,
        rules=rules,
        endpoints=endpoints or Path(connection.ENDPOINTS),
        credentials=credentials or Path(connection.CREDENTIALS),
        pipeline=pipeline or Path("config.yml"),
    )
    faults = validation.find_faults(project)
    how = Format.JSON if as_json else how
    findings.show(faults, how)
    if how is Format.TEXT:
        count = findings.counted(faults)
        typer.echo(f"{count}." if count else "The configuration is good.")
    if any(strict or fault.severity == "error" for fault in faults):
        raise typer.Exit(1)


def _require(folder: Path | None, named: list[Path]) -> None:
    """Exit with code 2 if a file or folder that was named does not exist."""
    chosen = folder or environment.current().get(environment.FOLDER)
    missing = [path for path in named if not path.exists()]
    if chosen and not Path(chosen).is_dir():
        terminal.say(f"{chosen}: there is no such folder")
        raise typer.Exit(2)
    for path in missing:
        terminal.say(f"{path}: there is no such file or folder")
    if missing:
        raise typer.Exit(2)

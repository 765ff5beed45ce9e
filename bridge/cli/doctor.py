"""``cc-bridge doctor``: examine an installation, and say how to cure what is wrong."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bridge import config
from bridge.cli import terminal
from bridge.config import environment
from bridge.config.source import Document
from bridge.doctor.diagnosis import Diagnosis, Severity
from bridge.doctor.examination import Requested, examine
from bridge.doctor.probing import ProbedCall
from bridge.errors import BridgeError
from bridge.model import Channel

app = typer.Typer(add_completion=False)

_FOUND = 1  # the exit code
_OPERATORS = "bridge.yml"
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.OK: "green"}
_LABEL = 9  # the width of a label


@app.command()
def doctor(
    server: Annotated[
        str, typer.Option(metavar="URL", help="Address of the action server.")
    ] = "http://127.0.0.1:5055",
    sender: Annotated[
        str | None,
        typer.Option(metavar="ID", help="A conversation of Rasa whose metadata is examined."),
    ] = None,
    sign_in: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Sign this agent in and out; refused if it has a session or desktop."
        ),
    ] = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Send one message to a test call, to find out which size limit the gateway has;"
            " needs --agent, --call, --user and --channel.",
        ),
    ] = False,
    agent: Annotated[str | None, typer.Option(metavar="ID", help="Agent of the call.")] = None,
    call: Annotated[str | None, typer.Option(metavar="ID", help="The test call.")] = None,
    user: Annotated[str | None, typer.Option(metavar="ID", help="User ID of the call.")] = None,
    channel: Annotated[Channel | None, typer.Option(help="Channel of the call.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as faults.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Examine the gateway, the database, Rasa and the action server.

    Without --sign-in and --probe, nothing is changed and nothing is sent to anybody.

    Exit codes: 0 in order, 1 faults were found, 2 could not run.
    """
    try:
        settings = config.load()
        operators = config.inspect().operators
        requested = Requested(
            server=server.rstrip("/"),
            folder=Path(),
            workers=environment.workers(),
            sender=sender,
            sign_in=sign_in,
            probe=_call(agent, call, user, channel) if probe else None,
        )
        results = []
        for each in examine(settings, requested):
            result = _located(each, operators)
            results.append(result)
            if not as_json:
                _print(terminal.out(), result)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None
    findings = [result for result in results if result.severity is not Severity.OK]
    if as_json:
        terminal.as_json({"findings": [each.as_json for each in findings]}, indent=2)
    if any(strict or each.severity is Severity.ERROR for each in findings):
        raise typer.Exit(_FOUND)


def _located(result: Diagnosis, operators: Document) -> Diagnosis:
    """Return a finding about ``bridge.yml`` with the place of its key."""
    if result.file != _OPERATORS:
        return result
    place = operators.place(tuple(result.key.split(".")))
    if place.variable:
        return replace(result, file="", key=place.variable)
    return replace(result, file=place.file, line=place.line or 1, column=place.column or 1)


def _call(
    agent: str | None, call: str | None, user: str | None, channel: Channel | None
) -> ProbedCall:
    if agent is None or call is None or user is None or channel is None:
        raise BridgeError(
            "--probe needs --agent, --call, --user and --channel: those of a test call"
        )
    return ProbedCall(agent, call, user, channel)


def _print(console: Console, result: Diagnosis) -> None:
    word = result.severity.value
    first = Text(_filled(console, word.ljust(_LABEL), f"{result.key}: {result.found}"))
    first.stylize(_STYLES[result.severity], 0, len(word))
    console.print(first, soft_wrap=True)
    for label, text in (("expected", result.allowed), ("cure", result.hint)):
        if text:
            start = " " * _LABEL + label.ljust(_LABEL)
            console.print(Text(_filled(console, start, text)), soft_wrap=True)


def _filled(console: Console, start: str, text: str) -> str:
    """Return a paragraph with an indent; in a pipe, one line."""
    if not console.is_terminal:
        return start + text
    return textwrap.fill(
        text,
        width=console.width,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )

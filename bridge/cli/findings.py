"""Print faults: as text, as JSON, or as the annotations of a GitHub workflow."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge import untrusted
from bridge.cli import terminal
from bridge.config.faults import Fault, spell

_LABEL = 12
_COLOURS = {"error": "bold red", "warning": "bold yellow"}


class Format(str, Enum):
    """How faults are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def show(faults: Sequence[Fault], how: Format) -> None:
    """Print faults to standard output."""
    if how is Format.JSON:
        terminal.as_json({"findings": [_object(fault) for fault in faults]}, indent=2)
    elif how is Format.GITHUB:
        for fault in faults:
            typer.echo(untrusted.one_line(_annotation(fault), longest=None))
    else:
        _text(faults)


def counted(faults: Sequence[Fault]) -> str:
    """Return how many faults there are: ``2 errors, 1 warning``."""
    numbers = {
        severity: sum(fault.severity == severity for fault in faults)
        for severity in ("error", "warning")
    }
    said = [terminal.counted(number, severity) for severity, number in numbers.items() if number]
    return ", ".join(said)


def _object(fault: Fault) -> dict[str, Any]:
    place = fault.place
    return {
        "file": place.file,
        "line": place.line or 1 if place.file else 0,
        "column": place.column or 1 if place.file else 0,
        "key": place.variable or spell(fault.path),
        "found": fault.found or fault.wrong,
        "allowed": fault.allowed,
        "hint": fault.cure,
        "severity": fault.severity,
    }


def _annotation(fault: Fault) -> str:
    place = fault.place
    where = ""
    if place.file:
        file = _escaped(_relative(place.file), property_=True)
        where = f" file={file},line={place.line or 1},col={place.column or 1}"
    subject = place.variable or spell(fault.path)
    if fault.found:
        said = f"found {fault.found}"
        said += f"; allowed: {fault.allowed}" if fault.allowed and fault.meant + fault.hint else ""
    else:
        said = fault.wrong
    message = f"{subject}: {said}" if subject else said
    return f"::{fault.severity}{where}::{_escaped(f'{message}. {fault.cure}'.strip())}"


def _escaped(text: str, *, property_: bool = False) -> str:
    """Escape what ends a property or a message of a workflow command."""
    signs: dict[str, str | int | None] = {"%": "%25", "\r": "%0D", "\n": "%0A"}
    if property_:
        signs |= {":": "%3A", ",": "%2C"}
    return text.translate(str.maketrans(signs))


def _relative(file: str) -> str:
    """Return a path from the working folder, which is the repository's in a workflow."""
    path = Path(file)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _text(faults: Sequence[Fault]) -> None:
    console = terminal.out()
    if not console.is_terminal:
        for fault in faults:
            typer.echo(untrusted.lines(f"{fault.severity}: {fault}\n"))
        return
    for fault in faults:
        title = Text.assemble((fault.severity, _COLOURS[fault.severity]), " ", _link(fault))
        title.append(f" {spell(fault.path)}" if fault.path else "", style="bold")
        console.print(title)
        rows = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        rows.add_column(width=_LABEL, style="dim")
        rows.add_column(overflow="fold")
        for label, text in fault.lines:
            rows.add_row(label, Text(text, style="green" if label == "did you mean" else ""))
        console.print(Padding(rows, (0, 0, 1, 2)))


def _link(fault: Fault) -> str:
    """Return the place in the form that terminals and editors open: ``file:line:column``."""
    place = fault.place
    return f"{place.file}:{place.line}:{place.column}" if place.line else str(place)

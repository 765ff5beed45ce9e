"""``cc-bridge report``: what became of suggestions, as tables, CSV, JSON or a chart.

Works on the configured database, also while a server runs on it. The figures are those of the API.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, NoReturn

import typer
from rich.console import Group as Stack
from rich.table import Table

from bridge import config, runtime
from bridge.cli import terminal
from bridge.errors import BridgeError
from bridge.queries.proposals import Proposal
from bridge.queries.report import TOO_FEW, Group, ReportFigures
from bridge.web import serializers

app = typer.Typer(add_completion=False)

_FAILED = 2
_DAYS = 30
_WIDTH = 40  # characters of a chart's longest bar
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GROUP = typer.Option(Group.DAY, "--group", help="What the figures are grouped by.")
# The columns of a table: the API's names and the headings.
_QUESTIONS = {
    "questions": "questions",
    "questions_answered": "answered",
    "acceptance": "acceptance",
    "questions_automatic": "automatic",
    "questions_open": "open",
    "questions_unseen": "unseen",
}
_SUGGESTIONS = {
    name: name for name in ("accepted", "edited", "copied", "rejected", "superseded", "expired")
}


@app.command()
def report(
    first: str = typer.Option(None, "--from", metavar="DAY", help="First day, in UTC."),
    last: str = typer.Option(None, "--to", metavar="DAY", help="Last day; by default today."),
    group: Group = _GROUP,
    as_json: bool = typer.Option(False, "--json", help="Print the API's JSON."),
    as_csv: bool = typer.Option(False, "--csv", help="Print CSV, safe to open in a spreadsheet."),
    chart: bool = typer.Option(False, "--chart", help="Print the acceptance as bars."),
    proposals: bool = typer.Option(
        False, "--proposals", help="Print what agents write instead of responses, as a diff."
    ),
) -> None:
    """Show what became of suggestions."""
    end = _day(last, "--to") or datetime.now(timezone.utc).date()
    begin = _day(first, "--from") or end - timedelta(days=_DAYS - 1)
    if begin > end:
        _fail("--from is after --to")
    start, until = _midnight(begin), _midnight(end + timedelta(days=1))
    try:
        with runtime.tools(config.load()) as tools:
            if proposals:
                _print_proposals(tools.report.proposals(start, until))
                return
            rows, total = tools.report.figures(start, until, group)
    except BridgeError as error:
        _fail(str(error))
    if as_json:
        body = serializers.report(begin, end, group, rows, total)
        terminal.as_json(body.dump())
    elif as_csv:
        typer.echo(as_spreadsheet(rows), nl=False)
    elif chart:
        for line in bars(rows):
            typer.echo(line)
    else:
        every = [*rows, total]
        terminal.show(Stack(*tables(group, every)), _lines(group, every))


def as_spreadsheet(rows: Sequence[ReportFigures]) -> str:
    """Return CSV in which no cell is a formula."""
    written = io.StringIO()
    bodies = [serializers.report_row(row).dump() for row in rows]
    sheet = csv.writer(written)
    sheet.writerow(serializers.report_row(ReportFigures("")).dump())
    for body in bodies:
        sheet.writerow([_cell(value) for value in body.values()])
    return written.getvalue()


def _cell(value: Any) -> Any:
    """Return a cell; a text that a spreadsheet would take for a formula begins with a quote."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def bars(rows: Sequence[ReportFigures]) -> list[str]:
    """Return a bar of the acceptance for each row; none where there are too few questions."""
    width = max((len(row.key) for row in rows), default=0)
    found = []
    for row in rows:
        if row.acceptance is None:
            bar = f"too few ({row.seen} of {TOO_FEW} questions)"
        else:
            bar = f"{'█' * round(row.acceptance * _WIDTH)} {row.acceptance:.0%} of {row.seen}"
        found.append(f"{row.key or '-':{width}}  {bar}")
    return found


def tables(group: Group, rows: Sequence[ReportFigures]) -> list[Table]:
    """Return a table of questions and one of suggestions; their last row is the total."""
    found = []
    for title, columns in (("Questions", _QUESTIONS), ("Suggestions", _SUGGESTIONS)):
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        table.add_column(group.value, overflow="fold")
        for name in columns.values():
            table.add_column(name, justify="right", no_wrap=True)
        for key, *cells in _cells(rows, columns):
            table.add_row(key, *cells)
        found.append(table)
    return found


def _lines(group: Group, rows: Sequence[ReportFigures]) -> Iterator[list[str]]:
    columns = {**_QUESTIONS, **_SUGGESTIONS}
    yield [group.value, *columns.values()]
    yield from _cells(rows, columns)


def _cells(rows: Sequence[ReportFigures], columns: Iterable[str]) -> Iterator[list[str]]:
    for row in rows:
        body = serializers.report_row(row).dump()
        key = "all" if row is rows[-1] else row.key or "-"
        yield [key, *(_shown(body[name]) for name in columns)]


def _shown(value: Any) -> str:
    if value is None:
        return "too few"
    return f"{value:.0%}" if isinstance(value, float) else str(value)


def _print_proposals(proposals: Sequence[Proposal]) -> None:
    for proposal in proposals:
        for line in proposal.diff():
            typer.echo(line)
    if not proposals:
        terminal.say("There is nothing that enough agents write alike.")


def _day(value: str | None, option: str) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        _fail(f"{option} is a day, as in 2026-11-01")


def _fail(sentence: str) -> NoReturn:
    terminal.say(sentence)
    raise typer.Exit(_FAILED)


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp()

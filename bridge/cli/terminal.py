"""Terminal output for all commands: tables, tab-separated lines for pipes, progress bars.

Results go to standard output; questions, progress and warnings to standard error.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from typer import rich_utils

from bridge import untrusted

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (0, "s"))


class PlainConsole(Console):
    """A console that prints no control characters of the values that it is given.

    With ``NO_COLOR``, it prints no styles at all, as at a terminal that has none (``TERM=dumb``).
    In a pipe, lines have no trailing blanks.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.no_color:  # rich alone would keep bold and dim
            super().__init__(**{**options, "color_system": None})

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, and pad no line of a table unless it is for a terminal."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write("\n".join(line.rstrip(" ") for line in captured.get().split("\n")))
        self.file.flush()

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render the value, and remove control characters from its text, but no line breaks."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(untrusted.lines(segment.text), segment.style)


def out() -> Console:
    """Return a console on standard output."""
    return PlainConsole(highlight=False)


def aside() -> Console:
    """Return a console on standard error."""
    return PlainConsole(stderr=True, highlight=False)


def plain_help() -> None:
    """Print help and usage errors without styles, if the environment asks for no colours."""
    if PlainConsole().no_color:
        rich_utils.COLOR_SYSTEM = None


def show(table: RenderableType, lines: Iterable[Iterable[object]]) -> None:
    """Print a table at a terminal; otherwise untruncated lines with tabs between the fields."""
    console = out()
    if console.is_terminal:
        console.print(table)
        return
    for line in lines:
        fields = (str(field).translate(_ONE_LINE) for field in line)
        typer.echo("\t".join(untrusted.one_line(field, longest=None) for field in fields))


_WHOLE_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
_ONE_LINE = {ord("\t"): " ", ord("\n"): " ", ord("\r"): " "}


def item(label: str, text: str) -> None:
    """Print an item of a list, whose later lines begin below the text of the first one.

    At a terminal, prose is wrapped; lines that begin with a blank are code, and stay whole.
    """
    console = out()
    width = console.width - len(label) if console.is_terminal else sys.maxsize
    begin = label
    for line in text.split("\n"):
        whole = line.startswith(" ") or not line
        pieces = [line] if whole else textwrap.wrap(line, width, **_WHOLE_WORDS)
        for piece in pieces:
            typer.echo(untrusted.one_line(f"{begin}{piece}".rstrip(), longest=None))
            begin = " " * len(label)


def as_json(value: Mapping[str, Any] | Sequence[Any], *, indent: int | None = None) -> None:
    """Print a JSON object or list."""
    typer.echo(untrusted.json_line(json.dumps(value, ensure_ascii=False, indent=indent)))


def say(sentence: str) -> None:
    """Print a sentence, or several lines, to standard error."""
    typer.echo(untrusted.lines(sentence), err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation; exit with code 1 on a no, with 2 if standard input is no terminal."""
    if yes:
        return
    if not sys.stdin.isatty():
        say("Not an interactive terminal: add --yes to confirm.")
        raise typer.Exit(2)
    if not typer.confirm(question, err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar at a terminal only; yield a function that takes done and total."""
    console = aside()
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def age(seconds: float) -> str:
    """Format a duration: ``3 s``, ``12 min``, ``5 h``, ``40 d``."""
    for size, unit in _UNITS:
        if seconds >= max(size, 1):
            return f"{seconds // max(size, 1):.0f} {unit}"
    return "0 s"


def moment(seconds: float) -> str:
    """Format epoch seconds as local date and time."""
    return (
        datetime.fromtimestamp(untrusted.moment(seconds) or 0.0)
        .astimezone()
        .strftime("%Y-%m-%d %H:%M:%S")
    )


def counted(number: int, noun: str) -> str:
    """Format a number with its noun: ``1 message``, ``12 messages``."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"

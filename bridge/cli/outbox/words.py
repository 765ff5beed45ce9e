"""Retry or discard many deliveries: confirm once, then issue one command per delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from bridge.cli import terminal
from bridge.core.core import Core
from bridge.errors import RefusedError
from bridge.queries.deliveries import number_of
from bridge.state.commands import DiscardDelivery, MoveDelivery, RetryDelivery

_ALONE = 20  # outcomes; of more than that, only refusals are listed at a terminal


@dataclass(frozen=True, slots=True)
class Word:
    """A decision, its texts and its command."""

    ask: str  # "Send {} again?"
    doing: str
    done: str  # the outcome for programs
    summary: str  # the outcome for people
    command: type[MoveDelivery]


RETRY = Word(
    "Send {} again?",
    "Sending again",
    "retried",
    "will be sent again",
    RetryDelivery,
)
DISCARD = Word(
    "Take {} off the list for good?",
    "Taking off the list",
    "discarded",
    "taken off the list",
    DiscardDelivery,
)


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The outcome for one delivery; ``refused`` is set if the command was refused."""

    delivery: str
    refused: RefusedError | None = None


def speak(core: Core, word: Word, ids: Sequence[str], yes: bool, as_json: bool) -> None:
    """Apply ``word`` to each delivery; exit with code 1 if one is refused or there is none."""
    if not ids:
        terminal.say("No deliveries match.")
        raise typer.Exit(1)
    terminal.confirm(word.ask.format(terminal.counted(len(ids), "delivery")), yes=yes)
    with terminal.progress(word.doing) as progress:
        outcomes = list(_each(core, word, ids, progress))
    if as_json:
        for outcome in outcomes:
            terminal.as_json(_json(word, outcome))
    else:
        terminal.show(_table(word, outcomes), (_line(word, outcome) for outcome in outcomes))
    if word is RETRY and not all(outcome.refused for outcome in outcomes):
        terminal.say("The server on this database sends it now; if none runs, the next one does.")
    if any(outcome.refused for outcome in outcomes):
        raise typer.Exit(1)


def _each(
    core: Core,
    word: Word,
    ids: Sequence[str],
    progress: Callable[[int, int], None],
) -> Iterator[DeliveryOutcome]:
    for number, delivery in enumerate(ids, 1):
        try:
            core.call(word.command(delivery_id=number_of(delivery), agent_id=None))
        except RefusedError as error:
            yield DeliveryOutcome(delivery, error)
        else:
            yield DeliveryOutcome(delivery)
        progress(number, len(ids))


def _table(word: Word, outcomes: Sequence[DeliveryOutcome]) -> Group:
    done = sum(not outcome.refused for outcome in outcomes)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold")
    table.add_column(overflow="fold")
    shown = outcomes if len(outcomes) <= _ALONE else [item for item in outcomes if item.refused]
    for outcome in shown:
        refused = outcome.refused
        result = Text(refused.message, "yellow") if refused else Text(word.summary, "green")
        table.add_row(outcome.delivery, result)
    if len(outcomes) == 1:
        return Group(table)
    total = f"{done:,} of {terminal.counted(len(outcomes), 'delivery')} {word.summary}."
    return Group(table, Text(total, "bold"))


def _line(word: Word, outcome: DeliveryOutcome) -> tuple[str, str, str]:
    refused = outcome.refused
    return (
        outcome.delivery,
        refused.code if refused else word.done,
        refused.message if refused else "",
    )


def _json(word: Word, outcome: DeliveryOutcome) -> dict[str, object]:
    refused = outcome.refused
    if refused is None:
        return {"id": outcome.delivery, "outcome": word.done}
    error = {"code": refused.code, "message": refused.message}
    return {"id": outcome.delivery, "outcome": "refused", "error": error}

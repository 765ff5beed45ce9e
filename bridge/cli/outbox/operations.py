"""Retry or discard many deliveries: confirm once, then issue one command per delivery.

Retrying all of a kind leaves out deliveries that were stopped on purpose, or after which the
customer was told something else. Naming such a delivery by its ID asks first, and says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from bridge.cli import terminal
from bridge.core.core import Core
from bridge.errors import RefusedError
from bridge.planners.retries import Objection
from bridge.queries.deliveries import number_of
from bridge.state.commands import DiscardDelivery, MoveDelivery, RetryDelivery

_ALONE = 20  # outcomes; of more than that, only refusals are listed at a terminal


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on deliveries: its command and its texts."""

    ask: str  # "Send {} again?"
    doing: str
    done: str  # the outcome for programs
    summary: str  # the outcome for people
    command: Callable[[int, bool], MoveDelivery]  # of a number, and whether it was confirmed


RETRY = Operation(
    "Send {} again?",
    "Sending again",
    "retried",
    "will be sent again",
    lambda number, again: RetryDelivery(delivery_id=number, agent_id=None, again=again),
)
DISCARD = Operation(
    "Discard {} permanently?",
    "Discarding",
    "discarded",
    "discarded",
    lambda number, _again: DiscardDelivery(delivery_id=number, agent_id=None),
)


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The outcome for one delivery; ``refused`` is set if the command was refused."""

    delivery: str
    refused: RefusedError | None = None
    left_out: Objection | None = None

    @property
    def done(self) -> bool:
        """Whether the command was carried out."""
        return self.refused is None and self.left_out is None

    @property
    def reason(self) -> tuple[str, str]:
        """The code and the sentence that say why it was not done."""
        why = self.refused or self.left_out
        return (why.code, why.message) if why is not None else ("", "")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The deliveries to apply a decision to.

    Attributes:
        ids: their IDs.
        objections: why some of them should not be retried, by ID.
        every: they were chosen by ``--all``; deliveries with an objection are left out.
    """

    ids: Sequence[str]
    objections: Mapping[str, Objection] = field(default_factory=dict)
    every: bool = False


def speak(core: Core, operation: Operation, chosen: Chosen, yes: bool, as_json: bool) -> None:
    """Apply ``operation`` to each delivery; exit with code 1 if one is refused or none is left."""
    left_out = [
        DeliveryOutcome(name, left_out=why)
        for name, why in chosen.objections.items()
        if chosen.every
    ]
    ids = [name for name in chosen.ids if not (chosen.every and name in chosen.objections)]
    if not chosen.ids:
        terminal.say("No deliveries match.")
        raise typer.Exit(1)
    if ids:
        _confirm(operation, ids, chosen, yes=yes)
    with terminal.progress(operation.doing) as progress:
        outcomes = [*_each(core, operation, ids, chosen.objections, progress), *left_out]
    for code, number in Counter(item.reason[0] for item in left_out).items():
        example = next(item.reason[1] for item in left_out if item.reason[0] == code)
        counted = terminal.counted(number, "delivery")
        terminal.say(f"Left out: {counted}, {code}: {example}.")
    if as_json:
        for outcome in outcomes:
            terminal.as_json(_json(operation, outcome))
    else:
        terminal.show(
            _table(operation, outcomes), (_line(operation, outcome) for outcome in outcomes)
        )
    if operation is RETRY and any(outcome.done for outcome in outcomes):
        terminal.say("The server on this database sends it now; if none runs, the next one does.")
    if any(outcome.refused for outcome in outcomes) or not ids:
        raise typer.Exit(1)


def _confirm(operation: Operation, ids: Sequence[str], chosen: Chosen, *, yes: bool) -> None:
    for name in ids:
        why = chosen.objections.get(name)
        if why is not None and not why.final:
            terminal.say(f"Delivery {name} should not be sent again: {why.message}.")
    terminal.confirm(operation.ask.format(terminal.counted(len(ids), "delivery")), yes=yes)


def _each(
    core: Core,
    operation: Operation,
    ids: Sequence[str],
    objections: Mapping[str, Objection],
    progress: Callable[[int, int], None],
) -> Iterator[DeliveryOutcome]:
    for number, delivery in enumerate(ids, 1):
        try:
            core.call(operation.command(number_of(delivery), delivery in objections))
        except RefusedError as error:
            yield DeliveryOutcome(delivery, error)
        else:
            yield DeliveryOutcome(delivery)
        progress(number, len(ids))


def _table(operation: Operation, outcomes: Sequence[DeliveryOutcome]) -> Group:
    done = sum(outcome.done for outcome in outcomes)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold")
    table.add_column(overflow="fold")
    shown = outcomes if len(outcomes) <= _ALONE else [item for item in outcomes if item.refused]
    for outcome in shown:
        left_out = "left out: " if outcome.left_out else ""
        result = Text(left_out + outcome.reason[1], "yellow")
        if outcome.done:
            result = Text(operation.summary, "green")
        table.add_row(outcome.delivery, result)
    if len(outcomes) == 1:
        return Group(table)
    total = f"{done:,} of {terminal.counted(len(outcomes), 'delivery')} {operation.summary}."
    return Group(table, Text(total, "bold"))


def _line(operation: Operation, outcome: DeliveryOutcome) -> tuple[str, str, str]:
    code, message = outcome.reason
    if outcome.left_out is not None:
        return outcome.delivery, "left_out", f"{code}: {message}"
    return outcome.delivery, code or operation.done, message


def _json(operation: Operation, outcome: DeliveryOutcome) -> dict[str, object]:
    if outcome.done:
        return {"id": outcome.delivery, "outcome": operation.done}
    code, message = outcome.reason
    kind = "refused" if outcome.refused is not None else "left_out"
    return {"id": outcome.delivery, "outcome": kind, "error": {"code": code, "message": message}}

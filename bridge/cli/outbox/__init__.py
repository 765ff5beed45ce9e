"""``cc-bridge outbox``: list, show, retry and discard deliveries.

Works on the configured database, also while a server runs on it. No rules belong here: queries and
commands are those of the HTTP API. This module has the subcommands, ``operations`` retries and
discards, ``formats`` formats deliveries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from bridge import config, runtime
from bridge.cli import terminal
from bridge.cli.outbox import formats, operations
from bridge.errors import BridgeError, RefusedError
from bridge.model import DeliveryState
from bridge.planners.deliveries import RETRIED
from bridge.queries import Deliveries
from bridge.runtime import Tools

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="List and show deliveries; retry or discard them.",
)

_REFUSED = 1  # exit code if something was not done
_UNDELIVERED = tuple(state for state in DeliveryState if state is not DeliveryState.DELIVERED)
_STATES = ", ".join(state.value for state in DeliveryState)

CALL = typer.Option(None, metavar="ID", help="Only deliveries of this call.")
AGENT = typer.Option(None, metavar="ID", help="Only deliveries of this agent.")
STATE = typer.Option(
    [],
    metavar="STATE",
    help=f"Only deliveries in this state; separate several by commas: {_STATES}.",
)
CONTENT = typer.Option(False, "--content", help="Include contents, which may be customers' words.")
AS_JSON = typer.Option(False, "--json", help="Print JSON, one object per line.")
IDS = typer.Argument(None, metavar="[ID]", help="IDs of deliveries.")
EVERY = typer.Option(False, "--all", help="All deliveries that match --state, --call and --agent.")
YES = typer.Option(False, "--yes", "-y", help="Do not ask for confirmation.")


@app.command("list")
def listing(
    state: list[str] = STATE,
    call: str = CALL,
    agent: str = AGENT,
    limit: int = typer.Option(50, min=1, help="Maximum number, of the newest."),
    every: bool = typer.Option(False, "--all", help="Show all matching deliveries."),
    content: bool = CONTENT,
    as_json: bool = AS_JSON,
) -> None:
    """List deliveries, the newest last; without --state, those that are not delivered.

    In a pipe: a line each, with tabs between id, call, agent, state, attempts, when it was
    stored, error (and content).
    """
    with _outbox() as tools:
        states = _states(state) or _UNDELIVERED
        most = 1 << 60 if every else limit
        deliveries, counts = tools.deliveries.newest(
            call_id=call, states=states, agent_id=agent, limit=most
        )
    if as_json:
        for delivery in deliveries:
            terminal.as_json(formats.json(delivery, content=content))
        return
    terminal.show(
        formats.table(deliveries, counts, states, content=content, width=terminal.out().width),
        (formats.line(delivery, content=content) for delivery in deliveries),
    )


@app.command()
def show(
    delivery: str = typer.Argument(..., metavar="ID"),
    content: bool = CONTENT,
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Show one delivery with its history, its suggestion and the other parts of its reply."""
    with _outbox() as tools:
        history = tools.deliveries.history(delivery)
    if as_json:
        terminal.as_json(formats.whole_json(history, content=content), indent=2)
    else:
        terminal.out().print(formats.whole(history, content=content))


@app.command()
def retry(
    ids: list[str] = IDS,
    every: bool = EVERY,
    state: list[str] = STATE,
    call: str = CALL,
    agent: str = AGENT,
    yes: bool = YES,
    as_json: bool = AS_JSON,
) -> None:
    """Send failed, expired or uncertain deliveries again, under the same code.

    The server that works on this database sends it. An uncertain one may have arrived already.
    --all leaves out what was stopped on purpose, and what the customer was told otherwise since.

    Exit codes: 0 done, 1 something was not done (each says why), 2 nothing could be.
    """
    with _outbox() as tools:
        operations.speak(
            tools.core,
            operations.RETRY,
            _to_retry(
                tools.deliveries,
                _which(tools.deliveries, ids, every, state, call, agent),
                every=every,
            ),
            yes,
            as_json,
        )


@app.command()
def discard(
    ids: list[str] = IDS,
    every: bool = EVERY,
    state: list[str] = STATE,
    call: str = CALL,
    agent: str = AGENT,
    yes: bool = YES,
    as_json: bool = AS_JSON,
) -> None:
    """Discard deliveries: waiting ones are not sent, and settled ones need no decision any more.

    Exit codes: 0 done, 1 something was not done (each says why), 2 nothing could be.
    """
    with _outbox() as tools:
        operations.speak(
            tools.core,
            operations.DISCARD,
            operations.Chosen(_which(tools.deliveries, ids, every, state, call, agent)),
            yes,
            as_json,
        )


@contextmanager
def _outbox() -> Iterator[Tools]:
    try:
        with runtime.tools(config.load()) as tools:
            yield tools
    except RefusedError as error:
        terminal.say(f"{error}.")
        raise typer.Exit(_REFUSED if error.status == 404 else 2) from None  # noqa: PLR2004 - HTTP's
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None


def _which(
    deliveries: Deliveries,
    ids: Sequence[str],
    every: bool,
    state: Sequence[str],
    call: str | None,
    agent: str | None,
) -> list[str]:
    """Return the given IDs, or with --all those of all deliveries that match the filters."""
    if not every:
        if not ids or state or call or agent:
            raise BridgeError(
                "Name deliveries by their IDs; or all of a kind: --all --state failed"
            )
        return list(dict.fromkeys(ids))
    if ids or not state:
        raise BridgeError("--all goes with --state, as in --all --state failed, and with no IDs")
    matching = deliveries.each(call_id=call, states=_states(state), agent_id=agent)
    return [delivery.id for delivery in matching]


def _to_retry(deliveries: Deliveries, ids: Sequence[str], *, every: bool) -> operations.Chosen:
    """Return the deliveries to retry, with the reasons why some of them should not be."""
    objections = {}
    for name in ids:
        try:
            delivery = deliveries.get(name)
        except RefusedError:
            continue  # there is none; the command says so
        if delivery.state in RETRIED and (why := deliveries.objection(delivery)) is not None:
            objections[name] = why
    return operations.Chosen(ids, objections, every)


def _states(options: Sequence[str]) -> tuple[DeliveryState, ...]:
    try:
        return tuple(
            DeliveryState(word.strip().lower())
            for option in options
            for word in option.split(",")
            if word.strip()
        )
    except ValueError:
        raise BridgeError(f"a state is one of {_STATES}") from None

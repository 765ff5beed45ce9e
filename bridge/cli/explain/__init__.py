"""``cc-bridge explain``: what the configuration makes of a conversation, and what happened in it.

``turns`` prints a replayed conversation, ``why`` what the store knows of one, and ``diagram`` the
configured flow. Nothing is sent, and no row is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from bridge import config, replay, runtime
from bridge.cli import terminal
from bridge.cli.explain import turns, why
from bridge.cli.explain.diagram import flowchart
from bridge.cli.explain.turns import Explanation
from bridge.config import environment
from bridge.config.settings import Settings
from bridge.errors import BridgeError, NoDatabaseError
from bridge.replay import Recording

_NO_ADDRESS = {"BRIDGE__GATEWAY__URL": "https://explain.invalid"}  # nothing is sent
_NOTHING = 1  # exit code if nothing is known of the conversation

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    what: str | None = typer.Argument(
        None,
        metavar="TRACKER.json|SENDER_ID",
        help="File with a tracker, or the sender ID of a conversation that Rasa knows.",
    ),
    folder: Path = typer.Option(
        None, "--config", help="Folder of handoff.yml; the default is BRIDGE_CONFIG, else config."
    ),
    happened: str | None = typer.Option(
        None, "--why", metavar="SENDER_ID", help="Show from the database what happened."
    ),
    diagram: bool = typer.Option(
        False, "--diagram", help="Print the configured flow as a Mermaid flowchart."
    ),
    clear: bool = typer.Option(
        False, "--clear", help="Do not mask card numbers, e-mail addresses and phone numbers."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON list."),
) -> None:
    """Replay a conversation turn by turn with today's configuration; nothing is sent.

    --why shows instead what happened, from the database: assignments, handoffs, the answers of
    action calls, deliveries and suggestions, in the order of time. --diagram draws the flow that
    handoff.yml configures.

    Exit codes: 0 done, 1 the database knows no such conversation, 2 it could not run.
    """
    _require_one(what, happened, diagram=diagram, as_json=as_json)
    try:
        settings = config.load(folder, {**_NO_ADDRESS, **environment.current()})
        if diagram:
            typer.echo(flowchart(settings.designer), nl=False)
        if happened is not None:
            _happened(happened, settings, clear=clear, as_json=as_json)
        if what is not None:
            _replayed(what, settings, clear=clear, as_json=as_json)
    except BridgeError as error:
        terminal.say(str(error))
        raise typer.Exit(2) from None


def _require_one(what: str | None, happened: str | None, *, diagram: bool, as_json: bool) -> None:
    """Raise a usage error unless exactly one thing is to be explained."""
    if sum((what is not None, happened is not None, diagram)) != 1:
        raise typer.BadParameter("name one of TRACKER.json, SENDER_ID, --why and --diagram")
    if diagram and as_json:
        raise typer.BadParameter("--diagram prints Mermaid, not JSON")


def _happened(sender_id: str, settings: Settings, *, clear: bool, as_json: bool) -> None:
    with runtime.timeline(settings) as timeline:
        events = timeline.events(sender_id)
    if as_json:
        terminal.as_json(why.as_json(events, settings, clear=clear), indent=2)
    else:
        why.show(events, settings, clear=clear)
    if not events:
        terminal.say(f"No data of conversation {sender_id} was found.")
        raise typer.Exit(_NOTHING)


def _replayed(what: str, settings: Settings, *, clear: bool, as_json: bool) -> None:
    recording = _recording(what, settings)
    explained = replay.replay(
        recording.tracker,
        settings.designer,
        domain=recording.domain or settings.domain,
        called=recording.called,
    )
    recorded = _configurations(recording.tracker, settings)
    explanation = Explanation(tuple(explained), settings, clear, recorded)
    if as_json:
        terminal.as_json(explanation.as_json(), indent=2)
    else:
        turns.show(explanation)


def _recording(what: str, settings: Settings) -> Recording:
    path = Path(what)
    if path.is_file():
        return replay.load(path)
    if path.suffix == ".json":
        raise BridgeError(f"{what}: there is no such file")
    if settings.bridge.rasa.url is None:
        raise BridgeError(
            f"{what}: there is no such file; to read the conversation from Rasa, set rasa.url"
        )
    return replay.fetch(settings.bridge.rasa, what)


def _configurations(tracker: Mapping[str, Any], settings: Settings) -> Mapping[str, str]:
    """Return the versions of the configuration of that time; none without a database."""
    sender_id = tracker.get("sender_id")
    if not isinstance(sender_id, str):
        return {}
    try:
        with runtime.timeline(settings) as timeline:
            return timeline.configurations(sender_id)
    except NoDatabaseError:  # a designer's machine often has none
        return {}
    except BridgeError as error:
        terminal.say(f"The configuration of that time is not known: {error}.")
        return {}

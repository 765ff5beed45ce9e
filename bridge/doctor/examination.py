"""Examines everything, in the order in which a fault causes others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bridge.config.settings import BridgeSettings, Settings
from bridge.doctor import (
    connection,
    conversation,
    database,
    gateway,
    probing,
    rasa,
    server,
    signing_in,
)
from bridge.doctor.diagnosis import Diagnosis, error, warning
from bridge.doctor.probing import ProbedCall
from bridge.errors import BridgeError, RasaError
from bridge.gateway.client import GatewayClient
from bridge.model import Envelope, Guid
from bridge.rasa import Rasa
from bridge.store import condition


@dataclass(frozen=True, slots=True)
class Requested:
    """What to examine besides what needs no choice.

    Attributes:
        server: the address of the action server.
        folder: where the action server is started.
        workers: the number of its workers.
        sender: a conversation whose metadata is examined.
        sign_in: an agent to sign in and out.
        probe: a call to send a message to.
    """

    server: str
    folder: Path
    workers: int = 1
    sender: str | None = None
    sign_in: str | None = None
    probe: ProbedCall | None = None


def examine(settings: Settings, requested: Requested) -> Iterator[Diagnosis]:
    """Yield what is found, as it is found.

    Raises:
        BridgeError: what was requested could disturb somebody, or is not well-formed; nothing
            was examined.
    """
    bridge = settings.bridge
    if requested.sign_in is not None:
        signing_in.require_free(bridge, requested.sign_in)
    target = probing.envelope(requested.probe, bridge) if requested.probe is not None else None
    return _examine(settings, requested, target)


def _examine(
    settings: Settings, requested: Requested, target: Envelope | None
) -> Iterator[Diagnosis]:
    bridge = settings.bridge
    with ExitStack() as opened:
        client = GatewayClient(bridge.gateway, connections=1)
        opened.callback(client.close)
        asked = Rasa(bridge.rasa) if bridge.rasa.url else None
        if asked is not None:
            opened.callback(asked.close)
        yield from database.examine(bridge, requested.workers)
        yield from gateway.examine(client, bridge.gateway)
        yield from rasa.examine(asked, bridge.rasa)
        if asked is not None and requested.sender is not None:
            yield from _conversation(asked, settings, requested.sender)
        yield from connection.examine(bridge, requested.folder)
        yield from server.examine(requested.server, requested.folder)
        yield from server.workers(requested.workers)
        yield from _as_agent(client, bridge, requested, target)


def _conversation(asked: Rasa, settings: Settings, sender_id: str) -> Iterator[Diagnosis]:
    try:
        tracker = asked.tracker(sender_id)
    except RasaError as failure:
        hint = "check the conversation's ID, and rasa.url"
        yield warning("assignment.metadata", f"not examined: {failure}", hint=hint)
        return
    try:
        stored = condition.assignment(settings.bridge.storage.url, sender_id)
    except BridgeError:
        stored = None  # what is wrong with the database is reported of it
    yield from conversation.examine(tracker, settings, time.time(), stored)


def _as_agent(
    client: GatewayClient, bridge: BridgeSettings, requested: Requested, target: Envelope | None
) -> Iterator[Diagnosis]:
    """Sign the agent in and out, and send the message in between."""
    guid: Guid | None = None
    if requested.sign_in is not None:
        result, guid = signing_in.sign_in(client, bridge, requested.sign_in)
        yield result
    try:
        if target is not None:
            own = guid if requested.sign_in == target.agent_id else None
            yield from _probe(client, bridge, target, own)
    finally:
        if guid is not None and requested.sign_in is not None:
            result = signing_in.sign_out(client, requested.sign_in, guid)
    if guid is not None:
        yield result


def _probe(
    client: GatewayClient, bridge: BridgeSettings, target: Envelope, guid: Guid | None
) -> Iterator[Diagnosis]:
    if guid is None:
        try:
            stored = condition.session(bridge.storage.url, target.agent_id)
        except BridgeError:
            stored = None
        guid = stored.guid if stored is not None else None
    if guid is None:
        yield error(
            "sendmessage",
            f"not tried: agent {target.agent_id} has no session",
            hint="let the desktop push its GUID, or add --sign-in with the same agent",
        )
        return
    yield from probing.probe(client, bridge.gateway, target, guid, time.time())

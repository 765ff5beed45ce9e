"""Servers that the tests of this folder share: each takes more than a second to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer

WEBHOOK_TOKEN = "a-token-of-the-webhook-for-tests-0001"
PROBES = '''
from rasa_sdk import Action

from bridge.actions import *
from bridge.web.guard import domain_carried


class Probe(Action):
    """Says what a request came to."""

    def name(self):
        return "action_probe"

    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(
            json_message={
                "carried": domain_carried.get(),
                "domain": sorted(domain),
                "text": tracker.latest_message.get("text"),
                "slots": tracker.slots,
            }
        )
        return []


class Boom(Action):
    def name(self):
        return "action_boom"

    async def run(self, dispatcher, tracker, domain):
        raise ValueError("quoted: " + tracker.latest_message["text"])
'''


@pytest.fixture(scope="session")
def gateway() -> Iterator[Simulator]:
    """The gateway of ``server``."""
    with Simulator("--poll-seconds", "0.2") as started:
        yield started


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, gateway: Simulator) -> Iterator[ActionServer]:
    """Without a webhook token: this machine only."""
    bridge = {"gateway": {"url": gateway.url}}
    with ActionServer(tmp_path_factory.mktemp("server"), bridge=bridge) as started:
        yield started


@pytest.fixture(scope="session")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActionServer]:
    """Somebody's Rasa project with an ``actions`` package of its own, a webhook token, CORS."""
    folder = tmp_path_factory.mktemp("project")
    actions = folder / "actions"
    actions.mkdir()
    (actions / "__init__.py").write_text(PROBES, encoding="utf-8")
    bridge = {"rasa": {"webhook_token": WEBHOOK_TOKEN}}
    with ActionServer(folder, "--cors", "*", bridge=bridge) as started:
        yield started

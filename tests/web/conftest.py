"""Servers that the tests of this folder share: each takes more than a second to start."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.scenarios.rasa_stub import RasaStub
from tests.simulator.harness import Simulator
from tests.web.routes import RIGHTS, named_token
from tests.web.serving import API_TOKEN, INBOX_SECRET, ActionServer
from tests.web.talking import RULES, Talk

WEBHOOK_TOKEN = "a-token-of-the-webhook-for-tests-0001"
PROBES = '''
from rasa_sdk import Action

from bridge.actions import *
from bridge.web.admission import domain_carried


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
def rasa() -> Iterator[RasaStub]:
    """The Rasa that ``server`` tells things."""
    with RasaStub() as stub:
        yield stub


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, gateway: Simulator, rasa: RasaStub
) -> Iterator[ActionServer]:
    """Without a webhook token: this machine only."""
    folder = tmp_path_factory.mktemp("server")
    config = folder / "config"
    config.mkdir()
    (config / "handoff.yml").write_text(json.dumps(RULES), encoding="utf-8")
    bridge = {
        "gateway": {"url": gateway.url},
        "api": {
            "token": API_TOKEN,
            "inbox_secret": INBOX_SECRET,
            "tokens": {right: {"token": named_token(right), "may": [right]} for right in RIGHTS},
        },
        "rasa": {"url": rasa.url},
    }
    with ActionServer(folder, bridge=bridge) as started:
        yield started


@pytest.fixture
def talk(server: ActionServer, gateway: Simulator) -> Talk:
    """A conversation of its own that agent 291 has."""
    return Talk.begin(server, gateway)


@pytest.fixture(scope="session")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActionServer]:
    """Somebody's Rasa project with an ``actions`` package of its own, a webhook token, CORS.

    It knows neither Rasa's address nor a secret for people's tokens.
    """
    folder = tmp_path_factory.mktemp("project")
    actions = folder / "actions"
    actions.mkdir()
    (actions / "__init__.py").write_text(PROBES, encoding="utf-8")
    bridge = {"rasa": {"webhook_token": WEBHOOK_TOKEN}}
    with ActionServer(folder, "--cors", "*", bridge=bridge) as started:
        yield started

"""A stage for stories: a simulated gateway, the action server, and a real Rasa with a small bot.

    stage.customer() makes a conversation of its own, with a call of its own, so that stories can
    share one stage: starting Rasa takes longer than all of them.

What a story asserts on is what the customer got, what the gateway recorded, and Rasa's tracker.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge import trust
from bridge.model import AgentId, Assignment, CallId, Channel, SenderId
from tests.e2e import programs, training
from tests.e2e.loopback import JsonObject, Loopback, Webhook
from tests.e2e.programs import Program, free_port
from tests.simulator.harness import Simulator

AGENT = "291"
PASSWORD = "the-password-of-291"
API_TOKEN = "the-token-of-the-platform-0123456789"
WEBHOOK_TOKEN = "the-token-that-rasa-sends-0123456789"
RASA_TOKEN = "the-token-of-rasa-0123456789abcdefgh"
SECRET = "the-secret-that-signs-assignments-0123456789"

_READY_SECONDS = 180.0  # for a machine that is busy with something else
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Stage:
    """Everything at work, each once."""

    gateway: Simulator
    loopback: Loopback
    bridge_url: str
    rasa_url: str
    programs: tuple[Program, ...]  # the action server first

    def customer(self) -> Customer:
        """Somebody new, whose call nobody has told the bridge of yet."""
        number = uuid.uuid4().int
        return Customer(self, f"maria-{number % 10**9:09d}", f"1552524689-{number % 10**8:08d}")

    def bridge(self, method: str, path: str, body: object = None) -> JsonObject:
        """Ask the bridge's API as a system of the platform."""
        headers = {"Authorization": f"Bearer {API_TOKEN}"}
        url = f"{self.bridge_url}/bridge{path}"
        answer: JsonObject = _ask(method, url, body, headers=headers)
        return answer

    def rasa(self, method: str, path: str, body: object = None, **params: str) -> Any:
        """Ask Rasa's own API."""
        return _ask(method, self.rasa_url + path, body, params={"token": RASA_TOKEN, **params})


@dataclass(frozen=True)
class Customer:
    """Somebody who writes to the bot, with the call that the gateway knows them by."""

    stage: Stage
    sender_id: str
    call_id: str

    # What the customer does, and sees on Rasa's channel

    def says(self, text: str, **metadata: Any) -> list[str]:
        """Write on the REST channel; the texts that come back."""
        body = {"sender": self.sender_id, "message": text, "metadata": metadata}
        answers = _ask("POST", f"{self.stage.rasa_url}/webhooks/rest/webhook", body)
        return [str(one.get("text")) for one in answers]

    def says_by_callback(self, text: str, *, answers: int = 0) -> list[str]:
        """Write on the callback channel; all texts that it has brought, at least so many."""
        body = {"sender": self.sender_id, "message": text}
        url = f"{self.stage.rasa_url}/webhooks/callback/webhook"
        programs.ask("POST", url, _ANSWER_SECONDS, json=body).raise_for_status()
        return self.stage.loopback.pushed(self.sender_id, answers)

    # What the platform does

    def is_assigned(self, **changes: Any) -> None:
        """Agent 291 gets the call, over the bridge's API."""
        fields = {"agent_id": AGENT, "call_id": self.call_id, "user_id": self.sender_id}
        self.stage.bridge("PUT", f"/assignments/{self.sender_id}", {**fields, **changes})

    def token(self, *, secret: str = SECRET, age: float = 0.0, **changes: Any) -> str:
        """The assignment to agent 291 as a signed token, for a message's metadata."""
        made = Assignment(
            SenderId(self.sender_id),
            AgentId(AGENT),
            CallId(self.call_id),
            self.sender_id,
            Channel.WEB,
        )
        now = time.time() - age
        return trust.mint(replace(made, **changes), secret=secret, now=now, seconds=600)

    # What became of it

    def got(self) -> list[str]:
        """The texts that the gateway took for this customer, in order."""
        return [str(one["text"]) for one in self.messages()]

    def messages(self) -> list[JsonObject]:
        """The messages that the gateway took under the customer's call."""
        return self.stage.gateway.messages(call=self.call_id)

    def call(self) -> JsonObject:
        """The call as the bridge's API shows it."""
        return self.stage.bridge("GET", f"/calls/{self.call_id}")

    def webhooks(self, action: str) -> list[Webhook]:
        """What Rasa asked of an action in this conversation."""
        return self.stage.loopback.webhooks(self.sender_id, action)

    def tracker(self) -> JsonObject:
        """Rasa's tracker, with every event there was."""
        path = f"/conversations/{self.sender_id}/tracker"
        found: JsonObject = self.stage.rasa("GET", path, include_events="ALL")
        return found

    def slots(self) -> JsonObject:
        """The slots that the bridge sets, without their prefix ``handoff_``."""
        slots: JsonObject = self.tracker()["slots"]
        names = [name for name in slots if name.startswith("handoff_")]
        return {name.removeprefix("handoff_"): slots[name] for name in names}

    def tells_rasa(self, *events: JsonObject) -> None:
        """Append events to the tracker through Rasa's API."""
        path = f"/conversations/{self.sender_id}/tracker/events"
        self.stage.rasa("POST", path, list(events))


@contextmanager
def opened(folder: Path) -> Iterator[Stage]:
    """Start everything in ``folder``, wait until it is ready, and end it again."""
    rasa = training.rasa_command()
    model = training.model(rasa, folder)
    bridge_port, rasa_port = free_port(), free_port()
    bridge_url, rasa_url = f"http://127.0.0.1:{bridge_port}", f"http://127.0.0.1:{rasa_port}"
    with Simulator("--poll-seconds", "1", "--agent", f"{AGENT}:{PASSWORD}") as gateway:
        _configure(folder / "config", gateway.url, rasa_url)
        with (
            Loopback() as loopback,
            _rasa(rasa, model, rasa_port, loopback.url, folder) as bot,
            _action_server(bridge_port, folder) as bridge,
        ):
            loopback.action_server = bridge_url
            bridge.answers(f"{bridge_url}/bridge/ready", _READY_SECONDS)
            bot.answers(f"{rasa_url}/status", _READY_SECONDS, token=RASA_TOKEN)
            yield Stage(gateway, loopback, bridge_url, rasa_url, (bridge, bot))


def _configure(folder: Path, gateway_url: str, rasa_url: str) -> None:
    """The two files that operators and designers write; JSON is YAML."""
    operators = {
        "gateway": {"url": gateway_url},
        "agents": {
            AGENT: {"session": "sign_in", "password": PASSWORD, "phone": "1", "nickname": "Anna"},
        },
        "channel_config_ids": {"WEB": "202301032048582419"},
        "storage": {"url": f"sqlite:///{folder / 'bridge.db'}"},
        "delivery": {"wait": 20},  # what is delivered in the end is, on a busy machine too
        "assignment": {"metadata": "signed", "secret": SECRET},
        "api": {"token": API_TOKEN},
        "rasa": {"url": rasa_url, "token": RASA_TOKEN, "webhook_token": WEBHOOK_TOKEN},
    }
    designers = {"handoff": {"card": {"slots": ["party_size"]}}}
    folder.mkdir()
    (folder / "bridge.yml").write_text(json.dumps(operators))
    (folder / "handoff.yml").write_text(json.dumps(designers))


def _action_server(port: int, folder: Path) -> Program:
    command = [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(port)]
    changes = {"SANIC_HOST": "127.0.0.1", "BRIDGE_CONFIG": str(folder / "config")}
    return Program("action-server", command, folder, changes)


def _rasa(rasa: str, model: Path, port: int, loopback_url: str, folder: Path) -> Program:
    command = [rasa, "run", "--enable-api", "--auth-token", RASA_TOKEN, "--model", str(model)]
    command += ["--interface", "127.0.0.1", "--port", str(port)]
    command += ["--credentials", str(training.BOT / "credentials.yml")]
    command += ["--endpoints", str(training.BOT / "endpoints.yml")]
    changes = {
        **training.QUIET,
        "E2E_ACTION_URL": f"{loopback_url}/webhook",
        "E2E_CALLBACK_URL": f"{loopback_url}/customer",
        "E2E_WEBHOOK_TOKEN": WEBHOOK_TOKEN,
    }
    return Program("rasa", command, folder, changes)


def _ask(method: str, url: str, body: object = None, **more: Any) -> Any:
    reply = programs.ask(method, url, _ANSWER_SECONDS, json=body, **more)
    assert reply.ok, f"{method} {url}: {reply.status_code} {reply.text}"
    return reply.json() if reply.content else {}

"""A stage for stories: a simulated gateway, action servers, and a real Rasa with a small bot.

    stage.customer() makes a conversation of its own, with a call of its own, so that stories can
    share one stage: starting Rasa takes longer than all of them.

What a story asserts on is what the customer got, what the gateway recorded, and Rasa's tracker.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge import assignment_tokens
from bridge.model import AgentId, Assignment, CallId, Channel, SenderId
from tests.e2e import bridges, programs, training
from tests.e2e.agent import Agent
from tests.e2e.bridges import PASSWORD, RASA_TOKEN, SECRET, WEBHOOK_TOKEN, Bridge, Setup
from tests.e2e.loopback import JsonObject, Loopback, Webhook
from tests.e2e.programs import Program, eventually, free_port
from tests.e2e.relay import Relay
from tests.simulator.harness import Simulator

_READY_SECONDS = 180.0  # for a machine that is busy with something else
_TOLD_SECONDS = 20.0


@dataclass(frozen=True)
class Stage:
    """Everything at work, each once."""

    gateway: Simulator
    loopback: Loopback
    relay: Relay  # what the bridges take for Rasa
    action_servers: Mapping[str, Bridge]  # by the name of their setup
    rasa_url: str
    programs: tuple[Program, ...]

    def customer(self, setup: Setup = bridges.PAUSING) -> Customer:
        """Somebody new, whose call nobody has told the bridge of yet."""
        number = uuid.uuid4().int
        sender_id, call_id = f"maria-{number % 10**9:09d}", f"1552524689-{number % 10**8:08d}"
        bridge = self.action_servers[setup.name]
        self.loopback.passes_on(sender_id, bridge.url)
        return Customer(self, bridge, sender_id, call_id)

    def rasa(self, method: str, path: str, body: object = None, **params: str) -> Any:
        """Ask Rasa's own API."""
        return _ask(method, self.rasa_url + path, body, params={"token": RASA_TOKEN, **params})


@dataclass(frozen=True)
class Customer:
    """Somebody who writes to the bot, with the call that the gateway knows them by."""

    stage: Stage
    bridge: Bridge
    sender_id: str
    call_id: str

    @property
    def agent(self) -> Agent:
        """The agent's side of the call."""
        return Agent(self.bridge, self.call_id)

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
        programs.ask("POST", url, bridges.ANSWER_SECONDS, json=body).raise_for_status()
        return self.stage.loopback.pushed(self.sender_id, answers)

    def is_pushed(self, number: int) -> list[str]:
        """The texts that the callback channel brought, once there are so many."""
        return self.stage.loopback.pushed(self.sender_id, number)

    # What the platform does

    def is_assigned(self, **changes: Any) -> None:
        """The bridge's own agent gets the call, over its API."""
        fields = {"agent_id": self.bridge.agent, "call_id": self.call_id, "user_id": self.sender_id}
        self.bridge.ask("PUT", f"/assignments/{self.sender_id}", {**fields, **changes})

    def hands_back_in_the_end(self) -> None:
        """The agent's side gives the conversation back, and Rasa knows."""
        self.agent.hands_back()
        self.is_the_bots_again()

    def token(self, *, secret: str = SECRET, age: float = 0.0, **changes: Any) -> str:
        """The same assignment as a signed token, for a message's metadata."""
        made = Assignment(
            SenderId(self.sender_id),
            AgentId(self.bridge.agent),
            CallId(self.call_id),
            self.sender_id,
            Channel.WEB,
        )
        now = time.time() - age
        return assignment_tokens.mint(replace(made, **changes), secret=secret, now=now, seconds=600)

    # What became of it

    def got(self) -> list[str]:
        """The texts that the gateway took for this customer, in order."""
        return [str(one["text"]) for one in self.messages()]

    def messages(self) -> list[JsonObject]:
        """The messages that the gateway took under the customer's call."""
        return self.stage.gateway.messages(call=self.call_id)

    def gets(self, number: int) -> list[JsonObject]:
        """All messages under the customer's call, once there are so many."""
        return self.stage.gateway.wait_for(
            messages=number, call=self.call_id, timeout=_TOLD_SECONDS
        )

    def call(self) -> JsonObject:
        """The call as the bridge's API shows it."""
        return self.bridge.ask("GET", f"/calls/{self.call_id}")

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

    def written_back(self) -> list[JsonObject]:
        """The bot events of Rasa's tracker that say that they are an agent's words."""
        said = [one for one in self.tracker()["events"] if one["event"] == "bot"]
        return [one for one in said if "cc_bridge" in one["metadata"]]

    def is_told_to_rasa(self, number: int) -> None:
        """Wait until so many of the agent's messages are in Rasa's tracker."""
        assert eventually(lambda: len(self.written_back()) >= number, _TOLD_SECONDS)

    def is_told(self, text: str) -> None:
        """Wait until the bot has said so, as far as Rasa's tracker knows."""

        def said() -> list[Any]:
            return [one.get("text") for one in self.tracker()["events"] if one["event"] == "bot"]

        assert eventually(lambda: text in said(), _TOLD_SECONDS), said()

    def is_the_bots_again(self) -> None:
        """Wait until Rasa was told of the handback."""
        assert eventually(lambda: self.slots()["state"] == "bot", _TOLD_SECONDS), self.slots()

    def tells_rasa(self, *events: JsonObject) -> None:
        """Append events to the tracker through Rasa's API."""
        path = f"/conversations/{self.sender_id}/tracker/events"
        self.stage.rasa("POST", path, list(events))


@contextmanager
def opened(folder: Path) -> Iterator[Stage]:
    """Start everything in ``folder``, wait until it is ready, and end it again."""
    rasa = training.rasa_command()
    model = training.model(rasa, folder)
    rasa_port = free_port()
    rasa_url = f"http://127.0.0.1:{rasa_port}"
    with ExitStack() as everything:
        enter = everything.enter_context
        loopback = enter(Loopback())
        bot = enter(_rasa(rasa, model, rasa_port, loopback.url, folder))
        relay = enter(Relay(rasa_url))
        gateway = enter(Simulator("--poll-seconds", "1", *_accounts()))
        started = {
            setup.name: bridges.started(setup, folder, gateway.url, relay.url)
            for setup in bridges.ALL
        }
        for bridge in started.values():
            enter(bridge.program)
        for bridge in started.values():
            bridge.program.answers(f"{bridge.url}/bridge/ready", _READY_SECONDS)
        bot.answers(f"{rasa_url}/status", _READY_SECONDS, token=RASA_TOKEN)
        at_work = (*(bridge.program for bridge in started.values()), bot)
        for program in at_work:
            everything.callback(program.begins_to_stop)  # all at once: each takes its time
        yield Stage(gateway, loopback, relay, started, rasa_url, at_work)


def _accounts() -> list[str]:
    """The simulator's options."""
    agents = [agent for setup in bridges.ALL for agent in setup.agents]
    return [part for agent in agents for part in ("--agent", f"{agent}:{PASSWORD}")]


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
    reply = programs.ask(method, url, bridges.ANSWER_SECONDS, json=body, **more)
    assert reply.ok, f"{method} {url}: {reply.status_code} {reply.text}"
    return reply.json() if reply.content else {}

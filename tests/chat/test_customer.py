"""A customer in a terminal, at a real simulator; the agent uses the gateway's own interface."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from bridge.cli import app
from tests.chat.terminals import Terminal
from tests.simulator import samples
from tests.simulator.harness import Simulator

AGENT = "305"


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.05") as simulator:
        yield simulator


@pytest.fixture
def gateway(running: Simulator) -> Simulator:
    running.reset()
    return running


class Agent:
    """An agent who takes the newest call."""

    def __init__(self, gateway: Simulator) -> None:
        self.gateway = gateway
        self.guid = gateway.sign_in(AGENT)

    @property
    def call(self) -> str:
        return str(list(self.gateway.state()["calls"])[-1])

    def asks(self, method: str, path: str, body: object = None) -> None:
        answer = self.gateway.request(method, path, body, guid=self.guid)
        assert answer.json()["retcode"] == "0", answer.text

    def answers(self) -> None:
        self.asks("PUT", f"voicecall/{AGENT}/answer?callid={self.call}")

    def writes(self, content: str, **data: str) -> None:
        fields = samples.body(content=content, messageCode=str(uuid.uuid4()), **data)
        self.asks("POST", f"mediacall/{AGENT}/sendmessage", {**fields, "callid": self.call})

    def heard(self, number: int) -> list[Any]:
        """Wait until customers wrote so many messages; what they wrote."""
        found: list[Any] = []
        until = time.monotonic() + 10
        while len(found) < number and time.monotonic() < until:
            event = self.gateway.poll(AGENT, self.guid).json()["event"]
            if event is not None and event["eventType"] == "AgentEvent_MessageData":
                found.append(event["content"]["message"])
        return found


@pytest.fixture
def agent(gateway: Simulator) -> Agent:
    return Agent(gateway)


def customer(gateway: Simulator, *options: str) -> Terminal:
    return Terminal("--gateway", gateway.url, *options)


def test_a_whole_chat(gateway: Simulator, agent: Agent) -> None:
    with customer(gateway, "--user", "4711", "--name", "Sofia") as terminal:
        terminal.shows("You are Sofia (4711) on WEB", "call")
        line = terminal.shows("It rings at agent 305.")
        assert "not signed in" not in line
        agent.answers()
        terminal.shows("Agent 305 has answered.")
        for text in ("How much is it?", "", "  ", "/restart", "/ leave"):
            terminal.types(text)
        assert agent.heard(3) == ["How much is it?", "/restart", "/ leave"]
        agent.writes("<p>It costs 24 &euro;.</p>")
        terminal.shows("Agent 305: It costs 24 \u20ac.")
        agent.writes("1 &lt; 2")
        terminal.shows("Agent 305: 1 < 2")
        agent.writes("https://media.example/cat.jpg", mediaType="IMAGE")
        terminal.shows("Agent 305: [IMAGE] https://media.example/cat.jpg")
        terminal.types("/leave")
        terminal.shows("You have left.")
        assert terminal.ended() == 0
        assert terminal.complaint() == ""
    call = gateway.state()["calls"][agent.call]
    fields = ("state", "caller", "user_id", "nickname", "channel", "media")
    assert [call[name] for name in fields] == ["released", "4711", "4711", "Sofia", "WEB", "51"]


def test_plain_text_on_a_channel_without_html(gateway: Simulator, agent: Agent) -> None:
    with customer(gateway, "--channel", "line") as terminal:
        terminal.shows("It rings")
        agent.answers()
        agent.writes("1 &lt; 2 <b>", channel="LINE")
        terminal.shows("Agent 305: 1 &lt; 2 <b>")
        call = gateway.state()["calls"][agent.call]
        assert (call["channel"], call["media"]) == ("LINE", "53")


def test_the_end_of_the_input_hangs_up(gateway: Simulator, agent: Agent) -> None:
    with customer(gateway) as terminal:
        terminal.types("hello")
        assert terminal.ends() == 0
    assert agent.heard(1) == ["hello"]
    assert gateway.state()["calls"][agent.call]["state"] == "released"


def test_what_an_agent_writes_does_not_control_the_terminal(
    gateway: Simulator, agent: Agent
) -> None:
    with customer(gateway, "--channel", "SMS") as terminal:
        terminal.shows("It rings")
        agent.answers()
        agent.writes("\x1b[2Jone\u202e\n* You have left.", channel="SMS")
        terminal.shows("Agent 305: \\x1b[2Jone\\u202e")
        terminal.shows("           * You have left.")


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("dropcall", "The call has ended."),
        ("reject", "Agent 305 rejected the call. It has ended."),
        ("skill", "Agent 305 transferred the call."),
    ],
)
def test_how_a_call_ends(gateway: Simulator, agent: Agent, ending: str, said: str) -> None:
    with customer(gateway) as terminal:
        terminal.shows("It rings")
        paths: dict[str, tuple[str, object]] = {
            "dropcall": (f"voicecall/305/dropcall/{agent.call}", None),
            "reject": ("voicecall/305/reject", {"callid": agent.call}),
            "skill": ("mediacall/305/transfer", transfer(agent.call, "12", device="1")),
        }
        path, given = paths[ending]
        agent.asks("POST", path, given)
        terminal.shows(said)
        assert terminal.ended() == 0


def transfer(call: str, address: str, device: str = "2") -> dict[str, str]:
    return {"callid": call, "devicetype": device, "mode": "2", "address": address}


def test_a_transfer_to_another_agent(gateway: Simulator, agent: Agent) -> None:
    other = gateway.sign_in("306")
    with customer(gateway) as terminal:
        terminal.shows("It rings")
        agent.answers()
        terminal.shows("Agent 305 has answered.")
        agent.asks("POST", "mediacall/305/transfer", transfer(agent.call, "306"))
        terminal.shows("You are transferred: it rings at agent 306.")
        path = f"voicecall/306/answer?callid={agent.call}"
        assert gateway.request("PUT", path, guid=other).json()["retcode"] == "0"
        terminal.shows("Agent 306 has answered.")


def test_an_agent_who_is_not_signed_in(gateway: Simulator) -> None:
    with customer(gateway, "--agent", "399") as terminal:
        terminal.shows("It rings at agent 399. They are not signed in: the call waits for them.")


def test_a_simulator_that_goes_away() -> None:
    with Simulator() as gateway, customer(gateway) as terminal:
        terminal.shows("It rings")
        gateway.stop()
        assert terminal.ended() == 2
        assert "The call is lost" in terminal.complaint()


def test_no_simulator_is_told_with_the_way_to_start_one() -> None:
    with Simulator() as gateway:
        port = gateway.port
    done = CliRunner().invoke(app, ["simulate", "chat", "--gateway", f"http://127.0.0.1:{port}"])
    assert done.exit_code == 2
    assert f"no simulated gateway at http://127.0.0.1:{port}" in done.stderr
    assert "cc-bridge simulate gateway --port 8043" in done.stderr


def test_a_simulator_without_a_record_is_told(gateway: Simulator) -> None:
    gateway.settings(record="none")
    done = CliRunner().invoke(app, ["simulate", "chat", "--gateway", gateway.url])
    assert (done.exit_code, "--record none" in done.stderr) == (2, True)


@pytest.mark.parametrize("address", ["127.0.0.1:8043", "ftp://x", "http://", "http://x:y", ""])
def test_an_address_that_is_none(address: str) -> None:
    done = CliRunner().invoke(app, ["simulate", "chat", "--gateway", address])
    assert done.exit_code == 2
    assert "an address such as http" in done.stderr

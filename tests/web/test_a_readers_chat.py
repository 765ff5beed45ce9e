"""A reader's chats from end to end: a running server, the simulated gateway, and a played Rasa."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.rasa_stub import RasaStub
from tests.simulator.harness import Simulator
from tests.web import family
from tests.web.serving import ActionServer

SIGN_IN = {"session": "sign_in", "password": "x", "phone": "40038", "reader": True}
READER, COLLEAGUE, BOT = "305", "307", "306"
CALL = "1552524689-17"
SENDER = f"cc-{CALL}"
CUSTOMER = "4711"
CALL_PATH = f"/bridge/calls/{CALL}"
QUESTION, ANSWER = "When are you open?", "From 9 to 5."
NEXT = "And on Friday?"  # a push with the same text within five seconds would be the same push
PERSON, STARTED, UNAVAILABLE = "A human!", "A colleague takes over.", "Nobody is there."
RULES: dict[str, Any] = {
    "handoff": {"when": [{"intent": "human"}], "card": {"turns": 10, "slots": []}},
    "assist": {"when": [{"intent": "hours"}]},
}


@pytest.fixture(scope="module")
def own_gateway() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.2") as started:
        yield started


@pytest.fixture
def gateway(own_gateway: Simulator) -> Simulator:
    own_gateway.reset()
    return own_gateway


@pytest.fixture
def rasa() -> Iterator[RasaStub]:
    with RasaStub() as stub:
        texts = {
            "utter_hours": ANSWER,
            "utter_handoff_started": STARTED,
            "utter_handoff_unavailable": UNAVAILABLE,
        }
        stub.domain = {"responses": {name: [{"text": text}] for name, text in texts.items()}}
        stub.understood = {
            QUESTION: _heard("hours"),
            NEXT: _heard("hours"),
            PERSON: _heard("human"),
        }
        stub.rules = {"hours": ["utter_hours"]}
        yield stub


def _heard(intent: str) -> dict[str, Any]:
    ranking = [{"name": intent, "confidence": 0.95}, {"name": "another", "confidence": 0.05}]
    return {"intent": ranking[0], "intent_ranking": ranking, "entities": []}


@contextmanager
def serving(
    folder: Path,
    gateway: Simulator,
    rasa: RasaStub,
    *,
    events: str = "poll",
    rules: dict[str, Any] | None = None,
) -> Iterator[ActionServer]:
    """A server with a reader, a colleague, and a bot agent, who are signed in."""
    entry = {**SIGN_IN, "events": events}
    bridge = {
        "gateway": {"url": gateway.url, "poll_pause": 0.05},
        "agents": {READER: entry, COLLEAGUE: entry, BOT: {**entry, "owner": "bot"}},
        "reader": {"push_url": "http://127.0.0.1:${SERVED_PORT}"},
        "rasa": {"url": rasa.url},
    }
    server = ActionServer(folder, bridge=bridge)
    (folder / "config" / "handoff.yml").write_text(json.dumps(rules or RULES), encoding="utf-8")
    with server:
        operation = "handshake" if events == "push" else "poll"
        for agent in (READER, COLLEAGUE, BOT):
            gateway.wait_for(requests=1, operation=operation, agent=agent, timeout=20)
        yield server


def owned_by(server: ActionServer, owner: str, agent: str) -> bool:
    answer = server.get(CALL_PATH)
    if answer.status_code != 200:
        return False
    call = answer.json()
    return (call["owner"], call["agent_id"], call["state"]) == (owner, agent, "talking")


def suggestions(server: ActionServer, state: str = "offered") -> list[dict[str, Any]]:
    query = {"call_id": CALL, "state": state}
    items: list[dict[str, Any]] = server.get("/bridge/suggestions", params=query).json()["items"]
    return items


def said(gateway: Simulator) -> list[str]:
    """What the customer has received, in order."""
    return [message["data"]["content"] for message in gateway.messages()]


def inquiries(server: ActionServer) -> list[str]:
    """The states of the inquiries."""
    with closing(sqlite3.connect(server.folder / "bridge.db")) as database:
        query = "SELECT state FROM rasa_updates WHERE kind = 'inquiry' ORDER BY seq"
        return [state for (state,) in database.execute(query)]


def asked_in_the_conversation(rasa: RasaStub) -> list[Any]:
    """What was said to the bot in a conversation of Rasa's."""
    return [body for path, body in list(rasa.asked) if path.startswith("/webhooks")]


@pytest.mark.parametrize("family_of_events", ["event", "chat"])
@pytest.mark.parametrize("events", ["poll", "push"])
def test_a_whole_chat(
    tmp_path: Path, gateway: Simulator, rasa: RasaStub, events: str, family_of_events: str
) -> None:
    gateway.settings(event_family=family_of_events)
    with serving(tmp_path, gateway, rasa, events=events) as server:
        gateway.ring(CALL, READER, caller=CUSTOMER)
        server.until(lambda: owned_by(server, "agent", READER))
        assert server.get(CALL_PATH).json()["user_id"] == CUSTOMER
        gateway.write(CALL, QUESTION)
        server.until(lambda: len(suggestions(server)) == 1)
        (offered,) = suggestions(server)
        assert (offered["text"], offered["question"]) == (ANSWER, QUESTION)
        assert asked_in_the_conversation(rasa) == []

        assert server.post(f"/bridge/suggestions/{offered['id']}/accept").status_code == 200
        gateway.wait_for(requests=1, operation="send_message")
        reply = {"text": "Anything else?", "client_id": "c-1"}
        assert server.post(f"{CALL_PATH}/replies", json=reply).status_code == 201
        server.until(lambda: said(gateway) == [ANSWER, "Anything else?"])

        assert server.post(f"{CALL_PATH}/handback").status_code == 200
        rasa.wait_for("resume", SENDER)
        gateway.write(CALL, NEXT)
        server.until(lambda: said(gateway) == [ANSWER, "Anything else?", ANSWER])
        (asked,) = asked_in_the_conversation(rasa)
        assert (asked["sender"], asked["message"]) == (SENDER, NEXT)
        history = server.get(CALL_PATH).json()["history"]
        assert [line["from"] for line in history] == [
            "customer",
            "agent",
            "agent",
            "customer",
            "bot",
        ]
        told = [(event["event"], event["text"]) for event in rasa.events(SENDER) if "text" in event]
        assert told == [
            ("user", QUESTION),
            ("bot", ANSWER),
            ("bot", "Anything else?"),
            ("user", NEXT),
            ("bot", ANSWER),
        ]
        assert gateway.state()["violations"] == []


@pytest.mark.parametrize("owner", ["agent", "bot"])
def test_killed_while_the_bot_is_asked(
    tmp_path: Path, gateway: Simulator, rasa: RasaStub, owner: str
) -> None:
    agent = READER if owner == "agent" else BOT
    with serving(tmp_path, gateway, rasa) as server:
        gateway.ring(CALL, agent, caller=CUSTOMER)
        server.until(lambda: owned_by(server, owner, agent))
        rasa.seconds = 1.5
        gateway.write(CALL, QUESTION)
        server.until(lambda: inquiries(server) == ["sending"])
        if owner == "bot":  # its message is on the way to the real conversation
            rasa.wait_for_request("/webhooks")
        family.kill(server, "core")
        # What a poll of the killed process takes from the gateway is gone.
        server.until(lambda: f"Took an agent over agent_id={agent}" in server.log())
        server.until(lambda: inquiries(server) == ["done"])
        rasa.seconds = 0.0
        gateway.write(CALL, "Thanks")  # the next message is read
        server.until(lambda: len(inquiries(server)) == 2 and "done" in inquiries(server)[1])
        history = server.get(CALL_PATH).json()["history"]
        assert [line["text"] for line in history if line["from"] == "customer"] == [
            QUESTION,
            "Thanks",
        ]
        if owner == "bot":
            in_real = [body["message"] for body in asked_in_the_conversation(rasa)]
            assert in_real.count(QUESTION) == 1
            assert said(gateway).count(ANSWER) == 1
        else:
            assert asked_in_the_conversation(rasa) == []
            assert [each["text"] for each in suggestions(server, "superseded")] == [ANSWER]
            assert said(gateway) == []


def test_a_rasa_that_fails_for_a_while_loses_nothing_and_runs_nothing_twice(
    tmp_path: Path, gateway: Simulator, rasa: RasaStub
) -> None:
    with serving(tmp_path, gateway, rasa) as server:
        gateway.ring(CALL, BOT, caller=CUSTOMER)
        server.until(lambda: owned_by(server, "bot", BOT))
        rasa.failures = ["500", "html", "null"]
        gateway.write(CALL, QUESTION)
        server.until(lambda: said(gateway) == [ANSWER])
        rasa.failures = ["", "", "", "drop_after"]  # the answer to the message itself
        gateway.write(CALL, NEXT)
        server.until(lambda: said(gateway) == [ANSWER, ANSWER])
        in_real = [body["message"] for body in asked_in_the_conversation(rasa)]
        assert in_real == [QUESTION, NEXT]
        assert "bot_note" not in server.get(CALL_PATH).json()
        assert inquiries(server) == ["done", "done"]


@pytest.mark.parametrize(
    "target", [{"agent_id": READER}, {"skill": "12"}], ids=["to an agent", "by a skill"]
)
def test_the_card_goes_along_when_a_bot_agents_call_is_transferred(
    tmp_path: Path, gateway: Simulator, rasa: RasaStub, target: dict[str, str]
) -> None:
    rules = {**RULES, "handoff": {**RULES["handoff"], "transfer": target}}
    with serving(tmp_path, gateway, rasa, rules=rules) as server:
        gateway.ring(CALL, BOT, caller=CUSTOMER)
        server.until(lambda: owned_by(server, "bot", BOT))
        gateway.write(CALL, QUESTION)
        server.until(lambda: said(gateway) == [ANSWER])
        gateway.write(CALL, PERSON)
        gateway.wait_for(requests=1, operation="transfer")
        if "skill" in target:  # the platform finds somebody
            server.until(lambda: server.get(CALL_PATH).json()["state"] == "ended")
            gateway.ring(CALL, READER, caller=CUSTOMER)
        server.until(lambda: owned_by(server, "agent", READER))
        assert said(gateway) == [ANSWER, STARTED]
        order = [each["operation"] for each in gateway.recorded(agent=BOT)]
        last_message = len(order) - 1 - order[::-1].index("send_message")
        assert last_message < order.index("transfer")
        call = server.get(CALL_PATH).json()
        assert call["sender_id"] == SENDER
        assert call["card"]["reason"].startswith("intent human")
        assert [line["text"] for line in call["card"]["turns"]][-1] == PERSON

        # Their agent passes it on to a colleague, with the same card.
        transferred = server.post(f"{CALL_PATH}/transfer", json={"agent_id": COLLEAGUE})
        assert transferred.status_code in (200, 202)
        server.until(lambda: owned_by(server, "agent", COLLEAGUE))
        assert server.get(CALL_PATH).json()["card"] == call["card"]
        gateway.write(CALL, QUESTION)
        server.until(lambda: [each["agent_id"] for each in suggestions(server)] == [COLLEAGUE])


def test_a_transfer_under_a_new_call_id_takes_card_and_history_along(
    tmp_path: Path, gateway: Simulator, rasa: RasaStub
) -> None:
    rules = {**RULES, "handoff": {**RULES["handoff"], "transfer": {"skill": "1"}}}
    new = "1552524689-18"
    with serving(tmp_path, gateway, rasa, rules=rules) as server:
        gateway.ring(CALL, BOT, caller=CUSTOMER)
        server.until(lambda: owned_by(server, "bot", BOT))
        gateway.write(CALL, QUESTION)
        server.until(lambda: said(gateway) == [ANSWER])
        gateway.write(CALL, PERSON)
        server.until(lambda: server.get(CALL_PATH).json()["state"] == "ended")
        gateway.ring(new, READER, caller=CUSTOMER)  # as some platforms do
        path = f"/bridge/calls/{new}"
        server.until(lambda: server.get(path).json().get("sender_id") == SENDER)
        call = server.get(path).json()
        assert (call["owner"], call["agent_id"], call["state"]) == ("agent", READER, "talking")
        assert call["card"]["turns"][-1]["text"] == PERSON
        assert [(line["from"], line["text"]) for line in call["history"]] == [
            ("customer", QUESTION),
            ("bot", ANSWER),
            ("customer", PERSON),
            ("agent", STARTED),
        ]
        former = server.get(CALL_PATH).json()
        assert (former["agent_id"], former["moved_to"]) == (BOT, READER)


def test_a_customer_who_leaves_during_a_transfer_is_nobodys(
    tmp_path: Path, gateway: Simulator, rasa: RasaStub
) -> None:
    gateway.settings(transfers="pending")
    with serving(tmp_path, gateway, rasa) as server:
        gateway.ring(CALL, READER, caller=CUSTOMER)
        server.until(lambda: owned_by(server, "agent", READER))
        asked = server.post(f"{CALL_PATH}/transfer", json={"agent_id": COLLEAGUE})
        assert asked.json()["transfer_to"] == f"agent {COLLEAGUE}"
        assert asked.json()["actions"] == ["release"]
        gateway.leave(CALL)
        server.until(lambda: server.get(CALL_PATH).json()["state"] == "ended")
        call = server.get(CALL_PATH).json()
        assert call["agent_id"] == READER
        assert "moved_to" not in call
        open_calls = server.get("/bridge/calls").json()["items"]
        assert open_calls == []


def test_a_transfer_that_fails_is_told_to_the_customer_once(
    tmp_path: Path, gateway: Simulator, rasa: RasaStub
) -> None:
    handoff = {**RULES["handoff"], "transfer": {"skill": "12"}, "say": None}
    gateway.settings(transfers="fails")
    with serving(tmp_path, gateway, rasa, rules={**RULES, "handoff": handoff}) as server:
        gateway.ring(CALL, BOT, caller=CUSTOMER)
        server.until(lambda: owned_by(server, "bot", BOT))
        gateway.write(CALL, PERSON)
        server.until(lambda: said(gateway) == [UNAVAILABLE])
        gateway.write(CALL, QUESTION)
        server.until(lambda: said(gateway) == [UNAVAILABLE, ANSWER])
        assert owned_by(server, "bot", BOT)
        metrics = server.get("/bridge/metrics").text
        assert 'cc_bridge_handoffs_total{outcome="not_transferred"} 1.0' in metrics
        assert "cannot be handed over" in server.log()

"""At most so many messages of a call wait, by whichever way they come."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, error, slots, turn
from tests.web.talking import RULES, Talk

MOST = 3
AUTO: dict[str, Any] = {"assist": {**RULES["assist"], "mode": "auto"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, gateway: Simulator) -> Iterator[ActionServer]:
    """One where few may wait, and the bot may answer by itself."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "config").mkdir()
    (folder / "config" / "handoff.yml").write_text(json.dumps(AUTO), encoding="utf-8")
    bridge = {
        "gateway": {"url": gateway.url},
        "delivery": {"wait": 0.3, "max_waiting_per_call": MOST},
    }
    with ActionServer(folder, bridge=bridge) as started:
        yield started


@pytest.fixture(scope="module")
def gateway() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.2") as started:
        yield started


@pytest.fixture
def talk(server: ActionServer, gateway: Simulator) -> Iterator[Talk]:
    """A call whose messages the gateway does not take."""
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    begun = Talk.begin(server, gateway)
    yield begun
    server.delete(f"/bridge/assignments/{begun.sender_id}")
    gateway.clear_faults()
    server.until(lambda: not waiting(begun))


def write(talk: Talk, text: str = "Hello", **headers: Any) -> Any:
    body = {"text": text, "client_id": uuid.uuid4().hex}
    return talk.server.post(f"{talk.call}/replies", json=body, **headers)


def fill(talk: Talk) -> None:
    """Write until no more may wait; one of them may be on its way just now."""
    while (answer := write(talk)).status_code in (200, 201):
        assert len(waiting(talk)) <= MOST + 1  # that one has come back
    assert error(answer, 429) == "too_many_waiting"


def waiting(talk: Talk) -> list[dict[str, Any]]:
    return [item for item in talk.deliveries() if item["state"] == "waiting"]


def test_by_every_way_in(talk: Talk, gateway: Simulator) -> None:
    server = talk.server
    server.put("/bridge/assist", json={"mode": "suggest"})
    talk.asks("faq")
    offered, other = talk.suggestions(state="offered")
    fill(talk)
    discarded = waiting(talk)[-1]
    assert server.post(f"/bridge/deliveries/{discarded['id']}/discard").status_code == 200
    fill(talk)

    # An agent's word on a suggestion, in the bot's words or its own: it stays on offer.
    accept = f"/bridge/suggestions/{offered['id']}/accept"
    assert error(server.post(accept), 429) == "too_many_waiting"
    assert error(server.post(accept, json={"text": "Mine"}), 429) == "too_many_waiting"
    assert {item["id"] for item in talk.suggestions(state="offered")} == {
        offered["id"],
        other["id"],
    }

    # A retry.
    again = server.post(f"/bridge/deliveries/{discarded['id']}/retry", json={"again": True})
    assert error(again, 429) == "too_many_waiting"
    state = server.get(f"/bridge/deliveries/{discarded['id']}").json()["state"]
    assert state == "failed"

    # What the bot may send by itself is offered instead.
    server.put("/bridge/assist", json={"mode": None})
    (instead,) = talk.asks("ask_price")
    assert instead["text"]
    assert len(waiting(talk)) <= MOST

    # A handoff: the customer is told that it cannot be.
    assert server.post(f"{talk.call}/handback").status_code == 409  # nobody could tell Rasa
    back = server.webhook(turn(talk.sender_id, action="action_handback"))
    assert back.status_code == 200
    found = slots(server.webhook(wish(talk)))
    assert (found["handoff_state"], found["handoff_error"]) == ("bot", "rejected")
    assert len(waiting(talk)) <= MOST

    gateway.clear_faults()
    server.until(lambda: not waiting(talk))
    assert slots(server.webhook(wish(talk)))["handoff_delivery"] == "delivered"


def wish(talk: Talk) -> Any:
    """The customer asks for a person, now and in so many words."""
    body = turn(talk.sender_id)
    heard = body["tracker"]["latest_message"]
    heard["message_id"] = uuid.uuid4().hex
    heard["intent"] = {"name": "human_handoff", "confidence": 0.95}
    (*_, said) = (event for event in body["tracker"]["events"] if event["event"] == "user")
    said |= {"timestamp": time.time(), "message_id": heard["message_id"], "parse_data": heard}
    return body


def test_a_text_that_is_too_much_by_itself_says_so(talk: Talk) -> None:
    assert error(write(talk, "word " * 4000), 422) == "too_long"
    assert talk.deliveries() == []


def test_another_call_is_not_held_up_by_it(talk: Talk, gateway: Simulator) -> None:
    fill(talk)
    other = Talk.begin(talk.server, gateway)
    assert write(other).status_code in (200, 201)

"""A handoff that nobody takes reaches the operator's webhook, and one that is taken does not."""

from __future__ import annotations

import json
import queue
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import alerts
from tests.core.clock import SECONDS
from tests.scenarios.receiver import Receiver
from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, assignment, turn

SECRET = "a-secret-for-the-requests-of-tests-0001"
WORDS = "These are words of a customer"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def server(tmp_path: Path, gateway: Simulator, receiver: Receiver) -> Iterator[ActionServer]:
    config = tmp_path / "config"
    config.mkdir()
    designer = {"handoff": {"alert_after": 0.5}}
    (config / "handoff.yml").write_text(json.dumps(designer), encoding="utf-8")
    bridge = {
        "gateway": {"url": gateway.url},
        "alerts": {"url": receiver.url, "secret": SECRET},
    }
    with ActionServer(tmp_path, bridge=bridge) as started:
        yield started


def hand_off(server: ActionServer, name: str) -> None:
    """A customer asks for a person."""
    answer = server.put(f"/bridge/assignments/{name}", json=assignment(call_id=f"call-{name}"))
    assert answer.status_code == 201, answer.text
    asks = turn(name)
    asks["tracker"]["latest_message"] |= {"message_id": uuid.uuid4().hex, "text": WORDS}
    assert server.webhook(asks).status_code == 200


def reported(receiver: Receiver) -> dict[str, Any]:
    """What the next request says; its signature is right."""
    _, headers, body = receiver.got.get(timeout=SECONDS)
    at = int(headers["X-Bridge-Timestamp"])
    assert alerts.headers(body, SECRET, at=at).items() <= headers.items()
    found: dict[str, Any] = json.loads(body)
    assert WORDS not in body.decode()
    return found


def test_it_is_reported_once_and_again_where_that_failed(
    server: ActionServer, receiver: Receiver
) -> None:
    receiver.answer = b"HTTP/1.1 503 Away\r\n\r\n"
    hand_off(server, "maria")
    hand_off(server, "jon")
    body = {"text": "Hello", "client_id": "c-1"}
    assert server.post("/bridge/calls/call-jon/replies", json=body).status_code == 201
    first = reported(receiver)
    receiver.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    assert first["call_id"] == "call-maria"
    assert reported(receiver) == first  # tried again
    shown = server.get("/bridge/calls/call-maria").json()
    assert (shown["alerted_at"], shown["agent_id"]) == (first["raised_at"], first["agent_id"])
    assert "alerted_at" not in server.get("/bridge/calls/call-jon").json()
    lines = [line for line in server.log().splitlines() if "Nobody took a handoff" in line]
    assert len(lines) == 1
    assert "call_id=call-maria" in lines[0]
    server.until(lambda: 'cc_bridge_alerts_total{outcome="delivered"} 1.0' in metrics(server))
    with pytest.raises(queue.Empty):
        receiver.got.get_nowait()


def metrics(server: ActionServer) -> str:
    return server.get("/bridge/metrics").text

"""``cc-bridge outbox`` and ``cc-bridge forget`` beside a server that works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.store import Store
from tests.cli.running import piped
from tests.simulator.harness import Simulator
from tests.store.people import written
from tests.web.serving import WELCOME, ActionServer, assignment, turn

CALL = assignment()["call_id"]


@pytest.fixture
def server(gateway: Simulator, tmp_path: Path, store_url: str) -> Iterator[ActionServer]:
    bridge = {
        "gateway": {"url": gateway.url},
        "storage": {"url": store_url},
        "delivery": {"wait": 1},
    }
    with ActionServer(tmp_path, bridge=bridge) as started:
        started.put("/bridge/assignments/anna", json=assignment())
        yield started


def shown(server: ActionServer, state: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.get("/bridge/deliveries", params={"state": state}).json()[
        "items"
    ]
    return items


def database(url: str) -> str:
    store = Store(url)
    found = written(store)
    store.close()
    return found


def test_what_is_retried_by_the_command_is_delivered_by_the_server(
    server: ActionServer, gateway: Simulator
) -> None:
    server.webhook(turn("anna"))
    gateway.wait_for(messages=1)
    gateway.fault("retcode", path="*sendmessage", retcode="106-001", times=1)
    reply = {"text": "Anything else?", "client_id": "c-1"}
    server.post(f"/bridge/calls/{CALL}/replies", json=reply)
    server.until(lambda: len(shown(server, "failed")) == 1)
    ran = piped(server.folder, "outbox", "list", "--state", "failed")
    ((number, *_),) = ran.rows
    assert piped(server.folder, "outbox", "retry", number, "--yes").code == 0
    assert [item["text"] for item in gateway.wait_for(messages=2)] == [WELCOME, "Anything else?"]
    server.until(lambda: not shown(server, "failed,waiting,sending"))


def test_what_waits_of_a_forgotten_customer_is_never_sent(
    server: ActionServer, gateway: Simulator, store_url: str
) -> None:
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    server.webhook(turn("anna"))
    server.put("/bridge/assignments/jon", json=assignment(call_id="call-2", user_id="40002"))
    server.webhook(turn("jon"))
    assert {item["sender_id"] for item in shown(server)} == {"anna", "jon"}
    assert piped(server.folder, "forget", "--sender", "anna", "--yes").code == 0
    gateway.clear_faults()
    # Jon's was stored after Anna's: when it has gone out, hers would have.
    server.until(lambda: [item["state"] for item in shown(server)] == ["delivered"])
    assert {item["call"] for item in gateway.messages()} == {"call-2"}
    assert server.get(f"/bridge/calls/{CALL}").status_code == 404
    assert not any(known in database(store_url) for known in ("anna", CALL, "40001"))


def ended(server: ActionServer) -> float:
    """How many attempts came to an end, whatever they came to, as the server counts them."""
    told = server.get("/bridge/metrics").text
    counts = re.findall(r"attempt_seconds_count\{.*\} (\S+)", told)
    return sum(map(float, counts))


def test_what_is_being_sent_meanwhile_brings_nothing_back(
    server: ActionServer, gateway: Simulator, store_url: str
) -> None:
    gateway.fault("hang", path="*sendmessage", seconds=5, taken=True)
    server.webhook(turn("anna"))
    gateway.wait_for(requests=1, operation="send_message")
    assert [item["state"] for item in shown(server)] == ["sending"]
    assert piped(server.folder, "forget", "--user", "40001", "--yes").code == 0
    # The same agent's next message goes out once the workers are rid of the former.
    server.put("/bridge/assignments/jon", json=assignment(call_id="call-2", user_id="40002"))
    server.webhook(turn("jon"))
    gateway.wait_for(messages=2, timeout=20)
    server.until(lambda: [item["state"] for item in shown(server)] == ["delivered"])
    server.until(lambda: ended(server) >= 2)  # the attempt of the other is over too
    assert not any(known in database(store_url) for known in ("anna", CALL, "40001"))


def test_the_request_of_a_forgotten_customer_comes_late_and_says_nothing_again(
    server: ActionServer, gateway: Simulator
) -> None:
    asked = turn("anna")
    server.webhook(asked)
    gateway.wait_for(messages=1)
    assert piped(server.folder, "forget", "--sender", "anna", "--yes").code == 0
    again = server.webhook(asked)
    assert again.json() == {"events": [], "responses": []}
    # Not even where the call was given anew.
    server.put("/bridge/assignments/anna", json=assignment())
    assert server.webhook(asked).json() == {"events": [], "responses": []}
    assert len(gateway.messages()) == 1


def test_nothing_is_left_in_the_files_of_a_server_that_works(
    gateway: Simulator, tmp_path: Path, sqlite_url: str
) -> None:
    bridge = {"gateway": {"url": gateway.url}, "storage": {"url": sqlite_url}}
    with ActionServer(tmp_path, bridge=bridge) as server:
        server.put("/bridge/assignments/anna", json=assignment())
        server.webhook(turn("anna"))
        gateway.wait_for(messages=1)
        server.until(lambda: not shown(server, "waiting,sending"))
        asked = turn("anna")["tracker"]["latest_message"]["text"]
        assert asked.encode() in files(tmp_path)
        ran = piped(server.folder, "forget", "--sender", "anna", "--yes")
        assert (ran.code, ran.err) == (0, "")
        known = (asked, WELCOME, "anna", CALL, "40001")
        assert [word for word in known if word.encode() in files(tmp_path)] == []
        assert server.get("/bridge/ready").status_code == 200


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bridge.db*")))

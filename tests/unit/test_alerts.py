"""The webhook's requests: what they carry, how they are signed, and what counts as accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from pydantic import SecretStr

from bridge import alerts
from bridge.config.settings import AlertSettings
from bridge.senders.alerts import AlertSender
from bridge.state.commands import AlertResult, Command
from bridge.state.records import Alert
from tests.core.clock import SECONDS
from tests.scenarios.receiver import Receiver

PAGE = (Path(__file__).parents[2] / "docs/monitoring.md").read_text(encoding="utf-8")
SECRET = "a-secret-for-this-test-vector-only"
ALERT = Alert(
    "e167bf65-9a3e-5b1b-8aa4-41cff20b47ae",
    "maria",
    "1552524689-16797284",
    "291",
    1_799_999_940.0,
    1_800_000_000.0,
    1,
)


def test_the_pages_request_is_the_one_that_is_sent() -> None:
    """So that others can test what verifies the signature."""
    assert f"`{SECRET}`" in PAGE
    timestamp = re.search(r"^X-Bridge-Timestamp: (\d+)$", PAGE, re.MULTILINE)
    signature = re.search(r"^X-Bridge-Signature: (\S+)$", PAGE, re.MULTILINE)
    assert timestamp
    assert signature
    body = alerts.body(ALERT)
    assert body.decode() in PAGE.splitlines()
    assert alerts.headers(body, SECRET, at=int(timestamp[1])) == {
        "X-Bridge-Timestamp": timestamp[1],
        "X-Bridge-Signature": signature[1],
    }


def test_the_pages_program_takes_what_is_signed_and_nothing_else() -> None:
    (program,) = re.findall(r"```python\n(import hashlib.*?)```", PAGE, re.DOTALL)
    defined: dict[str, Any] = {}
    exec(program, defined)  # noqa: S102 - what readers of the page will do
    check, now = defined["is_from_the_bridge"], int(defined["time"].time())
    for at, good in ((now, True), (now - 600, False)):
        made = alerts.headers(b"{}", SECRET, at=at)
        given = (made["X-Bridge-Timestamp"], made["X-Bridge-Signature"])
        assert check(*given, b"{}", SECRET) is good
        assert not check(*given, b"{ }", SECRET)
        assert not check(*given, b"{}", "another")
        assert not check(str(at + 1), given[1], b"{}", SECRET)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


def result(url: str) -> AlertResult:
    """What comes of a request to ``url``."""
    results: Queue[Command] = Queue()
    sender = AlertSender(AlertSettings(url=url, secret=SecretStr("x" * 32)), results.put)
    try:
        sender.send(ALERT)
        found = results.get(timeout=SECONDS)
    finally:
        sender.close()
    assert isinstance(found, AlertResult)
    assert found.alert == ALERT
    return found


def test_a_request_is_signed_and_says_nothing_that_was_written(receiver: Receiver) -> None:
    assert result(receiver.url).error is None
    path, headers, body = receiver.got.get(timeout=SECONDS)
    at = int(headers["X-Bridge-Timestamp"])
    assert path == "/handoffs"
    assert alerts.headers(body, "x" * 32, at=at).items() <= headers.items()
    assert json.loads(body) == {
        "event": "handoff_not_taken",
        "id": ALERT.id,
        "call_id": "1552524689-16797284",
        "agent_id": "291",
        "handed_off_at": "2027-01-15T07:59:00.000Z",
        "raised_at": "2027-01-15T08:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 500 No\r\n\r\n", "it answered HTTP 500"),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n", "it answered HTTP 302"),
        (b"nonsense\r\n\r\n", "the request failed"),
        (b"", "the request failed"),
        (None, "the request failed"),
    ],
)
def test_what_is_not_accepted_is_a_failure(
    receiver: Receiver, answer: bytes | None, error: str
) -> None:
    receiver.answer = answer
    found = result(receiver.url).error
    assert found is not None
    assert error in found
    assert receiver.url not in found
    assert receiver.got.qsize() == 1  # no redirect is followed


def test_a_webhook_that_is_not_there_is_a_failure(receiver: Receiver) -> None:
    receiver.close()
    assert "the request failed" in (result(receiver.url).error or "")
    receiver.ending.clear()

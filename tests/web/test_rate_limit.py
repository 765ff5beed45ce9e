"""How often a token may offer suggestions: so many at once, then so many a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.web.api.suggestions import BURST, RATE
from bridge.web.rate_limit import RateLimit
from tests.web.serving import API_TOKEN, ActionServer, error

KB, CRM = "the-token-of-a-knowledge-base-0000001", "the-token-of-another-system-00000001"


class HeldTime:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_a_rate_for_each_name() -> None:
    clock = HeldTime()
    limit = RateLimit(10.0, 5, clock)
    assert [limit.admit("kb") for _ in range(7)] == [True] * 5 + [False] * 2
    assert limit.admit("crm")  # has its own
    clock.now += 0.125
    assert [limit.admit("kb") for _ in range(2)] == [True, False]
    clock.now += 3600.0
    assert [limit.admit("kb") for _ in range(6)] == [True] * 5 + [False]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ActionServer]:
    """A server of its own: what a token used up, other tests would miss."""
    tokens = {
        name: {"token": token, "may": ["suggestions"]} for name, token in (("kb", KB), ("crm", CRM))
    }
    with ActionServer(tmp_path, bridge={"api": {"token": API_TOKEN, "tokens": tokens}}) as started:
        yield started


def test_a_token_that_offers_too_often_is_told_so(server: ActionServer) -> None:
    def offer(token: str) -> int:
        body = {"call_id": "A", "answers": "m-1", "external_id": "1", "text": "hello"}
        return server.post("/bridge/suggestions", json=body, token=token).status_code

    answers: list[int] = []
    while 429 not in answers and len(answers) < 50 * BURST:
        answers.append(offer(KB))
    assert answers[:-1] == [404] * (len(answers) - 1)  # there is no such call
    assert len(answers) > BURST
    refused = server.post("/bridge/suggestions", json={}, token=KB)
    while refused.status_code != 429:  # a moment later one more may be admitted
        refused = server.post("/bridge/suggestions", json={}, token=KB)
    assert error(refused, 429) == "too_many_requests"
    assert f"{RATE} suggestions a second" in refused.json()["error"]["message"]
    assert offer(CRM) == 404
    assert offer(API_TOKEN) == 404
    server.until(lambda: offer(KB) == 404)

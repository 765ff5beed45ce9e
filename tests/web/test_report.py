"""The report over the API: it counts questions, says where there are too few, and names nobody."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bridge.queries.report import TOO_FEW, Group
from tests.web.routes import named_token
from tests.web.serving import ActionServer, error
from tests.web.talking import Talk


def row(server: ActionServer, key: str) -> dict[str, Any]:
    """The figures of one intent."""
    report = server.get("/bridge/report", params={"group": "intent"}).json()
    found: dict[str, Any] = next((item for item in report["items"] if item["key"] == key), {})
    return found


def grown(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """What was counted in between."""
    counts = [
        Counter({key: n for key, n in figures.items() if isinstance(n, int) and n is not True})
        for figures in (before, after)
    ]
    return dict(counts[1] - counts[0])


def seen(talk: Talk) -> list[str]:
    """A question with two candidates, which the agent has seen; their IDs."""
    ids = [item["id"] for item in talk.asks("faq")]
    for name in ids:
        talk.server.post(f"/bridge/suggestions/{name}/displayed")
    return ids


def test_a_question_with_two_candidates_counts_once(talk: Talk) -> None:
    server = talk.server
    before = row(server, "faq")
    first, _ = seen(talk)
    server.post(f"/bridge/suggestions/{first}/accept")
    assert grown(before, row(server, "faq")) == {
        "suggested": 2,
        "displayed": 2,
        "accepted": 1,
        "superseded": 1,
        "questions": 1,
        "questions_answered": 1,
    }


def test_acceptance_needs_enough_questions(talk: Talk) -> None:
    server = talk.server
    while (found := row(server, "faq")).get("questions", 0) < TOO_FEW:
        assert found.get("acceptance") is None
        assert found.get("too_few", True)
        first, second = seen(talk)
        server.post(f"/bridge/suggestions/{first}/reject")
        server.post(f"/bridge/suggestions/{second}/reject")
    assert not found["too_few"]
    share = found["questions_answered"] / found["questions"]
    assert found["acceptance"] == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize("group", Group)
def test_it_names_no_agent(talk: Talk, group: Group) -> None:
    first, _ = seen(talk)
    talk.server.post(f"/bridge/suggestions/{first}/accept")
    report = talk.server.get("/bridge/report", params={"group": group.value}).json()
    assert report["items"]
    for item in [*report["items"], report["total"]]:
        assert not [key for key in item if "agent" in key]
        assert "291" not in str(item.get("key"))


def test_who_may_read_it(server: ActionServer) -> None:
    boss = server.post("/bridge/tokens", json={"supervisor": "boss"}).json()["token"]
    anna = server.post("/bridge/tokens", json={"agent_id": "291"}).json()["token"]
    for token in (boss, named_token("report")):
        assert server.get("/bridge/report", token=token).status_code == 200
    for token in (anna, named_token("suggestions")):
        assert error(server.get("/bridge/report", token=token), 403) == "forbidden"
    assert error(server.get("/bridge/report", params={"agent_id": "291"}), 400)

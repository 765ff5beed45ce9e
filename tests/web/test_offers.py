"""Suggestions of other systems, and what desktops report, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.reading import Reader
from tests.web.routes import named_token
from tests.web.serving import ActionServer, error
from tests.web.talking import Talk


def body(talk: Talk, **changes: Any) -> dict[str, Any]:
    """A candidate for what the customer wrote last."""
    written = [
        line for line in talk.server.get(talk.call).json()["history"] if "message_id" in line
    ]
    return {
        "call_id": talk.call_id,
        "answers": written[-1]["message_id"],
        "external_id": talk.call_id,
        "text": "See https://user@Shop.example/24 or http://other.example.",
        "confidence": 0.71,
    } | changes


def test_it_is_offered_named_and_streamed(talk: Talk) -> None:
    talk.asks()
    with Reader(talk.server) as reader:
        answer = talk.server.post(
            "/bridge/suggestions", json=body(talk), token=named_token("suggestions")
        )
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert made["source"]["kind"] == "external"
        assert made["source"]["names"] == ["suggestions"]
        assert made["source"]["confidence"] == 0.71
        assert made["hosts"] == ["other.example", "shop.example"]
        event = reader.until(lambda found: found.data.get("id") == made["id"])
        assert event.data == made
    again = talk.server.post(
        "/bridge/suggestions", json=body(talk), token=named_token("suggestions")
    )
    assert (again.status_code, again.json()) == (200, made)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": None}, "text or reply"),
        ({"reply": {"text": "x"}}, "text or reply"),
        ({"text": ""}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"text": "a\0b"}, "NUL"),
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": "1"}, "confidence"),
        ({"colour": "red"}, "colour"),
        ({"answers": 5}, "answers"),
        ({"text": None, "reply": {"text": "x", "custom": {}}}, "custom"),
    ],
)
def test_a_wrong_field_is_named(talk: Talk, changes: dict[str, Any], field: str) -> None:
    talk.asks()
    answer = talk.server.post("/bridge/suggestions", json=body(talk, **changes))
    assert error(answer, 422) == "invalid_field"
    assert field in answer.json()["error"]["message"]


def test_a_copied_one_counts_as_the_answer(talk: Talk) -> None:
    (found,) = talk.asks()
    copied = talk.server.post(f"/bridge/suggestions/{found['id']}/copy").json()
    assert copied["state"] == "copied"
    assert error(talk.server.post("/bridge/suggestions", json=body(talk)), 409) == "answered"
    report = talk.server.get("/bridge/report", params={"group": "intent"}).json()
    (row,) = [item for item in report["items"] if item["key"] == "ask_price"]
    assert row["copied"] >= 1
    assert row["questions_answered"] >= 1


def test_what_a_desktop_reports(talk: Talk) -> None:
    server = talk.server
    message = {"from": "customer", "text": "And in red?", "message_id": "m-1"}
    stored = server.post(f"{talk.call}/messages", json=message)
    assert (stored.status_code, stored.json()["text"]) == (201, "And in red?")
    assert server.post(f"{talk.call}/messages", json=message).status_code == 200
    shown = server.get(talk.call).json()
    assert stored.json() in shown["history"]
    assert shown["waiting_since"] == stored.json()["at"]
    assert server.post(f"{talk.call}/typing").status_code == 204
    hidden = server.put(f"{talk.call}/assist", json={"hidden": True})
    assert hidden.json()["assist_hidden"] is True
    assert "assist_hidden" not in server.put(f"{talk.call}/assist", json={"hidden": False}).json()
    wrong = server.put(f"{talk.call}/assist", json={"hidden": "yes"})
    assert error(wrong, 422) == "invalid_field"


@pytest.mark.parametrize(
    "query", [{"from": "yesterday"}, {"from": "2026-02-01", "to": "2026-01-01"}, {"group": "agent"}]
)
def test_a_report_that_cannot_be_made(server: ActionServer, query: dict[str, str]) -> None:
    assert error(server.get("/bridge/report", params=query), 400) == "bad_request"

"""The agent's word on what the bot would say, over the API; the gateway says what went out."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.web.serving import ActionServer, error, without
from tests.web.talking import PICTURE, PRICE, Talk

TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_suggestion_has_its_shape(talk: Talk) -> None:
    (found,) = talk.asks()
    assert str(uuid.UUID(found["id"])) == found["id"]
    assert found["agent_id"] == "291"
    assert found["call_id"] == talk.call_id
    assert found["sender_id"] == talk.sender_id
    assert found["state"] == "offered"
    assert TIME.fullmatch(found["created_at"])
    assert TIME.fullmatch(found["expires_at"])
    assert found["source"] == {
        "kind": "assist",
        "intent": "ask_price",
        "confidence": 0.95,
        "response": "utter_price",
        "margin": None,
        "runner_up": None,
    }
    assert found["text"] == PRICE
    (draft,) = found["drafts"]
    assert draft["media_type"] == "TEXT"
    assert PRICE in draft["content"]
    assert not found.keys() & {"edited_text", "reason", "settled_at", "settled_by"}
    assert talk.server.get(f"/bridge/suggestions/{found['id']}").json() == found
    assert talk.gateway.messages(call=talk.call_id) == []


def test_the_call_shows_what_is_offered_and_how_far_assist_goes(talk: Talk) -> None:
    (found,) = talk.asks()
    shown = talk.server.get(talk.call).json()
    assert shown["suggestions"] == [found]
    assert (shown["assist"], shown["untold"], shown["owner"]) == ("suggest", False, "agent")
    talk.server.post(f"/bridge/suggestions/{found['id']}/reject")
    assert talk.server.get(talk.call).json()["suggestions"] == []


@pytest.mark.parametrize("body", [None, {}, {"text": None}, {"text": PRICE}])
def test_accepted_it_goes_out_as_it_is(talk: Talk, body: dict[str, Any] | None) -> None:
    (found,) = talk.asks()
    answer = talk.server.post(f"/bridge/suggestions/{found['id']}/accept", json=body)
    assert answer.status_code == 200, answer.text
    settled = answer.json()
    assert (settled["state"], settled["settled_by"]) == ("accepted", "system")
    assert TIME.fullmatch(settled["settled_at"])
    assert "edited_text" not in settled
    (sent,) = settled["deliveries"]
    assert (sent["origin"], sent["approved_by"]) == ("suggestion", "system")
    assert talk.received(1) == [PRICE]
    assert talk.gateway.messages(call=talk.call_id)[0]["code"] == sent["message_code"]
    told = talk.server.get(talk.call).json()["history"][-1]
    assert (told["from"], told["origin"], told["approved_by"]) == ("agent", "suggestion", "system")
    assert told["agent_id"] == sent["agent_id"]


def test_edited_the_agents_words_go_out_and_the_picture_stays(talk: Talk) -> None:
    (found,) = talk.asks(utter_price=[{"text": "This one.", "image": PICTURE}])
    body = {"text": "Better: <this> & that"}
    settled = talk.server.post(f"/bridge/suggestions/{found['id']}/accept", json=body).json()
    assert (settled["state"], settled["text"]) == ("edited", found["text"])
    assert settled["edited_text"] == "Better: <this> & that"
    assert len(settled["deliveries"]) == 2
    words, picture = talk.received(2)
    assert words == "Better: &lt;this&gt; &amp; that"
    assert PICTURE in picture


def test_two_accepts_at_once_make_one_delivery_and_one_409(talk: Talk) -> None:
    (found,) = talk.asks()

    def click(text: str | None) -> Any:
        return talk.server.post(f"/bridge/suggestions/{found['id']}/accept", json={"text": text})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(click, [None, "In my words"] * 4))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [error(answer, 409) for answer in answers if answer.status_code != 200]
    assert (len(won), lost) == (1, ["settled"] * 7)
    assert talk.received(1) == ["In my words" if won[0]["state"] == "edited" else PRICE]
    assert [item["id"] for item in talk.deliveries()] == [won[0]["deliveries"][0]["id"]]


def test_rejected_with_a_reason_and_settled_once(talk: Talk) -> None:
    (found,) = talk.asks()
    address = f"/bridge/suggestions/{found['id']}"
    settled = talk.server.post(f"{address}/reject", json={"reason": "wrong price"}).json()
    assert (settled["state"], settled["reason"]) == ("rejected", "wrong price")
    assert error(talk.server.post(f"{address}/reject"), 409) == "settled"
    assert error(talk.server.post(f"{address}/accept"), 409) == "settled"
    assert talk.deliveries() == []


def test_the_reason_of_a_rejection_may_follow_once(talk: Talk) -> None:
    (found,) = talk.asks()
    address, server = f"/bridge/suggestions/{found['id']}/reject", talk.server
    anna = server.post("/bridge/tokens", json={"agent_id": "291"}).json()["token"]
    rejected = server.post(address, token=anna).json()
    assert "reason" not in rejected
    assert error(server.post(address, token=anna), 409) == "settled"  # nothing is added
    reason = {"reason": "wrong product"}
    assert error(server.post(address, json=reason), 409) == "settled"  # another's rejection
    explained = server.post(address, json=reason, token=anna)
    assert explained.status_code == 200
    assert explained.json() == rejected | reason
    again = server.post(address, json=reason, token=anna)
    assert (again.status_code, again.json()) == (200, explained.json())
    other = server.post(address, json={"reason": "too long"}, token=anna)
    assert error(other, 409) == "settled"
    assert server.get(f"/bridge/suggestions/{found['id']}").json() == explained.json()


def test_displayed_the_first_time_counts(talk: Talk) -> None:
    (found,) = talk.asks()
    address = f"/bridge/suggestions/{found['id']}/displayed"
    seen = talk.server.post(address).json()
    assert seen["state"] == "offered"
    assert TIME.fullmatch(seen["displayed_at"])
    assert talk.server.post(address, json={}).json() == seen


def test_a_newer_message_supersedes_and_candidates_supersede_each_other(talk: Talk) -> None:
    (stale,) = talk.asks()
    hours, where = talk.asks("faq")
    assert error(talk.server.post(f"/bridge/suggestions/{stale['id']}/accept"), 409) == "settled"
    assert [hours["text"], where["text"]] == ["9 to 5.", "In Berlin."]
    assert hours["candidate_of"] == where["candidate_of"]
    assert hours["source"]["margin"] == pytest.approx(0.65)
    assert hours["source"]["runner_up"] == "faq/where"
    talk.server.post(f"/bridge/suggestions/{where['id']}/accept")
    assert talk.received(1) == ["In Berlin."]
    states = {item["id"]: item["state"] for item in talk.suggestions()}
    assert states == {
        stale["id"]: "superseded",
        hours["id"]: "superseded",
        where["id"]: "accepted",
    }
    assert len(talk.suggestions(state="offered,accepted")) == 1


def test_after_a_reassignment_it_has_expired(talk: Talk) -> None:
    (found,) = talk.asks()
    talk.assign(agent_id="292")
    answer = talk.server.post(f"/bridge/suggestions/{found['id']}/accept")
    assert error(answer, 409) == "settled"
    assert talk.suggestions(state="expired")[0]["id"] == found["id"]


def test_a_list_comes_in_pages(talk: Talk) -> None:
    for _ in range(5):
        talk.asks()
    seen: list[str] = []
    query: dict[str, Any] = {"call_id": talk.call_id, "limit": 2}
    while True:
        page = talk.server.get("/bridge/suggestions", params=query).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [item["id"] for item in talk.suggestions()]
    assert len(set(seen)) == 5


@pytest.mark.parametrize(
    "query",
    [{"limit": "many"}, {"cursor": "x"}, {"state": "lost"}, {"call_id": "a\0b"}],
)
def test_a_query_that_cannot_be_is_refused(server: ActionServer, query: dict[str, str]) -> None:
    assert error(server.get("/bridge/suggestions", params=query), 400) == "bad_request"


def test_what_is_not_there(server: ActionServer) -> None:
    assert error(server.get("/bridge/suggestions/nothing"), 404) == "not_found"
    assert error(server.get("/bridge/suggestions/%00"), 400) == "bad_request"
    for word in ("accept", "reject", "displayed"):
        assert error(server.post(f"/bridge/suggestions/nothing/{word}"), 404) == "not_found"
    assert server.get("/bridge/suggestions", params={"call_id": "nothing"}).json() == {
        "items": [],
        "next": None,
    }


@pytest.mark.parametrize(
    ("word", "body", "code"),
    [
        ("accept", {"text": ""}, "empty_text"),
        ("accept", {"text": " \n"}, "empty_text"),
        ("accept", {"text": 7}, "invalid_field"),
        ("accept", {"text": ["a"]}, "invalid_field"),
        ("accept", {"text": "a\0b"}, "invalid_field"),
        ("accept", {"text": "a" * 32_769}, "too_long"),
        ("accept", {"txet": "misspelt, it would be lost"}, "invalid_field"),
        ("reject", {"reason": {}}, "invalid_field"),
        ("reject", {"reason": "a" * 501}, "too_long"),
        ("reject", {"text": "a"}, "invalid_field"),
        ("displayed", {"text": "a"}, "invalid_field"),
    ],
)
def test_a_body_that_cannot_be_settles_nothing(
    talk: Talk, word: str, body: dict[str, Any], code: str
) -> None:
    (found,) = talk.asks()
    answer = talk.server.post(f"/bridge/suggestions/{found['id']}/{word}", json=body)
    assert error(answer, 422) == code
    assert talk.suggestions(state="offered")[0]["id"] == found["id"]
    assert talk.deliveries() == []


@pytest.mark.parametrize("data", [b"[]", b"null", b"{", b"\xff"])
def test_a_body_that_is_no_json_object_settles_nothing(talk: Talk, data: bytes) -> None:
    (found,) = talk.asks()
    address = f"/bridge/suggestions/{found['id']}/accept"
    assert error(talk.server.post(address, data=data), 400) == "bad_request"
    answer = talk.server.post(address, json={"text": "x" * 70_000})
    assert error(answer, 413) == "too_large"
    assert talk.suggestions(state="offered")[0]["id"] == found["id"]


def test_a_database_that_fails_is_503_and_settles_nothing(talk: Talk) -> None:
    (found,) = talk.asks()
    with without(talk.server, "deliveries"):
        answer = talk.server.post(f"/bridge/suggestions/{found['id']}/accept")
        assert error(answer, 503) == "store_unavailable"
    assert talk.suggestions(state="offered") == [found]
    talk.server.post(f"/bridge/suggestions/{found['id']}/accept")
    assert talk.received(1) == [PRICE]


def test_a_text_as_long_as_a_body_may_be_is_sent_in_parts(talk: Talk) -> None:
    (found,) = talk.asks()
    body = {"text": "word " * 2_000 + "the end"}
    answer = talk.server.post(f"/bridge/suggestions/{found['id']}/accept", json=body).json()
    sent = talk.received(len(answer["deliveries"]))
    assert len(sent) > 5
    assert sent[-1].endswith("the end")

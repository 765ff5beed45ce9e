"""An agent writes freely, sees to what failed, and hands the customer back to the bot."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.scenarios.rasa_stub import RasaStub
from tests.web.serving import ActionServer, assignment, error
from tests.web.talking import Talk


def _say(talk: Talk, text: str = "One moment, please.", client_id: str = "c-1") -> Any:
    return talk.server.post(f"{talk.call}/replies", json={"text": text, "client_id": client_id})


# The agent's own words


def test_what_an_agent_writes_goes_out(talk: Talk) -> None:
    answer = _say(talk, "5 < 6 & so on").json()
    assert (answer["call_id"], answer["client_id"]) == (talk.call_id, "c-1")
    (sent,) = answer["deliveries"]
    assert (sent["origin"], sent["approved_by"], sent["agent_id"]) == ("agent", "system", "291")
    assert talk.received(1) == ["5 &lt; 6 &amp; so on"]
    assert talk.settled(sent["id"])["state"] == "delivered"


def test_the_same_again_is_the_same_message(talk: Talk) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: _say(talk), range(8))]
    assert {answer["deliveries"][0]["message_code"] for answer in answers} == {
        talk.gateway.wait_for(messages=1, call=talk.call_id)[0]["code"]
    }
    assert error(_say(talk, "Something else."), 409) == "client_id_used"
    _say(talk, "And then?", "c-2")
    assert talk.received(2) == ["One moment, please.", "And then?"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_field"),
        ({"text": "Hello"}, "invalid_field"),
        ({"client_id": "c-1"}, "invalid_field"),
        ({"text": None, "client_id": "c-1"}, "invalid_field"),
        ({"text": ["Hello"], "client_id": "c-1"}, "invalid_field"),
        ({"text": "Hello", "client_id": 1}, "invalid_field"),
        ({"text": "Hello", "client_id": ""}, "invalid_field"),
        ({"text": "Hello", "client_id": "x" * 129}, "invalid_field"),
        ({"text": "Hello", "client_id": "a\nb"}, "invalid_field"),
        ({"text": "Hello", "client_id": "c-1", "call_id": "1"}, "invalid_field"),
        ({"text": "", "client_id": "c-1"}, "empty_text"),
        ({"text": " \n\t", "client_id": "c-1"}, "empty_text"),
    ],
)
def test_a_reply_that_cannot_be_is_refused(talk: Talk, body: dict[str, Any], code: str) -> None:
    assert error(talk.server.post(f"{talk.call}/replies", json=body), 422) == code
    assert talk.deliveries() == []


def test_bounds_of_a_reply(talk: Talk) -> None:
    assert _say(talk, client_id="x" * 128).status_code == 201
    assert error(_say(talk, "x" * 66_000, "c-2"), 413) == "too_large"
    assert error(talk.server.post(f"{talk.call}/replies"), 400) == "bad_request"
    assert error(talk.server.post(f"{talk.call}/replies", data=b"[]"), 400) == "bad_request"


def test_nobody_writes_into_a_call_that_is_not_with_its_agent(talk: Talk) -> None:
    body = {"text": "Hello", "client_id": "c-1"}
    assert error(talk.server.post("/bridge/calls/nothing/replies", json=body), 404) == "not_found"
    talk.server.delete(f"/bridge/assignments/{talk.sender_id}")
    assert error(_say(talk), 409) == "call_ended"


# What failed


def test_what_failed_is_sent_again_under_the_same_code(talk: Talk) -> None:
    talk.gateway.fault("retcode", path="*sendmessage", call=talk.call_id, retcode="106-001")
    (sent,) = _say(talk).json()["deliveries"]
    failed = talk.settled(sent["id"])
    assert (failed["state"], failed["error"].keys()) == ("failed", {"code", "message"})
    again = talk.server.post(f"/bridge/deliveries/{sent['id']}/retry")
    assert again.status_code == 200, again.text
    assert again.json()["message_code"] == sent["message_code"]
    assert "error" not in again.json()
    assert talk.received(1) == ["One moment, please."]
    assert talk.settled(sent["id"])["state"] == "delivered"
    for word in ("retry", "discard"):
        answer = talk.server.post(f"/bridge/deliveries/{sent['id']}/{word}", json={})
        assert error(answer, 409) == "settled"
    assert len(talk.gateway.messages(call=talk.call_id)) == 1


def test_what_waits_is_discarded_and_never_sent(talk: Talk) -> None:
    fault = talk.gateway.fault(
        "status", path="*sendmessage", call=talk.call_id, status=503, times=None
    )
    first, second = (_say(talk, text, text).json()["deliveries"][0] for text in ("one", "two"))
    gone = talk.server.post(f"/bridge/deliveries/{second['id']}/discard")
    assert gone.status_code == 200, gone.text
    assert (gone.json()["state"], gone.json()["error"]["code"]) == ("failed", "discarded")
    talk.gateway.clear_faults(fault)
    assert talk.settled(first["id"])["state"] == "delivered"
    assert talk.received(1) == ["one"]
    retry = f"/bridge/deliveries/{second['id']}/retry"
    assert error(talk.server.post(retry, json={"now": "yes"}), 422) == "invalid_field"
    assert error(talk.server.post(retry, json={"again": "yes"}), 422) == "invalid_field"


def test_what_was_discarded_is_sent_on_insistence_only(talk: Talk) -> None:
    talk.gateway.fault("retcode", path="*sendmessage", call=talk.call_id, retcode="106-001")
    (sent,) = _say(talk, "one", "one").json()["deliveries"]
    assert talk.settled(sent["id"])["state"] == "failed"
    talk.server.post(f"/bridge/deliveries/{sent['id']}/discard")
    retry = f"/bridge/deliveries/{sent['id']}/retry"
    assert error(talk.server.post(retry), 409) == "discarded"
    assert error(talk.server.post(retry, json={"again": False}), 409) == "discarded"
    assert talk.gateway.messages(call=talk.call_id) == []
    assert talk.server.post(retry, json={"again": True}).status_code == 200
    assert talk.received(1) == ["one"]


def test_what_a_later_message_overtook_is_sent_on_insistence_only(talk: Talk) -> None:
    talk.gateway.fault("retcode", path="*sendmessage", call=talk.call_id, retcode="106-001")
    (first,) = _say(talk, "one", "one").json()["deliveries"]
    assert talk.settled(first["id"])["state"] == "failed"
    (second,) = _say(talk, "two", "two").json()["deliveries"]
    assert talk.settled(second["id"])["state"] == "delivered"
    retry = f"/bridge/deliveries/{first['id']}/retry"
    assert error(talk.server.post(retry), 409) == "said_since"
    assert talk.server.post(retry, json={"again": True}).status_code == 200
    assert talk.received(2) == ["two", "one"]


def test_deliveries_that_are_not_there(server: ActionServer) -> None:
    for word in ("retry", "discard"):
        for number in ("999999", "x", "-1", "9" * 30, "%C2%B2"):
            answer = server.post(f"/bridge/deliveries/{number}/{word}")
            assert error(answer, 404) == "not_found"


# Handing back


@pytest.mark.parametrize("body", [None, {}])
def test_handed_back_rasa_goes_on(talk: Talk, rasa: RasaStub, body: dict[str, Any] | None) -> None:
    (found,) = talk.asks()
    answer = talk.server.post(f"{talk.call}/handback", json=body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["owner"], answer.json()["state"]) == ("bot", "open")
    assert "handed_back_at" in answer.json()
    rasa.wait_for("resume", sender=talk.sender_id)
    assert error(talk.server.post(f"{talk.call}/handback"), 409) == "not_with_agent"
    assert error(_say(talk), 409) == "not_with_agent"
    answer = talk.server.post(f"/bridge/suggestions/{found['id']}/accept")
    assert error(answer, 409) == "settled"
    assert talk.gateway.messages(call=talk.call_id) == []
    ready = talk.server.get("/bridge/ready", token=None).json()
    assert ready["rasa"].keys() == {"open", "failed"}


def test_a_handback_that_cannot_be(talk: Talk) -> None:
    assert error(talk.server.post("/bridge/calls/nothing/handback"), 404) == "not_found"
    answer = talk.server.post(f"{talk.call}/handback", json={"say": "goodbye"})
    assert error(answer, 422) == "invalid_field"
    assert talk.server.get(talk.call).json()["owner"] == "agent"


def test_without_rasas_address_a_handback_is_refused_with_the_cure(probed: ActionServer) -> None:
    body = assignment(call_id="without-rasa", owner="agent")
    assert probed.put("/bridge/assignments/anna", json=body).status_code in (200, 201)
    answer = probed.post("/bridge/calls/without-rasa/handback")
    assert error(answer, 409) == "rasa_url_missing"
    assert "rasa.url" in answer.json()["error"]["message"]
    assert "--enable-api" in answer.json()["error"]["message"]
    assert probed.get("/bridge/calls/without-rasa").json()["owner"] == "agent"
    assert error(probed.post("/bridge/calls/nothing/handback"), 404) == "not_found"


def test_ready_counts_what_rasa_was_not_told(talk: Talk, rasa: RasaStub) -> None:
    rasa.failures += ["500"] * 3
    talk.server.post(f"{talk.call}/handback")

    def owed() -> int:
        found: int = talk.server.get("/bridge/ready", token=None).json()["rasa"]["open"]
        return found

    talk.server.until(lambda: owed() > 0)
    rasa.failures.clear()
    rasa.wait_for("resume", sender=talk.sender_id)
    talk.server.until(lambda: owed() == 0)

"""The API's shapes, against a server whose gateway nobody serves."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from tests.web.serving import API_TOKEN, WELCOME, ActionServer, assignment, slots, turn

TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def _call_id() -> str:
    return uuid.uuid4().hex


def _error(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"].keys() == {"code", "message"}
    return str(answer.json()["error"]["code"])


# Tokens


def test_the_api_asks_for_its_token(server: ActionServer) -> None:
    for token in (None, "", "wrong", API_TOKEN[:-1], API_TOKEN + "x"):
        answer = server.get("/bridge/calls", token=token)
        assert _error(answer, 401) == "unauthorized"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for header in (API_TOKEN, f"Basic {API_TOKEN}", "Bearer", b"Bearer \xff"):
        assert server.get("/bridge/calls", headers={"Authorization": header}).status_code == 401
    assert server.get("/bridge/calls", params={"token": API_TOKEN}, token=None).status_code == 401


def test_health_and_readiness_are_open(server: ActionServer) -> None:
    health = server.get("/bridge/health", token=None)
    assert health.status_code == 200
    assert health.json() == {"status": "ok", "version": "0.1.0"}
    ready = server.get("/bridge/ready", token=None)
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"configuration": "ok", "store": "ok", "outbox": "ok"}


# Assignments


def test_an_assignment_is_given_read_and_taken(server: ActionServer) -> None:
    call_id = _call_id()
    given = server.put("/bridge/assignments/anna", json=assignment(call_id=call_id))
    assert given.status_code == 201
    found = given.json()
    assert found["agent_id"] == "291"
    assert found["call_id"] == call_id
    assert found["user_id"] == "40001"
    assert found["channel"] == "WEB"
    assert found["sender_id"] == "anna"
    assert (found["owner"], found["state"], found["source"]) == ("bot", "open", "http")
    assert TIME.fullmatch(found["given_at"])

    assert server.get(f"/bridge/calls/{call_id}").json()["state"] == "open"
    assert server.delete("/bridge/assignments/anna").status_code == 204
    ended = server.get(f"/bridge/calls/{call_id}").json()
    assert ended["state"] == "ended"
    assert TIME.fullmatch(ended["ended_at"])
    assert _error(server.delete("/bridge/assignments/anna"), 404) == "not_found"


def test_what_creates_is_201_and_the_same_again_200(server: ActionServer) -> None:
    body = assignment(call_id=_call_id(), owner="agent")
    reply = {"text": "Hello", "client_id": "c-1"}
    again = [
        ("PUT", "/bridge/assignments/twice", body),
        ("POST", f"/bridge/calls/{body['call_id']}/replies", reply),
    ]
    for method, path, sent in again:
        answers = [server.ask(method, path, json=sent) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert server.delete("/bridge/assignments/twice").status_code == 204
    assert server.put("/bridge/assignments/twice", json=body).status_code == 201


def test_a_call_that_another_conversation_has(server: ActionServer) -> None:
    body = assignment(call_id=_call_id())
    assert server.put("/bridge/assignments/first", json=body).status_code == 201
    assert _error(server.put("/bridge/assignments/second", json=body), 409) == "call_taken"
    wrong = server.put("/bridge/assignments/second", json={**body, "take": "yes"})
    assert _error(wrong, 422) == "invalid_assignment"
    taken = server.put("/bridge/assignments/second", json={**body, "take": True})
    assert taken.status_code == 201
    assert server.get(f"/bridge/calls/{body['call_id']}").json()["sender_id"] == "second"
    assert _error(server.delete("/bridge/assignments/first"), 404) == "not_found"


def test_a_channel_without_a_configuration_id(server: ActionServer) -> None:
    body = assignment(call_id=_call_id(), channel="SMS")
    answer = server.put("/bridge/assignments/sms", json=body)
    assert _error(answer, 422) == "invalid_assignment"
    assert "channel_config_ids" in answer.json()["error"]["message"]


def test_an_assignment_with_its_owner(server: ActionServer) -> None:
    body = assignment(call_id=_call_id(), owner="agent", channel="whatsapp", agent_nickname="Anna")
    body["channel_config_id"] = "77"
    found = server.put("/bridge/assignments/owned", json=body).json()
    assert (found["owner"], found["channel"], found["agent_nickname"]) == (
        "agent",
        "WHATSAPP",
        "Anna",
    )


@pytest.mark.parametrize(
    "nickname", ["Anna 👩\u200d💻", "\u0622\u0646\u0627\u200c\u06a9", "安娜\u3000"]
)
def test_a_nickname_of_any_script(server: ActionServer, nickname: str) -> None:
    body = assignment(call_id=_call_id(), agent_nickname=nickname)
    found = server.put("/bridge/assignments/nicknamed", json=body)
    assert found.json()["agent_nickname"] == nickname


@pytest.mark.parametrize("number", [40001, 40001.0])
def test_ids_may_be_written_as_numbers(server: ActionServer, number: float) -> None:
    body = assignment(call_id=number, user_id=number, agent_id=291, channel_config_id=number)
    found = server.put("/bridge/assignments/numbers", json={**body, "take": True}).json()
    assert [found[key] for key in ("call_id", "user_id", "channel_config_id")] == ["40001"] * 3


def test_an_unknown_channel_is_web_with_a_warning(server: ActionServer) -> None:
    found = server.put(
        "/bridge/assignments/pigeon", json=assignment(call_id=_call_id(), channel="pigeon")
    )
    assert found.status_code == 201
    assert found.json()["channel"] == "WEB"
    assert "WEB" in found.json()["warning"]


@pytest.mark.parametrize(
    ("written", "sender_id"),
    [
        ("whatsapp%3A%2B49170", "whatsapp:+49170"),
        ("a%2Fb%2F..%2Fc", "a/b/../c"),
        ("a+b%20c", "a+b c"),
        ("%F0%9F%98%80%3F%23", "\U0001f600?#"),
        ("default", "default"),
    ],
)
def test_a_sender_id_may_have_any_characters(
    server: ActionServer, written: str, sender_id: str
) -> None:
    answer = server.put(f"/bridge/assignments/{written}", json=assignment(call_id=_call_id()))
    assert answer.json()["sender_id"] == sender_id
    assert server.delete(f"/bridge/assignments/{written}").status_code == 204


def test_a_path_that_is_no_utf_8(server: ActionServer) -> None:
    answer = server.put("/bridge/assignments/%FF%FE", json=assignment())
    assert _error(answer, 400) == "bad_request"


@pytest.mark.parametrize(
    "change",
    [
        {"agent_id": "100"},
        {"agent_id": "60000"},
        {"agent_id": None},
        {"agent_id": ["291"]},
        {"call_id": ""},
        {"call_id": "a/b"},
        {"call_id": "x" * 65},
        {"call_id": "1?x"},
        {"user_id": ""},
        {"user_id": "\ud800\n"},
        {"user_id": -1},
        {"user_id": True},
        {"agent_nickname": ""},
        {"agent_nickname": "a\u202eb"},
        {"channel": 5},
        {"sender_id": 5},
        {"owner": "customer"},
        {"owner": []},
        {"colour": "red"},
        {"col\ud800": "red"},
    ],
)
def test_an_assignment_that_cannot_be_is_refused(
    server: ActionServer, change: dict[str, Any]
) -> None:
    answer = server.put("/bridge/assignments/wrong", json=assignment() | change)
    assert _error(answer, 422) == "invalid_assignment"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 30_000, b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(server: ActionServer, body: bytes) -> None:
    assert _error(server.put("/bridge/assignments/wrong", data=body), 400) == "bad_request"


# Sessions


def test_a_desktop_hands_its_guid_over_and_nobody_reads_it_back(server: ActionServer) -> None:
    guid = "guid-that-nobody-reads-0001"
    pushed = server.put("/bridge/sessions/292", json={"guid": guid})
    assert pushed.status_code == 200
    shown = server.get("/bridge/sessions/292")
    assert shown.json() == pushed.json()
    assert shown.json()["agent_id"] == "292"
    assert shown.json()["state"] == "signed_in"
    assert shown.json()["held_by"] == "desktop"
    assert guid not in shown.text + server.log()
    assert server.delete("/bridge/sessions/292").status_code == 204
    assert server.get("/bridge/sessions/292").json()["state"] == "signed_out"


@pytest.mark.parametrize(
    "body",
    [{}, {"guid": ""}, {"guid": "a b"}, {"guid": 7}, {"guid": "x" * 129}, {"guid": "a", "b": 1}],
)
def test_a_guid_that_cannot_be_is_refused(server: ActionServer, body: Any) -> None:
    assert _error(server.put("/bridge/sessions/292", json=body), 422) == "invalid_guid"


def test_a_session_of_the_bridges_own_is_not_taken_over(server: ActionServer) -> None:
    answer = server.put("/bridge/sessions/291", json={"guid": "another"})
    assert _error(answer, 409) == "session_is_ours"


def test_an_agent_that_cannot_be(server: ActionServer) -> None:
    for agent in ("100", "abc", "291%2F..", "60000"):
        assert _error(server.get(f"/bridge/sessions/{agent}"), 422) == "invalid_agent_id"
        assert _error(server.put(f"/bridge/sessions/{agent}", json={"guid": "a"}), 422)
    assert _error(server.get("/bridge/sessions/777"), 404) == "not_found"


# Calls and deliveries


def _hand_off(server: ActionServer, sender_id: str, **changes: Any) -> dict[str, Any]:
    server.put(f"/bridge/assignments/{sender_id}", json=assignment(**changes))
    return slots(server.webhook(turn(sender_id)))


def test_a_call_with_history_card_and_owner(server: ActionServer) -> None:
    call_id = _call_id()
    found = _hand_off(server, "history", call_id=call_id)
    assert (found["handoff_state"], found["handoff_delivery"]) == ("handoff", "delivered")
    found = server.get(f"/bridge/calls/{call_id}").json()
    assert (found["owner"], found["state"]) == ("agent", "open")
    assert TIME.fullmatch(found["handed_off_at"])
    assert found["card"]["reason"]
    said = [item for item in found["history"] if item["from"] == "customer"]
    assert said[-1]["text"] == turn()["tracker"]["latest_message"]["text"]
    told = found["history"][-1]
    assert told["from"] == "agent"
    assert WELCOME in told["text"]
    assert told["origin"] == "handoff"
    assert TIME.fullmatch(told["at"])
    times = [item["at"] for item in found["history"]]
    assert times == sorted(times)

    listed = server.get("/bridge/deliveries", params={"call_id": call_id}).json()
    assert listed["next"] is None
    (delivery,) = listed["items"]
    assert delivery["id"] == told["delivery"]["id"]
    assert isinstance(delivery["id"], str)
    assert str(uuid.UUID(delivery["message_code"])) == delivery["message_code"]
    assert (delivery["agent_id"], delivery["call_id"]) == ("291", call_id)
    assert delivery["media_type"] == "TEXT"
    assert delivery["state"] == told["delivery"]["state"] == "delivered"
    assert delivery["attempts"] >= 1
    assert WELCOME in delivery["content"]
    assert TIME.fullmatch(delivery["created_at"])
    assert TIME.fullmatch(delivery["settled_at"])
    assert "error" not in delivery
    one = server.get(f"/bridge/deliveries/{delivery['id']}")
    assert one.json()["message_code"] == delivery["message_code"]


def test_lists_come_in_pages(server: ActionServer) -> None:
    for number in range(5):
        server.put(
            f"/bridge/assignments/page-{number}",
            json=assignment(agent_id="555", call_id=_call_id()),
        )
    seen: list[str] = []
    query: dict[str, Any] = {"agent_id": "555", "limit": 2}
    while True:
        page = server.get("/bridge/calls", params=query).json()
        assert len(page["items"]) <= 2
        seen += [item["sender_id"] for item in page["items"]]
        if page["next"] is None:
            break
        assert isinstance(page["next"], str)
        query["cursor"] = page["next"]
    assert seen == [f"page-{number}" for number in reversed(range(5))]

    server.delete("/bridge/assignments/page-0")
    open_ones = server.get("/bridge/calls", params={"agent_id": "555"}).json()["items"]
    assert len(open_ones) == 4
    every = server.get("/bridge/calls", params={"agent_id": "555", "ended": "true"}).json()
    assert len(every["items"]) == 5


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/bridge/calls", {"limit": "0"}),
        ("/bridge/calls", {"limit": "-1"}),
        ("/bridge/calls", {"limit": "many"}),
        ("/bridge/calls", {"limit": "9" * 5000}),
        ("/bridge/calls", {"cursor": "nan"}),
        ("/bridge/calls", {"cursor": "x"}),
        ("/bridge/deliveries", {"cursor": "inf"}),
        ("/bridge/deliveries", {"cursor": "1e300"}),
        ("/bridge/deliveries", {"state": "lost"}),
        ("/bridge/deliveries", {"state": "failed,lost"}),
        ("/bridge/deliveries", {"limit": ""}),
        ("/bridge/calls", {"ended": "yes"}),
        ("/bridge/calls", {"cursor": "1~a b"}),
        ("/bridge/report", {"group": "agent"}),
        ("/bridge/report", {"from": "20261101"}),
        ("/bridge/report", {"from": "2026-02-30"}),
        ("/bridge/report", {"from": "2026-11-02", "to": "2026-11-01"}),
    ],
)
def test_a_query_that_cannot_be_is_refused(
    server: ActionServer, path: str, query: dict[str, str]
) -> None:
    assert _error(server.get(path, params=query), 400) == "bad_request"


def test_deliveries_by_state(server: ActionServer) -> None:
    """Agent 299 is a pushed one whose desktop gave no GUID."""
    call_id = _call_id()
    found = _hand_off(server, "states", call_id=call_id, agent_id="299")
    assert found["handoff_error"] == "agent_signed_out"
    assert found["handoff_state"] == "bot"
    query = {"call_id": call_id, "state": "waiting,sending,delivered"}
    assert server.get("/bridge/deliveries", params=query).json()["items"] == []
    query = {"call_id": call_id, "state": "failed"}
    (failed,) = server.get("/bridge/deliveries", params=query).json()["items"]
    assert failed["error"].keys() == {"code", "message"}
    assert TIME.fullmatch(failed["settled_at"])


def test_what_is_not_there(server: ActionServer) -> None:
    for path in ("/bridge/calls/nothing", "/bridge/deliveries/999999"):
        assert _error(server.get(path), 404) == "not_found"
    for number in ("x", "-1", "1.5", "9" * 30, "%C2%B2"):
        assert _error(server.get(f"/bridge/deliveries/{number}"), 404) == "not_found"

"""Whatever comes in through Rasa's webhook or the API, no answer is a 500, and lists go on."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import poison
from tests.web.serving import ActionServer, turn
from tests.web.talking import Talk

SENT = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
LISTS = ("calls", "deliveries", "suggestions")
PLACES = (
    ("tracker", "slots", "poison"),
    ("tracker", "latest_message", "metadata"),
    ("tracker", "latest_message", "text"),
    ("tracker", "latest_message", "intent", "name"),
    ("tracker", "latest_message", "intent", "confidence"),
    ("tracker", "latest_message", "message_id"),
    ("tracker", "latest_input_channel"),
    ("tracker", "events", 0, "timestamp"),
    ("tracker", "events", 0, "text"),
    ("tracker", "sender_id"),
    ("sender_id",),
    ("next_action",),
    ("version",),
)
PATHS = (
    ("GET", "/bridge/calls/{}"),
    ("POST", "/bridge/calls/{}/handback"),
    ("POST", "/bridge/calls/{}/answer"),
    ("POST", "/bridge/calls/{}/release"),
    ("GET", "/bridge/deliveries/{}"),
    ("POST", "/bridge/deliveries/{}/retry"),
    ("GET", "/bridge/suggestions/{}"),
    ("POST", "/bridge/suggestions/{}/reject"),
    ("GET", "/bridge/sessions/{}"),
    ("DELETE", "/bridge/assignments/{}"),
    ("DELETE", "/bridge/tokens/{}"),
)
BODIES = (
    ("PUT", "/bridge/assignments/poison", ("agent_id", "call_id", "user_id", "agent_nickname")),
    ("PUT", "/bridge/sessions/298", ("guid",)),
    ("PUT", "/bridge/assist", ("mode",)),
    ("POST", "/bridge/tokens", ("agent_id", "supervisor", "ttl")),
)


def lists_go_on(server: ActionServer) -> None:
    for name in LISTS:
        ended = {"ended": "true"} if name == "calls" else {}
        answer = server.get(f"/bridge/{name}", params={"limit": "200", **ended})
        assert answer.status_code == 200, answer.text


def put_at(body: Any, place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        body = body[key] if isinstance(key, int) else body.setdefault(key, {})
    body[place[-1]] = value


@pytest.mark.timeout(120)
def test_the_webhook(talk: Talk) -> None:
    server = talk.server

    @SENT
    @given(st.sampled_from(PLACES), poison.values, st.sampled_from([poison.written, poison.raw]))
    def send(place: tuple[Any, ...], value: Any, write: Any) -> None:
        body = turn(talk.sender_id)
        body["tracker"]["latest_message"]["message_id"] = uuid.uuid4().hex
        put_at(body, place, value)
        assert server.webhook(write(body)).status_code in (200, 400, 404)

    send()
    lists_go_on(server)
    assert server.get(talk.call).status_code == 200
    assert "Traceback" not in server.log()


@pytest.mark.timeout(120)
def test_a_card_with_times_and_numbers_that_are_none_is_shown(talk: Talk) -> None:
    for value in ("1e300", "1e999", "-1e300", "NaN", "1" + "0" * 400):
        body = turn(talk.sender_id)
        body["tracker"]["latest_message"]["message_id"] = uuid.uuid4().hex
        body["tracker"]["events"][0]["timestamp"] = "VALUE"
        body["tracker"]["slots"]["poison"] = "VALUE"
        written = json.dumps(body).replace('"VALUE"', value)
        assert talk.server.webhook(written.encode()).status_code == 200
        assert talk.server.get(talk.call).status_code == 200
    lists_go_on(talk.server)


@pytest.mark.timeout(120)
def test_addresses(server: ActionServer) -> None:
    @SENT
    @given(st.sampled_from(PATHS), st.binary(min_size=1, max_size=8) | poison.texts.map(_bytes))
    def ask(route: tuple[str, str], name: bytes) -> None:
        method, path = route
        answer = server.ask(method, path.format(quote(name or b"x", safe="")))
        assert answer.status_code < 500, answer.text

    ask()


@pytest.mark.timeout(120)
def test_queries(server: ActionServer) -> None:
    keys = ("call_id", "agent_id", "state", "cursor", "limit", "ended", "supervisor")

    @SENT
    @given(
        st.sampled_from(LISTS),
        st.sampled_from(keys),
        st.binary(max_size=6) | poison.texts.map(_bytes),
    )
    def ask(name: str, key: str, value: bytes) -> None:
        answer = server.get(f"/bridge/{name}?{key}={quote(value, safe='')}")
        assert answer.status_code in (200, 400, 404, 422), answer.text

    ask()


@pytest.mark.timeout(120)
def test_bodies(talk: Talk) -> None:
    server = talk.server
    reply = ("POST", f"{talk.call}/replies", ("text", "client_id"))

    @SENT
    @given(
        st.sampled_from([*BODIES, reply]).flatmap(
            lambda route: st.tuples(
                st.just(route[:2]),
                st.fixed_dictionaries({}, optional=dict.fromkeys(route[2], poison.values)),
            )
        ),
        st.sampled_from([poison.written, poison.raw]),
    )
    def ask(asked: tuple[tuple[str, str], Any], write: Any) -> None:
        (method, path), body = asked
        answer = server.ask(method, path, data=write(body))
        assert answer.status_code < 500, answer.text

    ask()
    server.put("/bridge/assist", json={"mode": None})
    lists_go_on(server)


@pytest.mark.parametrize(
    "accept",
    ["\x80", "application/openmetrics-text;version=\xff", "text/plain;version=x.y", "x" * 4000],
)
def test_headers(server: ActionServer, accept: str) -> None:
    assert server.get("/bridge/metrics", headers={"Accept": accept}).status_code == 200
    token = "\udced\udca0".encode("utf-8", "surrogateescape").decode("latin-1")
    assert server.get("/bridge/calls", token=token).status_code == 401


def _bytes(text: str) -> bytes:
    return text[:200].encode("utf-8", "surrogatepass")

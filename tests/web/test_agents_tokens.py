"""People's own tokens: what each reaches, and when it is no longer good."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest

from bridge import access_tokens
from bridge.access_tokens import LONGEST, Role
from bridge.web.auth import Access
from tests.simulator.harness import Simulator
from tests.web.routes import PUBLIC, PUSHED, ROUTES, address_template
from tests.web.serving import INBOX_SECRET, ActionServer, assignment, error, without
from tests.web.talking import Talk

Make = Callable[..., str]
SYSTEMS = ("/bridge/tokens", "/bridge/assignments/")  # whatever the method
LINE = "A request was refused"


@pytest.fixture
def make(server: ActionServer) -> Make:
    """Makes a token by the API."""

    def made(**body: Any) -> str:
        answer = server.post("/bridge/tokens", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    return made


@pytest.fixture
def anna(make: Make) -> str:
    return make(agent_id="291")


@pytest.fixture
def ben(make: Make) -> str:
    return make(agent_id="292")


@pytest.fixture
def boss(make: Make) -> str:
    return make(supervisor="boss")


@contextmanager
def one_line(server: ActionServer, code: str, by: str) -> Iterator[None]:
    """What is refused within is logged once, in our words."""
    before = server.log().count(LINE)
    yield
    lines = [line for line in server.log().splitlines() if LINE in line][before:]
    assert len(lines) == 1
    assert f"{LINE} code={code} path=/bridge/" in lines[0]
    assert f" by={by} worker=" in lines[0]


# Making


def test_a_token_and_what_revokes_it(server: ActionServer) -> None:
    found = server.post("/bridge/tokens", json={"agent_id": "291", "ttl": 600}).json()
    assert found.keys() == {"token", "token_id", "agent_id", "issued_at", "expires_at"}
    said = access_tokens.read(found["token"], secret=INBOX_SECRET, now=time.time())
    assert (said.role, said.subject, said.token_id) == (Role.AGENT, "291", found["token_id"])
    assert 599 <= said.expires_at - said.issued_at <= 600
    longest = server.post("/bridge/tokens", json={"supervisor": "boss"}).json()
    said = access_tokens.read(longest["token"], secret=INBOX_SECRET, now=time.time())
    assert (said.role, longest["supervisor"]) == (Role.SUPERVISOR, "boss")
    assert LONGEST - 1 <= said.expires_at - said.issued_at <= LONGEST
    assert found["token"] not in server.log()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_subject"),
        ({"agent_id": None}, "invalid_subject"),
        ({"agent_id": "291", "supervisor": "boss"}, "invalid_subject"),
        ({"agent_id": ["291"]}, "invalid_subject"),
        ({"agent_id": True}, "invalid_subject"),
        ({"agent_id": "100"}, "invalid_agent_id"),
        ({"agent_id": "291 "}, "invalid_agent_id"),
        ({"supervisor": ""}, "invalid_subject"),
        ({"supervisor": 0}, "invalid_subject"),
        ({"supervisor": "a\nb"}, "invalid_subject"),
        ({"supervisor": "x" * 49}, "invalid_subject"),
        ({"agent_id": "291", "ttl": 0}, "invalid_ttl"),
        ({"agent_id": "291", "ttl": LONGEST + 1}, "invalid_ttl"),
        ({"agent_id": "291", "ttl": "60"}, "invalid_ttl"),
        ({"agent_id": "291", "ttl": 1.5}, "invalid_ttl"),
        ({"agent_id": "291", "ttl": True}, "invalid_ttl"),
        ({"agent": "291"}, "invalid_field"),
    ],
)
def test_a_token_that_cannot_be(server: ActionServer, body: dict[str, Any], code: str) -> None:
    assert error(server.post("/bridge/tokens", json=body), 422) == code


def test_without_a_secret_there_are_no_tokens_of_people(probed: ActionServer, anna: str) -> None:
    answer = probed.post("/bridge/tokens", json={"agent_id": "291"})
    assert error(answer, 409) == "not_configured"
    assert "api.inbox_secret" in answer.json()["error"]["message"]
    assert error(probed.get("/bridge/calls", token=anna), 401) == "unauthorized"


# An agent


def test_an_agent_does_its_own_work_in_its_own_name(talk: Talk, anna: str) -> None:
    server = talk.server
    first, second = talk.asks("faq")
    address = "/bridge/suggestions/{}"
    assert server.get(address.format(first["id"]), token=anna).json() == first
    assert server.post(address.format(first["id"]) + "/displayed", token=anna).status_code == 200
    rejected = server.post(address.format(first["id"]) + "/reject", token=anna).json()
    assert rejected["settled_by"] == "291"
    accepted = server.post(address.format(second["id"]) + "/accept", token=anna).json()
    assert accepted["settled_by"] == "291"
    assert accepted["deliveries"][0]["approved_by"] == "291"
    body = {"text": "Anything else?", "client_id": "c-1"}
    sent = server.post(f"{talk.call}/replies", json=body, token=anna).json()["deliveries"][0]
    assert sent["approved_by"] == "291"
    assert talk.received(2) == ["In Berlin.", "Anything else?"]
    assert server.get(talk.call, token=anna).json()["owner"] == "agent"
    talk.settled(sent["id"])
    answer = server.post(f"/bridge/deliveries/{sent['id']}/retry", token=anna)
    assert error(answer, 409) == "settled"
    assert server.get("/bridge/assist", token=anna).json()["mode"] == "suggest"
    assert server.post(f"{talk.call}/handback", token=anna).json()["owner"] == "bot"


def test_an_agent_sees_only_its_own(talk: Talk, make: Make, anna: str) -> None:
    talk.asks()
    body = {"text": "Hello", "client_id": "c-1"}
    talk.server.post(f"{talk.call}/replies", json=body)
    other, carl = Talk.begin(talk.server, talk.gateway, agent_id="295"), make(agent_id="295")
    for path in ("/bridge/calls", "/bridge/suggestions", "/bridge/deliveries"):
        for query in ({}, {"agent_id": "291"}, {"agent_id": ""}, {"limit": "200"}):
            found = talk.server.get(path, params=query, token=anna).json()["items"]
            assert {item["agent_id"] for item in found} == {"291"}
        with one_line(talk.server, "forbidden", "agent:291"):
            answer = talk.server.get(path, params={"agent_id": "295"}, token=anna)
            assert error(answer, 403) == "forbidden"
    (own,) = talk.server.get("/bridge/calls", token=carl).json()["items"]
    assert own["call_id"] == other.call_id
    assert talk.server.get("/bridge/suggestions", token=carl).json()["items"] == []


def test_another_agents_is_404_and_logged_in_one_line(talk: Talk, ben: str) -> None:
    server = talk.server
    (found,) = talk.asks()
    body = {"text": "Hello", "client_id": "c-1"}
    (sent,) = server.post(f"{talk.call}/replies", json=body).json()["deliveries"]
    talk.settled(sent["id"])
    suggestion, delivery = f"/bridge/suggestions/{found['id']}", f"/bridge/deliveries/{sent['id']}"
    tried: list[tuple[str, str, Any]] = [
        ("GET", talk.call, None),
        ("POST", f"{talk.call}/replies", body),
        ("POST", f"{talk.call}/handback", None),
        ("POST", f"{talk.call}/answer", None),
        ("POST", f"{talk.call}/reject", None),
        ("POST", f"{talk.call}/release", None),
        ("POST", f"{talk.call}/transfer", {"agent_id": "292"}),
        ("GET", suggestion, None),
        ("GET", f"/bridge/suggestions?call_id={talk.call_id}", None),
        ("POST", f"{suggestion}/accept", None),
        ("POST", f"{suggestion}/reject", None),
        ("POST", f"{suggestion}/displayed", None),
        ("GET", delivery, None),
        ("POST", f"{delivery}/retry", None),
        ("POST", f"{delivery}/discard", None),
        ("PUT", "/bridge/sessions/291", {"guid": "ben-would-be-anna"}),
        ("GET", "/bridge/sessions/291", None),
        ("DELETE", "/bridge/sessions/291", None),
        ("GET", "/bridge/agents/291", None),
        ("PUT", "/bridge/agents/291/state", {"state": "busy"}),
        ("PUT", "/bridge/agents/291/chats", {"chats": 5}),
    ]
    for method, path, sent_body in tried:
        absent = path.replace(talk.call_id, "absent").replace(found["id"], "absent")
        absent = absent.replace(f"/{sent['id']}", "/999999999").replace("/291", "/296")
        unknown = server.ask(method, absent, json=sent_body, token=ben)
        with one_line(server, "forbidden", "agent:292"):
            answer = server.ask(method, path, json=sent_body, token=ben)
            assert error(answer, 404) == "not_found", path
            assert answer.json() == unknown.json(), "it says whether there is one"
    assert talk.suggestions(state="offered") == [found]
    assert len(talk.gateway.messages(call=talk.call_id)) == 1


def test_an_agents_desktop_hands_over_its_own_guid(server: ActionServer, make: Make) -> None:
    token = make(agent_id="293")
    pushed = server.put("/bridge/sessions/293", json={"guid": "of-293"}, token=token)
    assert pushed.status_code == 200
    assert server.get("/bridge/sessions/293", token=token).json()["state"] == "signed_in"


def test_after_a_reassignment_the_call_is_the_next_agents(talk: Talk, anna: str, ben: str) -> None:
    assert talk.server.get(talk.call, token=anna).status_code == 200
    talk.assign(agent_id="292")
    assert error(talk.server.get(talk.call, token=anna), 404) == "not_found"
    assert talk.server.get(talk.call, token=ben).status_code == 200


def test_what_is_the_systems_is_the_systems(server: ActionServer, anna: str) -> None:
    before = server.get("/bridge/assist").json()
    tried: list[tuple[str, str, Any]] = [
        ("PUT", "/bridge/assignments/anna", assignment(call_id=uuid.uuid4().hex)),
        ("DELETE", "/bridge/assignments/anna", None),
        ("PUT", "/bridge/assist", {"mode": "off"}),
        ("POST", "/bridge/tokens", {"agent_id": "291"}),
        ("DELETE", "/bridge/tokens/abc", None),
        ("DELETE", "/bridge/tokens?agent_id=292", None),
    ]
    for method, path, body in tried:
        with one_line(server, "forbidden", "agent:291"):
            assert error(server.ask(method, path, json=body, token=anna), 403) == "forbidden"
    assert server.get("/bridge/assist").json() == before


# A supervisor


def test_a_supervisor_reads_all(talk: Talk, boss: str) -> None:
    (found,) = talk.asks()
    server = talk.server
    for path in ("/bridge/calls", "/bridge/suggestions", "/bridge/deliveries", "/bridge/assist"):
        assert server.get(path, token=boss).status_code == 200
    assert server.get(talk.call, token=boss).json()["suggestions"] == [found]
    assert server.get(f"/bridge/suggestions/{found['id']}", token=boss).json() == found
    query = {"call_id": talk.call_id}
    assert server.get("/bridge/suggestions", params=query, token=boss).json()["items"] == [found]


@pytest.mark.parametrize(
    ("method", "path", "access"),
    [(route.method, address_template(route), route.access) for route in ROUTES],
)
def test_every_route_asks_who_it_is(
    talk: Talk, boss: str, anna: str, method: str, path: str, access: Access
) -> None:
    (found,) = talk.asks()
    names = {
        "call_id": talk.call_id,
        "suggestion_id": found["id"],
        "sender_id": talk.sender_id,
        "delivery_id": "1",
        "agent_id": "291",
        "token_id": "abc",
    }
    address = path.format(**names)
    if path == PUSHED:
        answer = talk.server.ask(method, address, json={"workNo": "291"}, token=None)
        assert error(answer, 401) == "unauthorized"
        return
    if path in PUBLIC:
        assert talk.server.ask(method, address, token=None).status_code == 200
        return
    assert error(talk.server.ask(method, address, token=None), 401) == "unauthorized"
    if method != "GET" and access is not Access.STAFF:
        with one_line(talk.server, "forbidden", "supervisor"):
            answer = talk.server.ask(method, address, json={}, token=boss)
            assert error(answer, 403) == "forbidden"
    if address.startswith(SYSTEMS):
        answer = talk.server.ask(method, address, json={}, token=anna)
        assert error(answer, 403) == "forbidden"
    assert talk.suggestions(state="offered") == [found]
    assert talk.server.get(talk.call).json()["state"] == "open"


# Tokens that are not good


def _signed(secret: str = INBOX_SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    now = time.time()
    claims = {"aud": "agent", "sub": "291", "jti": "0", "iat": now, "exp": now + 60, **changes}
    given = {key: value for key, value in claims.items() if value is not None}
    return jwt.encode(given, secret, algorithm)


def test_one_that_is_signed_as_it_should_be_is_good(server: ActionServer) -> None:
    assert server.get("/bridge/calls", token=_signed()).status_code == 200


NOT_GOOD: dict[str, Callable[[], str]] = {
    "signed with another secret": lambda: _signed("another-secret-of-thirty-two-bytes-0001"),
    "cut": lambda: _signed()[:-2],
    "expired": lambda: _signed(iat=time.time() - 120, exp=time.time() - 60),
    "good for too long": lambda: _signed(exp=time.time() + LONGEST + 3600),
    "of tomorrow": lambda: _signed(iat=time.time() + 3600, exp=time.time() + 7200),
    "an assignment": lambda: _signed(aud="assignment"),
    "of two kinds": lambda: _signed(aud=["agent", "supervisor"]),
    "of nobody": lambda: _signed(sub=""),
    "of everybody": lambda: _signed(sub="*"),
    "of an agent that cannot be": lambda: _signed(sub="1"),
    "of a name that could not be revoked": lambda: _signed(aud="supervisor", sub="x" * 49),
    "without an id": lambda: _signed(jti=None),
    "without an end": lambda: _signed(exp=None),
    "of another algorithm": lambda: _signed(algorithm="HS384"),
    "without a signature": lambda: "e30.e30.",
    "nonsense": lambda: "a.b.c",
    "padded": lambda: _signed() + "=",
    "good for longer than numbers go": lambda: _signed(exp=10**400),
    "a header that is no object": lambda: "W1tbW1tbW1tb.e30.AA",
    "a header that is nested deeply": lambda: "W1tb" * 1_500 + ".e30.AA",
}


@pytest.mark.parametrize("why", NOT_GOOD)
def test_one_that_is_not_good_is_401_in_one_line_without_detail(
    server: ActionServer, why: str
) -> None:
    token = NOT_GOOD[why]()
    with one_line(server, "unauthorized", "nobody"):
        answer = server.get("/bridge/calls", token=token)
    assert error(answer, 401) == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["message"] == "the access token is missing or invalid"
    assert token not in server.log()


def test_a_revoked_token_is_not_good_at_the_next_request(server: ActionServer) -> None:
    first, second = (
        server.post("/bridge/tokens", json={"agent_id": "291"}).json() for _ in range(2)
    )
    assert server.get("/bridge/calls", token=first["token"]).status_code == 200
    assert server.delete(f"/bridge/tokens/{first['token_id']}").status_code == 204
    with one_line(server, "unauthorized", "nobody"):
        assert error(server.get("/bridge/calls", token=first["token"]), 401) == "unauthorized"
    assert server.get("/bridge/calls", token=second["token"]).status_code == 200


def test_while_revocations_cannot_be_read_nobody_is_let_in(server: ActionServer, anna: str) -> None:
    with without(server, "revocations"):
        assert error(server.get("/bridge/calls", token=anna), 503) == "store_unavailable"
        assert server.get("/bridge/calls").status_code == 200
    assert server.get("/bridge/calls", token=anna).status_code == 200


@pytest.mark.parametrize("whose", [{"agent_id": "294"}, {"supervisor": "x" * 48}])
def test_all_of_one_are_revoked_and_those_made_after_are_good(
    server: ActionServer, make: Make, anna: str, whose: dict[str, str]
) -> None:
    former = [make(**whose) for _ in range(2)]
    assert server.delete("/bridge/tokens", params=whose).status_code == 204
    later = make(**whose)
    assert [server.get("/bridge/calls", token=token).status_code for token in former] == [401, 401]
    assert server.get("/bridge/calls", token=later).status_code == 200
    assert server.get("/bridge/calls", token=anna).status_code == 200


def test_a_revocation_of_all_reaches_tokens_of_a_machine_whose_clock_is_ahead(
    server: ActionServer, make: Make
) -> None:
    now = time.time()
    ahead = [_signed(sub="297", iat=int(now) + skew, exp=now + 600) for skew in (0, 5, 28)]
    assert [server.get("/bridge/calls", token=token).status_code for token in ahead] == [200] * 3
    assert server.delete("/bridge/tokens", params={"agent_id": "297"}).status_code == 204
    assert [server.get("/bridge/calls", token=token).status_code for token in ahead] == [401] * 3
    assert server.get("/bridge/calls", token=make(agent_id="297")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/bridge/tokens", 400, "invalid_subject"),
        ("/bridge/tokens?agent_id=291&supervisor=boss", 400, "invalid_subject"),
        ("/bridge/tokens?agent_id=29l", 422, "invalid_agent_id"),
        ("/bridge/tokens/a%2Fb", 422, "invalid_token_id"),
        ("/bridge/tokens/" + "a" * 65, 422, "invalid_token_id"),
    ],
)
def test_a_revocation_that_would_revoke_nothing(
    server: ActionServer, path: str, status: int, code: str
) -> None:
    assert error(server.delete(path), status) == code


def test_two_clicks_of_two_people_are_one_message(
    talk: Talk, gateway: Simulator, anna: str
) -> None:
    (found,) = talk.asks()
    address = f"/bridge/suggestions/{found['id']}/accept"
    assert talk.server.post(address, token=anna).json()["settled_by"] == "291"
    assert error(talk.server.post(address), 409) == "settled"
    assert len(gateway.wait_for(messages=1, call=talk.call_id)) == 1

"""What every route has in common: the query parameters that it knows."""

from __future__ import annotations

import pytest

from bridge.web.api.routes import Route
from tests.web.routes import (
    PUBLIC,
    PUSHED,
    RIGHTS,
    ROUTES,
    address,
    address_template,
    name,
    named_token,
)
from tests.web.serving import ActionServer, error

LISTS = {"cursor", "limit"}
KNOWN = {
    "GET /calls": {"agent_id", "ended", *LISTS},
    "GET /suggestions": {"call_id", "state", "agent_id", *LISTS},
    "GET /deliveries": {"call_id", "state", "agent_id", *LISTS},
    "GET /report": {"from", "to", "group"},
    "GET /stream": {"last_event_id"},
    "DELETE /tokens": {"agent_id", "supervisor"},
    "POST /events": {"service_token"},
}


def test_the_parameters_of_every_route() -> None:
    known = {name(route): {item.name for item in route.query} for route in ROUTES if route.query}
    assert known == KNOWN


@pytest.mark.parametrize("route", ROUTES, ids=name)
@pytest.mark.parametrize("query", ["colour=red", "colour=", "colour", "%63olour=red&limit=1"])
def test_a_parameter_that_no_route_knows_is_named(
    server: ActionServer, route: Route, query: str
) -> None:
    answer = server.ask(route.method, f"{address(route)}?{query}")
    assert error(answer, 400) == "unknown_parameter"
    message = answer.json()["error"]["message"]
    assert "colour" in message
    assert all(parameter.name in message for parameter in route.query)


def test_every_unknown_parameter_is_named(server: ActionServer) -> None:
    answer = server.get("/bridge/deliveries?call=1&limit=1&agent=291")
    message = answer.json()["error"]["message"]
    assert message.startswith("unknown query parameters: agent, call; known here: call_id, ")


def test_the_name_of_an_unknown_parameter_is_cut(server: ActionServer) -> None:
    many = "&".join(f"{at}{'x' * 500}=1" for at in range(12))
    answer = server.get(f"/bridge/calls?{many}")
    assert error(answer, 400) == "unknown_parameter"
    assert len(answer.text) < 1000


@pytest.mark.parametrize("route", [route for route in ROUTES if route.query], ids=name)
def test_a_parameter_that_is_given_twice_is_refused(server: ActionServer, route: Route) -> None:
    query = f"{route.query[0].name}=1&{route.query[0].name}=2"
    answer = server.ask(route.method, f"{address(route)}?{query}")
    assert error(answer, 400) == "bad_request"
    assert route.query[0].name in answer.json()["error"]["message"]


def test_who_may_not_use_a_route_is_told_so_before_its_parameters(server: ActionServer) -> None:
    assert error(server.get("/bridge/calls?colour=red", token=None), 401) == "unauthorized"


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "COLOUR")


@pytest.mark.parametrize("template", sorted({address_template(route) for route in ROUTES}))
def test_a_method_that_an_address_does_not_support(server: ActionServer, template: str) -> None:
    here = [route for route in ROUTES if address_template(route) == template]
    supported = {route.method for route in here}
    for method in set(METHODS) - supported:
        answer = server.ask(method, address(here[0]))
        assert answer.status_code == 405, method
        assert set(answer.headers["Allow"].split(", ")) == supported, method
        assert method == "HEAD" or error(answer, 405) == "method_not_allowed"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "GET"])
def test_an_address_at_which_there_is_nothing(server: ActionServer, method: str) -> None:
    assert error(server.ask(method, "/bridge/nothing"), 404) == "not_found"


NEEDS = {
    "PUT /assignments/<sender_id:str>": "assignments",
    "DELETE /assignments/<sender_id:str>": "assignments",
    "GET /calls": "messages",
    "GET /calls/<call_id:str>": "messages",
    "GET /suggestions": "suggestions",
    "GET /suggestions/<suggestion_id:str>": "suggestions",
    "GET /deliveries": "deliveries",
    "GET /deliveries/<delivery_id:str>": "deliveries",
    "POST /deliveries/<delivery_id:str>/retry": "deliveries",
    "POST /deliveries/<delivery_id:str>/discard": "deliveries",
    "GET /metrics": "metrics",
    "POST /tokens": "tokens",
    "DELETE /tokens": "tokens",
    "DELETE /tokens/<token_id:str>": "tokens",
    "PUT /sessions/<agent_id:str>": "sessions",
    "GET /sessions/<agent_id:str>": "sessions",
    "DELETE /sessions/<agent_id:str>": "sessions",
    "GET /agents/<agent_id:str>": "sessions",
    "PUT /agents/<agent_id:str>/state": "sessions",
    "PUT /agents/<agent_id:str>/chats": "sessions",
    "GET /stream": "stream",
    "GET /report": "report",
    "POST /suggestions": "suggestions",
    "POST /calls/<call_id:str>/messages": "messages",
    "POST /calls/<call_id:str>/typing": "messages",
}


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_a_named_token_uses_only_the_routes_of_its_right(
    server: ActionServer, route: Route
) -> None:
    if address(route) in {*PUBLIC, PUSHED}:
        return
    for right in RIGHTS:
        token = named_token(right)
        # The event stream does not end by itself.
        with server.ask(route.method, address(route), json={}, token=token, stream=True) as answer:
            forbidden = answer.status_code == 403 and answer.json()["error"]["code"] == "forbidden"
            assert forbidden is (right != NEEDS.get(name(route))), right
    assert "the-token-of-a-system" not in server.log()

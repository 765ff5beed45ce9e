"""Who may ask the action server to run an action."""

from __future__ import annotations

import socket

import pytest

from bridge.web.admission import FOREIGN_HEADERS
from tests.web.conftest import WEBHOOK_TOKEN
from tests.web.serving import ActionServer, slots, turn


def test_without_a_token_this_machine_may_ask(server: ActionServer) -> None:
    assert slots(server.webhook(turn()))["handoff_error"] == "no_assignment"
    assert (
        "rasa.webhook_token is not set: /webhook accepts requests from this machine only"
        in server.log()
    )


@pytest.mark.parametrize("header", FOREIGN_HEADERS)
def test_without_a_token_nobody_asks_through_this_machine(
    server: ActionServer, header: str
) -> None:
    refused = server.webhook(turn(), headers={header: "203.0.113.9"})
    assert refused.status_code == 403
    assert "rasa.webhook_token" in refused.json()["error"]


def test_a_token_is_asked_for_where_one_is_set(probed: ActionServer) -> None:
    assert probed.webhook(turn()).status_code == 401
    assert probed.webhook(turn(), token=WEBHOOK_TOKEN + "x").status_code == 401
    assert probed.webhook(turn(), params={"token": "wrong"}).status_code == 401
    refused = probed.webhook(turn(), token="")
    assert refused.status_code == 401
    assert refused.json() == {"error": "the token is missing or invalid", "action_name": ""}


def test_the_token_comes_in_the_query_or_as_a_bearer(probed: ActionServer) -> None:
    body = turn()
    assert probed.webhook(body, params={"token": WEBHOOK_TOKEN}).status_code == 200
    assert probed.webhook(body, token=WEBHOOK_TOKEN).status_code == 200
    assert probed.webhook(body, headers={"Authorization": f"bearer {WEBHOOK_TOKEN}"}).ok


def test_no_token_is_logged(probed: ActionServer) -> None:
    probed.webhook(turn(), params={"token": "a-guess-at-the-token"})
    probed.get("/bridge/calls", token="a-guess-at-the-token")
    log = probed.log()
    assert "A request was refused code=unauthorized path=/webhook" in log
    assert "a-guess-at-the-token" not in log
    assert WEBHOOK_TOKEN not in log


def test_who_may_not_ask_is_told_so_before_sending_the_body(probed: ActionServer) -> None:
    with socket.create_connection(("127.0.0.1", probed.port), timeout=10) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n{")
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_what_is_not_ascii_in_a_token_is_a_wrong_token(probed: ActionServer) -> None:
    assert probed.webhook(turn(), params={"token": "tokén\N{PARTY POPPER}"}).status_code == 401
    assert probed.webhook(turn(), headers={"Authorization": b"Bearer \xff\xfe"}).status_code == 401


def test_a_refused_request_of_rasas_names_the_setting(probed: ActionServer) -> None:
    before = len(probed.log())
    assert probed.webhook(turn()).status_code == 401
    (line,) = (
        each for each in probed.log()[before:].splitlines() if "A request was refused" in each
    )
    assert "code=unauthorized path=/webhook setting=rasa.webhook_token" in line


def test_a_body_that_is_too_large_is_logged_with_its_size_and_the_limit(
    server: ActionServer,
) -> None:
    body = b'"' + b"x" * (11 << 20) + b'"'
    before = len(server.log())
    assert server.webhook(body).status_code == 413
    assert server.put("/bridge/assist", data=b"x" * 70_000).status_code == 413
    said = server.log()[before:].splitlines()
    webhook, api = (each for each in said if "A body is too large" in each)
    assert f"path=/webhook bytes={len(body)} limit=10485760" in webhook
    assert "session_expiration_time" in webhook
    assert "path=/bridge/assist bytes=70000 limit=65536" in api

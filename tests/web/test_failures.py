"""Whatever fails, our own words are said, and nobody is quoted."""

from __future__ import annotations

import socket

import pytest

from tests.web.conftest import WEBHOOK_TOKEN
from tests.web.serving import ActionServer, turn


def test_an_address_of_ours_that_is_none(server: ActionServer) -> None:
    for method, path in (
        ("POST", "/bridge"),
        ("POST", "/bridge/"),
        ("POST", "/bridge/nothing"),
        ("GET", "/inbox/nothing"),
    ):
        answer = server.ask(method, path, json={"text": "the customer's words"})
        assert answer.status_code == 404, path
        assert answer.json() == {
            "error": {"code": "not_found", "message": "there is nothing at this address"}
        }


def test_an_address_of_nobody(server: ActionServer) -> None:
    answer = server.ask("POST", "/nothing", json={"text": "the customer's words"})
    assert answer.status_code == 404
    assert answer.json() == {"error": "there is nothing at this address"}


@pytest.mark.parametrize(
    "path", ["/webhook/", "//webhook", "/webhook//", "/%77ebhook", "/webhook?"]
)
def test_no_spelling_of_an_address_comes_past_the_guard(probed: ActionServer, path: str) -> None:
    assert _status(probed, "POST", path) in (401, 404)


@pytest.mark.parametrize("path", ["/bridge/calls/", "//bridge/calls", "/%62ridge/calls"])
def test_no_spelling_of_an_address_comes_past_the_tokens(probed: ActionServer, path: str) -> None:
    assert _status(probed, "GET", path) in (401, 404)


def _status(server: ActionServer, method: str, path: str) -> int:
    """Of a path that nothing normalises on its way."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return int(connection.recv(4096).split()[1])


def test_a_method_that_is_none(server: ActionServer) -> None:
    answer = server.ask("POST", "/bridge/calls", json={})
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert "GET" in answer.headers["Allow"]
    assert server.get("/webhook").status_code == 405


def test_an_action_of_somebody_else_that_raises(probed: ActionServer) -> None:
    body = turn(action="action_boom")
    body["tracker"]["latest_message"]["text"] = "my card number is 4111"
    answer = probed.webhook(body, token=WEBHOOK_TOKEN)
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "the request failed; the log says where",
        "action_name": "action_boom",
    }
    log = probed.log()
    assert "A request failed: ValueError in " in log
    assert "path=/webhook" in log
    assert "4111" not in log
    assert "Traceback" not in log


def test_an_action_that_is_none_is_the_sdks_answer(server: ActionServer) -> None:
    assert server.webhook(turn(action="action_of_nobody")).status_code == 404


@pytest.mark.parametrize("path", ["/bridge/assignments/anna", "/bridge/sessions/291"])
def test_a_body_over_64_kb_is_refused(server: ActionServer, path: str) -> None:
    answer = server.put(path, data=b'{"user_id": "' + b"x" * 70_000 + b'"}')
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


def test_a_request_that_is_not_http(server: ActionServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"nonsense?token=secret-in-nonsense\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert "secret-in-nonsense" not in server.log()


def test_a_broken_chunk(server: ActionServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"zz-no-size\r\n{}\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/bridge/health", "/bridge/calls", "/bridge/nothing"])
@pytest.mark.parametrize("origin", [None, "https://page.example"])
def test_no_other_site_may_read_what_is_ours(
    probed: ActionServer, path: str, origin: str | None
) -> None:
    headers = {"Origin": origin} if origin else {}
    allowed = "Access-Control-Allow-Origin"
    for method in ("GET", "OPTIONS", "POST"):
        assert allowed not in probed.ask(method, path, headers=headers).headers
    assert allowed in probed.get("/health", headers=headers).headers

"""The client against a real socket: what each fault of the gateway or the network comes to."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from bridge.config.settings import GatewaySettings
from bridge.errors import GatewayError, RetryableError, UnknownOutcomeError, UnreachableError
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.model import Guid
from tests.making import delivery
from tests.simulator.harness import Simulator

BREAKS = "guid.after-which-tls-breaks"


@pytest.fixture
def client(gateway: Simulator) -> Iterator[GatewayClient]:
    made = GatewayClient(GatewaySettings(url=gateway.url), connections=4)
    yield made
    made.close()


def send(client: GatewayClient, guid: str, *, timeout: float = 5.0) -> None:
    request = wire.send_message(delivery(), GatewaySettings(url="http://x"))
    client.call("291", request, guid=Guid(guid), timeout=timeout, read_timeout=timeout)


def test_a_message_is_what_the_page_asks_field_by_field(
    gateway: Simulator, client: GatewayClient
) -> None:
    guid = gateway.sign_in("291")
    send(client, guid)
    request = gateway.recorded(operation="send_message")[0]
    assert request["verdict"] == "accepted"
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert headers["guid"] == guid
    assert "cookie" not in headers
    assert gateway.messages()[0]["code"] == delivery().message_code


@pytest.mark.parametrize(
    ("kind", "script", "expected"),
    [
        ("status", {"status": 503}, RetryableError),
        ("status", {"status": 500}, UnknownOutcomeError),
        ("retcode", {"retcode": "105-002"}, RetryableError),
        ("drop_before", {}, UnknownOutcomeError),
        ("drop_after", {}, UnknownOutcomeError),
        ("garbage", {}, UnknownOutcomeError),
        ("empty", {}, UnknownOutcomeError),
        ("cut", {}, UnknownOutcomeError),
    ],
)
def test_faults(
    gateway: Simulator,
    client: GatewayClient,
    kind: str,
    script: dict[str, object],
    expected: type[GatewayError],
) -> None:
    guid = gateway.sign_in("291")
    gateway.fault(kind, path="*sendmessage", **script)
    with pytest.raises(expected):
        send(client, guid)
    send(client, guid)  # and the client is as good as before


@pytest.mark.parametrize("kind", ["hang", "dribble"])
def test_an_attempt_has_a_total_deadline(
    gateway: Simulator, client: GatewayClient, kind: str
) -> None:
    guid = gateway.sign_in("291")
    gateway.fault(kind, path="*sendmessage", seconds=30)
    begun = time.monotonic()
    with pytest.raises(UnknownOutcomeError):
        send(client, guid, timeout=0.6)
    assert time.monotonic() - begun < 3


def test_headers_that_dribble_in_do_not_outlast_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def dribble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        client = GatewayClient(GatewaySettings(url=url), connections=1)
        begun = time.monotonic()
        with pytest.raises(UnknownOutcomeError):
            send(client, "guid.AgentGateway0", timeout=0.5)
        assert time.monotonic() - begun < 3
        stop.set()
        thread.join(5)
        client.close()


def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    client = GatewayClient(GatewaySettings(url=url), connections=1)
    with pytest.raises(UnreachableError):
        send(client, "guid.AgentGateway0")
    client.close()


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    client = GatewayClient(GatewaySettings(url="http://gateway.invalid:8043"), connections=1)
    with pytest.raises(UnreachableError):
        send(client, "guid.AgentGateway0")
    client.close()


def test_a_peer_that_speaks_no_tls_was_sent_nothing(gateway: Simulator) -> None:
    url = gateway.url.replace("http://", "https://")
    chosen = GatewaySettings(url=url, connect_timeout=0.3)
    client = GatewayClient(chosen, connections=1)
    with pytest.raises(UnreachableError):
        send(client, "guid.AgentGateway0")
    assert gateway.recorded() == []
    client.close()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A gateway with a certificate of the site's own CA: its URL, and the CA's file."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Guid"] == BREAKS:
                os.write(self.connection.fileno(), b"no TLS record at all, past the TLS layer")
                return
            body = b'{"message":"","retcode":"0"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Answer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://localhost:{server.server_port}", ca_file
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_of_the_sites_own_needs_its_ca(secure: tuple[str, Path]) -> None:
    url, ca_file = secure
    stranger = GatewayClient(GatewaySettings(url=url), connections=1)
    with pytest.raises(UnreachableError, match=r"gateway\.ca_file"):
        send(stranger, "guid.AgentGateway0")
    stranger.close()
    friend = GatewayClient(GatewaySettings(url=url, ca_file=str(ca_file)), connections=1)
    send(friend, "guid.AgentGateway0")
    friend.close()


def test_tls_that_breaks_after_the_request_leaves_its_fate_unknown(
    secure: tuple[str, Path],
) -> None:
    url, ca_file = secure
    client = GatewayClient(GatewaySettings(url=url, ca_file=str(ca_file)), connections=1)
    with pytest.raises(UnknownOutcomeError):
        send(client, BREAKS)
    client.close()


def test_redirects_are_not_followed(gateway: Simulator, client: GatewayClient) -> None:
    guid = gateway.sign_in("291")
    headers = {"Location": f"{gateway.url}/elsewhere"}
    gateway.fault("status", path="*sendmessage", status=302, headers=headers)
    with pytest.raises(GatewayError, match="HTTP 302"):
        send(client, guid)
    assert [item["path"] for item in gateway.recorded(path="*elsewhere*")] == []


def test_each_agent_keeps_its_own_load_balancer_cookie(
    gateway: Simulator, client: GatewayClient
) -> None:
    gateway.settings(cookie="required")
    agent = {"password": "p", "phonenum": "1"}

    def sign_in(agent_id: str) -> Guid:
        body = wire._dump(agent).encode()
        request = wire.GatewayRequest("PUT", f"/onlineagent/{agent_id}", body)
        guid = client.call(agent_id, request, timeout=5).guid
        assert guid is not None
        return guid

    first, second = sign_in("291"), sign_in("292")
    for agent_id, guid in (("291", first), ("292", second)):
        client.call(agent_id, wire.poll(agent_id), guid=guid, timeout=5)
    polls = gateway.recorded(operation="poll", verdict="accepted")
    cookies = {
        item["agent"]: {k.lower(): v for k, v in item["headers"].items()}.get("cookie")
        for item in polls
    }
    assert cookies["291"]
    assert cookies["292"]


def test_cookies_of_an_agent_are_bounded(gateway: Simulator, client: GatewayClient) -> None:
    guid = Guid(gateway.sign_in("291"))
    for number in range(50):
        value = f"c{number}=v; Path=/" if number % 2 else f"c{number}={'x' * 5000}; Path=/"
        gateway.fault("retcode", path="*agentevent*", retcode="0", headers={"Set-Cookie": value})
        client.call("291", wire.poll("291"), guid=guid, timeout=5)
    cookies = client.cookies("291", wire.poll("291")) or ""
    names = [part.partition("=")[0] for part in cookies.split("; ")]
    assert 0 < len(names) <= 32
    assert "c49" in names
    assert len(cookies) < 1000

"""The gateway is reached, or it is said why not; the account and the size limit are tried."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge.config.media import MediaSettings
from bridge.config.settings import BridgeSettings, HandoffSettings, Settings
from bridge.doctor import gateway as examined_gateway
from bridge.doctor.diagnosis import Diagnosis, Severity
from bridge.doctor.examination import Requested, examine
from bridge.doctor.probing import ProbedCall
from bridge.errors import BridgeError
from bridge.gateway.client import GatewayClient
from bridge.model import Channel, Guid
from bridge.state.records import SessionState
from bridge.store import Store
from tests.gateway.rig import settings as configured
from tests.simulator.harness import Simulator
from tests.store.machine import keep, signed_in

CALL = ProbedCall("291", "test-call", "40001", Channel.WEB)


def reached(settings: BridgeSettings) -> list[Diagnosis]:
    client = GatewayClient(settings.gateway, connections=1)
    try:
        return list(examined_gateway.examine(client, settings.gateway))
    finally:
        client.close()


class _PlainHttp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1 << 16)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_port_without_tls_is_named() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _PlainHttp) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (found,) = reached(configured(f"https://127.0.0.1:{server.server_address[1]}"))
        server.shutdown()
        thread.join()
    assert (found.key, found.severity) == ("gateway.url", Severity.ERROR)
    assert "no TLS at this port" in found.found


def test_a_gateway_that_answers_is_in_order_and_records_nothing(gateway: Simulator) -> None:
    before = len(gateway.messages())
    found = reached(configured(gateway.url))
    assert {each.severity for each in found} == {Severity.OK}
    assert len(gateway.messages()) == before
    assert gateway.recorded(operation="sign_in") == []


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:{port}", "is refused"), ("https://nowhere.invalid:8043", "resolved")],
)
def test_it_is_said_why_there_is_no_connection(url: str, said: str) -> None:
    *_, found = reached(configured(url.format(port=free_port())))
    assert (found.severity, found.key) == (Severity.ERROR, "gateway.url")
    assert said in found.found
    assert found.hint


def test_no_answer_is_said_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        (found,) = reached(configured(url, gateway={"connect_timeout": 0.2, "read_timeout": 0.2}))
    assert found.severity is Severity.ERROR
    assert "in time" in found.found


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_url(authority: trustme.CA) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_of_the_sites_own_ca(
    tls_url: str, authority: trustme.CA, tmp_path: Path
) -> None:
    (found,) = reached(configured(tls_url))
    assert (found.severity, found.key) == (Severity.ERROR, "gateway.ca_file")
    assert "name the site's own CA" in found.hint
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    first, *_ = reached(configured(tls_url, gateway={"ca_file": str(file)}))
    assert (first.severity, first.found) == (Severity.OK, "reached, HTTP 404, TLS accepted")


@pytest.mark.parametrize(
    ("ahead", "severity", "said"),
    [
        (0, Severity.OK, "agree"),
        (3, Severity.OK, "agree"),
        (-3, Severity.OK, "agree"),
        (60, Severity.WARNING, "60 s ahead of"),
        (-7200, Severity.WARNING, "7,200 s behind"),
    ],
)
def test_a_clock_that_is_wrong(ahead: float, severity: Severity, said: str) -> None:
    now = 1_767_225_600.5
    header = formatdate(now - ahead, usegmt=True)
    (found,) = examined_gateway.clock("gateway.clock", header, now, now)
    assert found.severity is severity
    assert said in found.found


@pytest.mark.parametrize("header", [None, "yesterday", ""])
def test_a_response_without_a_time_says_nothing(header: str | None) -> None:
    assert list(examined_gateway.clock("gateway.clock", header, 1.0, 1.0)) == []


# -- an agent's account, and the probe -------------------------------------------------------------


def settings(url: str, storage: str, **changes: Any) -> Settings:
    bridge = configured(url, storage={"url": storage}, **changes)
    return Settings(bridge=bridge, designer=HandoffSettings(), media=MediaSettings())


def run(chosen: Settings, folder: Path, **requested: Any) -> dict[str, Diagnosis]:
    """Results by key, the last of each."""
    asked = Requested("http://127.0.0.1:9", folder, **requested)
    return {each.key: each for each in examine(chosen, asked)}


def test_an_agent_is_signed_in_and_out_again(
    gateway: Simulator, sqlite_url: str, tmp_path: Path
) -> None:
    found = run(settings(gateway.url, sqlite_url), tmp_path, sign_in="291")
    assert found["agents.291"].found == "signed out again"
    operations = [each["operation"] for each in gateway.recorded() if each.get("operation")]
    assert operations[-2:] == ["sign_in", "sign_out"]
    assert not list(tmp_path.glob("bridge.db*"))


def test_an_account_that_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    with Simulator("--agent", "291:another-password") as strict:
        found = run(settings(strict.url, sqlite_url), tmp_path, sign_in="291")
    assert (found["agents.291"].severity, "100-004" in found["agents.291"].found) == (
        Severity.ERROR,
        True,
    )
    assert "secret-password" not in str(found)


def test_an_agent_at_a_desktop_is_not_thrown_out(
    gateway: Simulator, sqlite_url: str, tmp_path: Path
) -> None:
    guid = gateway.sign_in("291", password="secret-password", phonenum="40038")
    found = run(settings(gateway.url, sqlite_url), tmp_path, sign_in="291")
    assert "100-002" in found["agents.291"].found
    assert gateway.agent("291")["session"]["guid"] == guid


@pytest.mark.parametrize(
    ("agent", "stored", "said"),
    [
        ("292", None, "a desktop owns the session"),
        ("7", None, "an agent ID is a number"),
        ("291", SessionState.SIGNED_IN, r"has a session \(signed_in\)"),
        ("291", SessionState.DOUBTED, r"has a session \(doubted\)"),
        ("291", SessionState.GONE, r"has a session \(gone\)"),
    ],
)
def test_a_sign_in_that_would_disturb_somebody_is_refused(
    gateway: Simulator,
    sqlite_url: str,
    tmp_path: Path,
    agent: str,
    stored: SessionState | None,
    said: str,
) -> None:
    if stored is not None:
        with closing(Store(sqlite_url)) as store:
            keep(store, sessions=[signed_in(agent, state=stored)])
    with pytest.raises(BridgeError, match=said):
        run(settings(gateway.url, sqlite_url), tmp_path, sign_in=agent)
    assert gateway.recorded() == []  # nothing was examined


@pytest.mark.parametrize("counts", ["content", "data"])
@pytest.mark.parametrize("chosen", ["content", "data"])
@pytest.mark.parametrize("encryption", ["platform", "business"])
def test_one_message_decides_what_the_size_limit_counts(
    sqlite_url: str, tmp_path: Path, counts: str, chosen: str, encryption: str
) -> None:
    options = ("--limit-counts", counts, "--encryption", encryption)
    with Simulator(*options) as simulated:
        change = {"limit_counts": chosen, "encryption": encryption}
        given = settings(simulated.url, sqlite_url, gateway=change)
        found = run(given, tmp_path, sign_in="291", probe=CALL)
        (message,) = simulated.messages()
    assert message["call_id" if "call_id" in message else "call"] == "test-call"
    assert found["sendmessage"].severity is Severity.OK
    limit = found["gateway.limit_counts"]
    assert limit.severity is (Severity.OK if counts == chosen else Severity.WARNING)
    assert limit.hint == ("" if counts == chosen else f"set gateway.limit_counts: {counts}")
    assert found["agents.291"].found == "signed out again"


def test_a_private_deployment_gets_plain_text(sqlite_url: str, tmp_path: Path) -> None:
    with Simulator("--deployment", "private") as private:
        given = settings(private.url, sqlite_url, gateway={"deployment": "private"})
        found = run(given, tmp_path, sign_in="291", probe=CALL)
        assert len(private.messages()) == 1
    assert found["sendmessage"].found == "delivered as plain text"


def test_the_guid_of_a_desktop_is_used(gateway: Simulator, sqlite_url: str, tmp_path: Path) -> None:
    guid = gateway.sign_in("292")
    with closing(Store(sqlite_url)) as store:
        keep(store, sessions=[signed_in("292", guid=Guid(guid))])
    call = ProbedCall("292", "test-call", "40001", Channel.WEB)
    found = run(settings(gateway.url, sqlite_url), tmp_path, probe=call)
    assert found["sendmessage"].severity is Severity.OK
    gateway.wait_for(messages=1)


def test_a_probe_without_a_session_is_not_tried(
    gateway: Simulator, sqlite_url: str, tmp_path: Path
) -> None:
    found = run(settings(gateway.url, sqlite_url), tmp_path, probe=CALL)
    assert "has no session" in found["sendmessage"].found
    assert gateway.messages() == []


def test_a_guid_that_is_gone_is_named(gateway: Simulator, sqlite_url: str, tmp_path: Path) -> None:
    with closing(Store(sqlite_url)) as store:
        keep(store, sessions=[signed_in("291", guid=Guid("gone.AgentGateway0"))])
    found = run(settings(gateway.url, sqlite_url), tmp_path, probe=CALL)
    assert "the GUID is refused" in found["sendmessage"].found
    assert "gone.AgentGateway0" not in str(found)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (ProbedCall("7", "c", "u", Channel.WEB), "--agent"),
        (ProbedCall("291", "a/b", "u", Channel.WEB), "--call"),
        (ProbedCall("291", "c", "u", Channel.SMS), "channel_config_ids in bridge.yml has no SMS"),
    ],
)
def test_a_call_that_cannot_be_is_refused(
    gateway: Simulator, sqlite_url: str, tmp_path: Path, call: ProbedCall, said: str
) -> None:
    with pytest.raises(BridgeError, match=said):
        run(settings(gateway.url, sqlite_url), tmp_path, probe=call)
    assert gateway.recorded() == []

"""The command: its line, its options, its end; and what the package may import."""

from __future__ import annotations

import ast
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.simulator.command import gateway as command
from tests.simulator.harness import Simulator

PACKAGE = Path(__file__).parents[2] / "bridge" / "simulator"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bridge.simulator", *options],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_it_sets_the_site_up_and_ends_cleanly_on_sigterm() -> None:
    options = ("--deployment", "private", "--auth-mode", "static", "--agent", "291:secret")
    with Simulator(*options, "--encryption", "business", "--strict") as gateway:
        settings = gateway.state()["settings"]
        assert (settings["deployment"], settings["auth_mode"]) == ("private", "static")
        assert (settings["agents"], settings["strict"]) == ({"291": "secret"}, True)
        assert gateway.stop() == 0
        assert gateway.complaints() == ""


def test_it_ends_while_a_poll_waits_and_comes_back_on_its_port() -> None:
    with Simulator("--poll-seconds", "60") as gateway:
        guid = gateway.sign_in("291", status="3")
        gateway.poll("291", guid)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as reader:
            head = f"GET /agentgateway/resource/agentevent/291 HTTP/1.1\r\nGuid: {guid}\r\n\r\n"
            reader.sendall(head.encode())
            gateway.wait_for(requests=1, operation="poll", verdict="pending")
            assert gateway._end(signal.SIGINT) == 0
            assert gateway.complaints() == ""
        port = gateway.port
        gateway.start()
        assert gateway.port == port
        assert gateway.recorded() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--deployment", "moon"), "public_cloud"),
        (("--agent", "291"), "ID:PASSWORD"),
        (("--poll-seconds", "-1"), "poll_seconds"),
    ],
)
def test_a_wrong_option_is_told(options: tuple[str, ...], said: str) -> None:
    ended = run("--port", "0", *options)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "cannot listen on 127.0.0.1" in ended.stderr


def test_it_is_a_command_of_the_product() -> None:
    from bridge.cli.simulate import app  # noqa: PLC0415 - the command's own package

    assert app.registered_commands[0].callback is command


def test_it_shares_nothing_with_the_client() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            strangers = [
                name
                for name in names
                if name.split(".")[0] == "bridge" and not name.startswith("bridge.simulator")
            ]
            assert strangers == [], path.name

"""The pages' requests work with a server that has the first bridge.yml of the deployers' page."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.harness import Simulator
from tests.web.serving import API_TOKEN, INBOX_SECRET, ActionServer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PASSWORD = "the-password-of-291"
WEBHOOK_TOKEN = "a-token-of-the-webhook-for-tests-0001"
BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURL = """curl() { command curl --noproxy '*' --fail-with-body --silent --show-error "$@"; }\n"""


def blocks(page: Path, section: str, language: str = "sh") -> list[str]:
    """Return the blocks of a section of a page, up to the next heading of its level."""
    text = page.read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    return [block for each, block in BLOCK.findall(text) if each == language]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Simulator]:
    with Simulator("--agent", f"291:{PASSWORD}") as running:
        yield running


@pytest.fixture(scope="module")
def server(gateway: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActionServer]:
    """A server with the first bridge.yml of the page."""
    (first,) = blocks(DOCS / "deployer.md", "Start", "yaml")
    environ = {
        "BRIDGE_API_TOKEN": API_TOKEN,
        "BRIDGE_INBOX_SECRET": INBOX_SECRET,
        "BRIDGE_WEBHOOK_TOKEN": WEBHOOK_TOKEN,
        "BRIDGE_ASSIGNMENT_SECRET": "a-secret-of-assignments-for-tests-only-0001",
        "AGENT_291_PASSWORD": PASSWORD,
        "BRIDGE__GATEWAY__URL": gateway.url,
    }
    folder = tmp_path_factory.mktemp("server")
    with ActionServer(folder, text=first, environ=environ) as running:
        yield running


def run(block: str, server: ActionServer, gateway: Simulator) -> str:
    """Run a block with the addresses of this server and this gateway; return what it printed."""
    script = block.replace("http://localhost:5055", server.url)
    script = script.replace("http://127.0.0.1:8043", gateway.url)
    found = subprocess.run(
        ["sh", "-e", "-c", CURL + script],  # noqa: S607
        env={
            "PATH": os.environ["PATH"],
            "BRIDGE_API_TOKEN": API_TOKEN,
            "BRIDGE_WEBHOOK_TOKEN": WEBHOOK_TOKEN,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_a_message_arrives_without_rasa(server: ActionServer, gateway: Simulator) -> None:
    *_, requests = blocks(DOCS / "deployer.md", "Try it without a gateway")
    shown = run(requests, server, gateway)
    assert '"Hello, this is Anna."' in shown
    assert '"senderNickname": "Anna"' in shown


def test_the_assignment_of_the_readme(server: ActionServer, gateway: Simulator) -> None:
    block = "".join(blocks(ROOT / "README.md", "Into your bot"))
    (put,) = re.findall(r"curl -X PUT .*?'\n", block, re.DOTALL)
    assert '"sender_id":"maria"' in run(put, server, gateway)


@pytest.mark.parametrize(
    ("page", "section", "number"),
    [
        ("assignments.md", "Over HTTP", 0),
        ("sessions-and-readers.md", "Agents' sessions at the gateway", 0),
        ("sessions-and-readers.md", "Agents' sessions at the gateway", 1),
    ],
)
def test_the_requests_are_accepted(
    server: ActionServer, gateway: Simulator, page: str, section: str, number: int
) -> None:
    assert run(blocks(DOCS / page, section)[number], server, gateway)

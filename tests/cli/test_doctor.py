"""``cc-bridge doctor`` as an operator runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.store import Store
from tests.cli.running import Ran, at_terminal, configure, piped, within
from tests.doctor.answering import DOMAIN, OURS, answering
from tests.simulator.harness import Simulator

KEYS = {"file", "line", "column", "key", "found", "allowed", "hint", "severity"}
PAGE = Path(__file__).parents[2] / "docs" / "deployer.md"
AGENT = {"session": "sign_in", "password": "secret-password", "phone": "40038"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def other_url() -> Iterator[str]:
    """Rasa and the action server at one address; both in order."""
    with answering({**OURS, "/domain": (200, DOMAIN)}) as url:
        yield url


def installation(folder: Path, running: Simulator, other_url: str, **more: Any) -> Path:
    storage = f"sqlite:///{folder / 'bridge.db'}"
    Store(storage).close()
    settings: dict[str, Any] = {
        "gateway": {"url": running.url},
        "agents": {"291": AGENT, "*": {"session": "pushed"}},
        "channel_config_ids": {"WEB": "1"},
        "rasa": {"url": other_url},
        **more,
    }
    return configure(folder, storage, **settings)


def findings(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    assert all(set(each) == KEYS for each in found)
    return found


def test_an_installation_in_order(tmp_path: Path, gateway: Simulator, other_url: str) -> None:
    folder = installation(tmp_path, gateway, other_url)
    ran = piped(folder, "doctor", "--server", other_url)
    assert (ran.code, ran.err) == (0, "")
    assert all(line.startswith("ok  ") for line in ran.out.splitlines())
    assert findings(within(folder, "doctor", "--server", other_url, "--json")) == []


def test_faults_are_printed_with_their_cures(
    tmp_path: Path, gateway: Simulator, other_url: str
) -> None:
    folder = installation(
        tmp_path, gateway, other_url, gateway={"url": "http://127.0.0.1:9"}, rasa={}
    )
    ran = within(folder, "doctor", "--server", "http://127.0.0.1:9", "--json")
    assert ran.code == 1
    found = {each["key"]: each for each in findings(ran)}
    assert {key: each["severity"] for key, each in found.items()} == {
        "gateway.url": "error",
        "rasa.url": "warning",
        "actions": "warning",
    }
    place = found["gateway.url"]
    line = (folder / place["file"]).read_text(encoding="utf-8").splitlines()[place["line"] - 1]
    assert line[place["column"] - 1 :].startswith('"http://127.0.0.1:9"')
    shown = at_terminal(folder, "doctor", "--server", "http://127.0.0.1:9")
    assert shown.code == 1
    assert "error    gateway.url: the connection is refused" in shown.out
    assert "cure     check the port, and that the gateway runs" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())


def test_rasas_files_beside_the_server_are_examined(
    tmp_path: Path, gateway: Simulator, other_url: str
) -> None:
    folder = installation(tmp_path, gateway, other_url)
    endpoints = folder / "endpoints.yml"
    endpoints.write_text("action_endpoint:\n  url: http://bridge:5055/webhook\n", encoding="utf-8")
    ran = within(folder, "doctor", "--server", other_url)
    assert (ran.code, "endpoints.yml leads to an action server" in ran.out) == (0, True)
    with endpoints.open("a", encoding="utf-8") as file:
        file.write("  actions_module: actions\n")
    ran = within(folder, "doctor", "--server", other_url, "--json")
    (found,) = findings(ran)
    assert ran.code == 1
    assert (found["file"], found["line"], found["column"]) == ("endpoints.yml", 3, 3)
    assert found["key"] == "action_endpoint.actions_module"
    assert "never calls the bridge" in found["found"]
    assert "Remove actions_module" in found["hint"]


def test_warnings_count_only_if_they_are_to(
    tmp_path: Path, gateway: Simulator, other_url: str
) -> None:
    folder = installation(tmp_path, gateway, other_url, rasa={})
    arguments = ("doctor", "--server", other_url)
    assert within(folder, *arguments).code == 0
    assert within(folder, *arguments, "--strict").code == 1


def test_nothing_is_changed(tmp_path: Path, gateway: Simulator, other_url: str) -> None:
    folder = installation(tmp_path, gateway, other_url)
    file = folder / "bridge.db"
    before, recorded = file.read_bytes(), len(gateway.recorded())
    assert within(folder, "doctor", "--server", other_url).code == 0
    assert file.read_bytes() == before
    assert not [each for each in gateway.recorded()[recorded:] if each.get("operation")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sign-in", "292"), "a desktop owns the session"),
        (("--probe", "--agent", "291"), "--probe needs --agent, --call, --user and --channel"),
    ],
)
def test_what_could_disturb_somebody_is_refused(
    tmp_path: Path, gateway: Simulator, other_url: str, arguments: tuple[str, ...], said: str
) -> None:
    ran = within(installation(tmp_path, gateway, other_url), "doctor", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_configuration_that_is_wrong_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "bridge.yml").write_text("gateway: {ur: x}\n")
    ran = within(tmp_path, "doctor", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean" in ran.err


def test_the_conversation_of_the_option_is_examined(tmp_path: Path, gateway: Simulator) -> None:
    tracker = {"sender_id": "maria", "latest_message": {"metadata": {"page": "/"}}, "events": []}
    answers = {
        **OURS,
        "/domain": (200, DOMAIN),
        "/conversations/maria/tracker": (200, tracker),
    }
    with answering(answers) as url:
        folder = installation(tmp_path, gateway, url)
        ran = within(folder, "doctor", "--server", url, "--sender", "maria", "--json")
        assert ran.code == 1
        (found,) = findings(ran)
        assert found["key"] == "assignment.metadata"
        assert "the key `assignment` is missing" in found["found"]
        unknown = within(folder, "doctor", "--server", url, "--sender", "jon", "--json")
    (found,) = findings(unknown)
    assert (unknown.code, found["severity"]) == (0, "warning")


def test_the_commands_of_the_deployers_page(
    tmp_path: Path, gateway: Simulator, other_url: str
) -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Examine an installation")[1]
    blocks = section.split("\n## ")[0].split("```sh\n")[1:]
    commands = [
        line.partition("/bin/cc-bridge ")[2].split()
        for block in blocks
        for line in block.partition("```")[0].replace("\\\n", " ").splitlines()
        if "/bin/cc-bridge " in line
    ]
    assert len(commands) == 4
    folder = installation(tmp_path, gateway, other_url)
    for command in commands:
        ran = within(folder, *command, "--server", other_url)
        assert ran.code in (0, 1), ran.err
    assert len(gateway.messages()) == 1

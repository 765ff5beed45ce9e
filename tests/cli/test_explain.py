"""``cc-bridge explain`` as designers run it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.answering import answering
from tests.cli.running import at_terminal, within

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
TRACKER = FIXTURES / "explain" / "tracker.json"
REQUEST = FIXTURES / "rasa" / "intent_ranking.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A configuration, and a saved conversation."""
    shutil.copytree(FIXTURES / "validate" / "projects" / "classic", tmp_path, dirs_exist_ok=True)
    shutil.copy(TRACKER, tmp_path)
    return tmp_path


def turns(project: Path, *arguments: str, **environ: str) -> list[dict[str, Any]]:
    ran = within(project, "explain", *arguments, "--json", **environ)
    assert (ran.code, ran.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


def test_each_message_has_a_decision_and_a_reason(project: Path) -> None:
    found = turns(project, "tracker.json")
    assert [each["decision"] for each in found] == ["assist", "none", "none", "handoff", "none"]
    assert found[0]["reason"] == "intent ask_price at 0.97 (assist.when[0])"
    assert found[1]["near"] == [
        {
            "condition": "handoff.when[0]",
            "why": "intent human_handoff at 0.55 is below 0.6, 0.05 too little",
        }
    ]
    assert {(each["configuration"], each["version_then"]) for each in found} == {("today", None)}


def test_todays_configuration_decides(project: Path) -> None:
    (project / "config" / "handoff.yml").write_text("handoff: {when: [{intent: complain}]}")
    decided = [each["decision"] for each in turns(project, "tracker.json")]
    # action_human_handoff hands off whatever the conditions say
    assert decided == ["none", "none", "handoff", "handoff", "none"]


@pytest.mark.parametrize(("options", "shown"), [([], "[card]"), (["--clear"], "4111 1111")])
def test_what_identifies_a_customer_is_masked(
    project: Path, options: list[str], shown: str
) -> None:
    assert shown in turns(project, "tracker.json", *options)[2]["text"]
    ran = within(project, "explain", "tracker.json", *options)
    assert shown in ran.out
    assert ("4111" in ran.out) == bool(options)


def test_a_request_to_the_action_server_is_read_too(project: Path) -> None:
    shutil.copy(REQUEST, project / "request.json")
    assert turns(project, "request.json")[-1]["text"] == "/probe"


def test_a_conversation_is_read_from_rasa(project: Path) -> None:
    with answering({"/conversations/customer-7/tracker": TRACKER.read_bytes()}) as url:
        live = turns(project, "customer-7", BRIDGE__RASA__URL=url)
        unknown = within(project, "explain", "customer-8", BRIDGE__RASA__URL=url)
    assert live == turns(project, "tracker.json")
    assert (unknown.code, unknown.out) == (2, "")
    assert "Rasa answered HTTP 404" in unknown.err


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "not JSON"), ("[]", "no tracker"), ('{"events": 5}', "no tracker"), ("5", "no tracker")],
)
def test_what_is_no_tracker_is_told(project: Path, content: str, words: str) -> None:
    (project / "broken.json").write_text(content)
    ran = within(project, "explain", "broken.json")
    assert (ran.code, ran.out) == (2, "")
    assert f"broken.json: {words}" in ran.err


def test_a_file_that_is_not_there_is_told(project: Path) -> None:
    ran = within(project, "explain", "gone.json")
    assert (ran.code, ran.err) == (2, "gone.json: there is no such file\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_whole_lines(project: Path, columns: int) -> None:
    ran = at_terminal(project, "explain", "tracker.json", columns=columns)
    assert ran.code == 0
    assert max(len(line) for line in ran.out.splitlines()) <= columns
    said = re.sub(r"\s+", " ", ran.out)
    assert "near handoff.when[2]: intent complain at 0.90 holds, but slot vip is not true" in said
    assert "called action_human_handoff, which set handoff_state: handoff" in said


def test_the_page_shows_what_is_printed(project: Path) -> None:
    page = (ROOT / "docs" / "designer.md").read_text(encoding="utf-8")
    fourth = turns(project, "tracker.json")[3]
    assert json.dumps(fourth, indent=2) in page
    words = re.sub(r"\s+", " ", within(project, "explain", "tracker.json").out)
    block = page.split("By today's configuration", 1)[1].split("```", 1)[0]
    for line in re.split(r"\n   (?=\w)", block.split("\n1  ", 1)[1])[1:]:
        assert re.sub(r"\s+", " ", line).strip() in words

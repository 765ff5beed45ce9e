"""Replies of real bots, each of a kind that was once translated wrongly, as ``preview`` shows them.

Every line of the fixture names what the messages must contain, what they must not, and how many
there are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bridge.cli.preview import app

LINES = (Path(__file__).parents[1] / "fixtures" / "replies.jsonl").read_text(encoding="utf-8")
CASES = {case["id"]: case for case in map(json.loads, LINES.splitlines())}


def preview(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What ``cc-bridge preview --json`` shows for the case's channel."""
    for name, settings in case.get("config", {}).items():
        (folder / f"{name}.yml").write_text(json.dumps(settings))
    (folder / "reply.json").write_text(json.dumps(case.get("reply")))
    (folder / "domain.yml").write_text(json.dumps(case.get("domain", {})))
    arguments = [case.get("reply_name", str(folder / "reply.json")), "--channel", case["channel"]]
    arguments += ["--json", "--config", str(folder), "--domain", str(folder / "domain.yml")]
    for name, value in case.get("slots", {}).items():
        arguments += ["--slot", f"{name}={value}"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    shown: dict[str, Any] = json.loads(result.stdout)["channels"][case["channel"]]
    return shown


@pytest.mark.parametrize("name", CASES)
def test_the_reply_is_translated_as_it_is_meant(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    shown = preview(case, tmp_path)
    contents = [each["content"] for each in shown["messages"]]
    check = case.get("check", {})
    whole = "\n".join(contents)
    assert all(words in whole for words in check.get("contains", ())), contents
    assert not any(words in whole for words in check.get("absent", ())), contents
    assert len(contents) == check.get("messages", len(contents)), contents
    kinds = [each["mediaType"] for each in shown["messages"]]
    assert kinds == check.get("media", kinds)
    assert bool(shown["notes"]) >= check.get("note", False)
    if isinstance(case["want"], list):
        assert contents == case["want"]

"""The designers' pages: their examples of handoff.yml are valid, and the hours are as shown."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from bridge.config import load, schema
from bridge.config.source import Document, compose
from bridge.triggers import opening

DOCS = Path(__file__).parents[2] / "docs"
PAGE, ASSIST = ((DOCS / name).read_text(encoding="utf-8") for name in ("designer.md", "assist.md"))
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RASAS = {"version", "rules", "responses", "slots"}  # keys of the bot's own files
ROW = re.compile(r"^\| \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \| (open|closed)", re.MULTILINE)
GATEWAY = {"BRIDGE__GATEWAY__URL": "https://gw.example:8043"}
EDITOR = Draft7Validator(schema("handoff"))
CALENDAR = "BEGIN:VCALENDAR\nEND:VCALENDAR\n"


def examples() -> list[str]:
    blocks = BLOCK.findall(f"{PAGE}\n{ASSIST}")
    return [block for block in blocks if not RASAS & YAML(typ="safe").load(block).keys()]


def settings(folder: Path, example: str) -> Any:
    (folder / "handoff.yml").write_text(example, encoding="utf-8")
    (folder / "holidays.ics").write_text(CALENDAR, encoding="utf-8")
    return load(folder, GATEWAY)


@pytest.mark.parametrize("example", examples(), ids=lambda each: each[:40])
def test_an_example_is_good(tmp_path: Path, example: str) -> None:
    assert settings(tmp_path, example).designer


@pytest.mark.parametrize("example", examples(), ids=lambda each: each[:40])
def test_editors_take_an_example(example: str) -> None:
    document = Document("handoff.yml")
    compose(example, document)  # as in YAML 1.2, a date is a text
    assert [error.message for error in EDITOR.iter_errors(document.value)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"week": {"monday": ["09:00-10:00"]}},
        {"week": {"mon": ["9-10"]}},
        {"holidays": ["25.12.2026"]},
        {"holidays": [{"from": "2026-12-25", "until": "2026-12-26"}]},
        {"timezone": "UTC"},
    ],
)
def test_editors_mark_what_is_wrong(wrong: dict[str, Any]) -> None:
    assert list(EDITOR.iter_errors({"handoff": {"hours": wrong}}))


def test_most_of_the_examples_are_found() -> None:
    assert len(examples()) >= 7


def test_the_hours_are_as_the_table_says(tmp_path: Path) -> None:
    (example,) = (each for each in examples() if "holidays.ics" in each)
    hours = settings(tmp_path, example).designer.handoff.hours
    rows = ROW.findall(PAGE)
    assert len(rows) == PAGE.split("| wall time in Berlin |")[1].split("\n\n")[0].count("\n") - 1
    for wall, said in rows:
        moment = datetime.fromisoformat(wall).replace(tzinfo=hours.time_zone)
        assert opening(hours, moment.timestamp()).holds == (said == "open"), wall

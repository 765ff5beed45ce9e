"""Entries are inserted into somebody else's YAML, whatever its style, and nothing else changes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bridge.config.project_files import insert, read_mapping
from bridge.errors import ConfigurationError

ADDED = {
    "intents": ["human_handoff"],
    "actions": ["action_bridge: {send_domain: true}"],
    "slots": ["handoff_state: {type: text, mappings: [{type: custom}]}"],
    "responses": ['utter_new:\n  - text: "a: b"\n  - text: "c"\n    channel: web'],
}
NEW: dict[str, Any] = {
    "intents": ["human_handoff"],
    "actions": [{"action_bridge": {"send_domain": True}}],
    "slots": {"handoff_state": {"type": "text", "mappings": [{"type": "custom"}]}},
    "responses": {"utter_new": [{"text": "a: b"}, {"text": "c", "channel": "web"}]},
}

STYLES = {
    "nothing": "",
    "only a comment": "# my bot\n",
    "none of the sections": 'version: "3.1"\n\nsession_config:\n  session_expiration_time: 60\n',
    "no line end": "intents:\n  - greet\nslots:\n  a: {type: text}",
    "indented": "intents:\n  - greet\n  - bye\n\nresponses:\n  utter_a:\n    - text: hi\n",
    "not indented": "intents:\n- greet\n- bye\nactions:\n- action_a\n",
    "wide": "intents:\n      - greet\nslots:\n    a:\n        type: text\n",
    "flow": "intents: [greet, bye]\nactions: []\nslots: {a: {type: text}}\nresponses: {}\n",
    "flow over lines": "intents: [\n  greet,\n  bye\n]\nslots: {\n  a: {type: text}\n  }\n",
    "without values": "intents:\nactions:   # none yet\nslots:\nresponses:\n",
    "comments between": "intents:\n  - greet  # hello\n  # inside\n  - bye\n\n# the actions\n"
    "actions:\n  - action_a\n# the end\n",
    "texts over lines": "responses:\n  utter_a:\n    - text: |\n        one\n\n        # two\n\n\n"
    "intents:\n  - greet\n",
    "a text at the end": "intents:\n  - greet\nresponses:\n  utter_a:\n    - text: |\n        one\n"
    "        two\n",
    "carriage returns": "intents:\r\n  - greet\r\nactions:\r\n  - action_a\r\n",
    "a document's marks": "---\nintents:\n  - greet\n",
    "quoted keys": '"intents":\n  - greet\n',
}


def loaded(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text) or {}


def expected(before: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(before)
    for section, added in NEW.items():
        known = before.get(section)
        if isinstance(added, list):
            result[section] = [*(known or []), *added]
        else:
            result[section] = {**(known or {}), **added}
    return result


@pytest.mark.parametrize("name", STYLES)
def test_entries_are_added_and_the_rest_stays(name: str) -> None:
    before = STYLES[name]
    after = insert(before, ADDED)
    assert after is not None
    assert loaded(after) == expected(loaded(before))
    if "flow" not in name:  # a list in brackets continues on its line
        diff = difflib.ndiff(before.splitlines(), after.splitlines())
        assert [line for line in diff if line.startswith("- ")] == []
    assert ("\r\n" in before) == ("\r\n" in after)
    if "\r\n" in after:
        assert after.count("\r\n") == after.count("\n")


def test_a_comment_stays_with_the_section_that_it_introduces() -> None:
    after = insert(STYLES["comments between"], {"intents": ["new"]})
    assert after == (
        "intents:\n  - greet  # hello\n  # inside\n  - bye\n  - new\n\n# the actions\nactions:\n"
        "  - action_a\n# the end\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "intents: greet\n",
        "intents: {greet: {}}\n",
        "- a list\n",
        "{intents: [a], slots: {}}\n",
        "intents: &a [x]\nother: *a\n---\nmore: 1\n",
        "intents: [a\n",
        "intents: [a, b,]\n",
        "\ufeffintents: [a]\n",
    ],
)
def test_what_cannot_be_inserted_is_left_to_the_reader(text: str) -> None:
    assert insert(text, {"intents": ["new"]}) is None


def test_a_mapping_is_read(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.yml"
    assert read_mapping(path) is None
    path.write_text("# nothing\n")
    assert read_mapping(path) == {}
    path.write_text("a: ${B}\n")
    assert read_mapping(path) == {"a": "${B}"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: 'b\n", "endpoints.yml:"),
        (b"a: \xff\n", "cannot be read as YAML"),
        (b"- a\n", "not a mapping"),
        (b"a: !!python/x b\n", "endpoints.yml"),
    ],
)
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "endpoints.yml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        read_mapping(path)

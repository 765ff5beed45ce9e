"""``cc-bridge explain --diagram``: the flow that handoff.yml configures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bridge.cli.explain.diagram import flowchart, in_words
from bridge.config.settings import Condition, HandoffSettings
from tests.cli.running import configure, within

_NODE = re.compile(r'    (\w+)(?:\(\["([^"]*)"\]\)|\{"([^"]*)"\}|\["([^"]*)"\])')
_EDGE = re.compile(r'    (\w+) -->(?:\|"([^"]*)"\|)? (\w+)')
_BLOCK = re.compile(r"^```(?:yaml|mermaid)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FULL: Mapping[str, Any] = {
    "handoff": {
        "when": [{"intent": "human_handoff", "min_confidence": 0.6}, {"fallbacks": 3}],
        "say": {"en": "utter_a", "de": None},
        "unavailable": None,
        "then": "assist",
        "hours": {
            "time_zone": "Europe/Berlin",
            "week": {"mon-thu": ["09:00-17:30"], "fri": ["22:00-02:00"], "sun": []},
            "holidays": ["2026-12-25", {"from": "2026-12-31", "to": "2027-01-01"}],
        },
    },
    "assist": {
        "when": [{"intent": "ask_price", "reply": "utter_price"}, {"intent": "*"}],
        "mode": "auto",
        "auto": {"intents": ["ask_price"]},
    },
}


class Chart:
    """A flowchart, read as Mermaid reads it: every line is a node or an edge."""

    def __init__(self, designer: Mapping[str, Any]) -> None:
        first, *lines = flowchart(HandoffSettings.model_validate(designer)).splitlines()
        assert first == "flowchart TD"
        self.nodes: dict[str, str] = {}
        self.edges: dict[str, dict[str, str]] = {}
        for line in lines:
            if (edge := _EDGE.fullmatch(line)) is not None:
                labelled = self.edges.setdefault(edge[1], {})
                assert (edge[2] or "") not in labelled, line
                labelled[edge[2] or ""] = edge[3]
            else:
                node = _NODE.fullmatch(line)
                assert node is not None, line
                assert node[1] not in self.nodes
                self.nodes[node[1]] = next(filter(None, node.groups()[1:]))

    def reached(self) -> set[str]:
        """Every node to which a way leads from a start."""
        found, left = set(), ["message", "called"]
        while left:
            node = left.pop()
            if node not in found:
                found.add(node)
                left += self.edges.get(node, {}).values()
        return found

    def walk(self, start: str, **answers: str) -> str:
        """The text of the last node, if each question is answered so; else with "no"."""
        node = start
        while ways := self.edges.get(node):
            node = ways[""] if "" in ways else ways[answers.get(node, "no")]
        return self.nodes[node]


@pytest.mark.parametrize(
    ("start", "answers", "last"),
    [
        ("message", {}, "None: the bot answers"),
        (
            "message",
            {"handoff1": "yes", "hours": "open", "agent": "yes"},
            (
                "Handoff to the agent<br/>Said under the agent's name: en: utter_a, de: nothing"
                "<br/>then: assist, the bot drafts replies"
            ),
        ),
        (
            "message",
            {"handoff0": "yes", "hours": "closed"},
            "No handoff: closed_hours<br/>The bot says utter_handoff_closed",
        ),
        ("message", {"handoff0": "yes", "cooldown": "yes"}, "No handoff: nothing said"),
        (
            "called",
            {"hours": "open", "agent": "no, or called within 60 s of a handback"},
            "No handoff: handoff_error says why<br/>The bot says nothing",
        ),
        ("message", {"assist0": "yes"}, "None: the bot says it"),
        (
            "message",
            {"assist1": "yes", "owner": "yes"},
            "Assist: a suggestion for the agent",
        ),
        (
            "message",
            {"assist0": "yes", "owner": "yes", "auto": "yes"},
            "Assist: sent without approval",
        ),
    ],
)
def test_the_ways_lead_where_the_configuration_says(
    start: str, answers: dict[str, str], last: str
) -> None:
    assert Chart(FULL).walk(start, **answers) == last


@pytest.mark.parametrize(
    "designer",
    [
        FULL,
        {},
        {"handoff": {"when": []}},
        {"handoff": {"when": [], "cooldown": 0}, "assist": {"when": [{"intent": "x"}]}},
        {"handoff": {"cooldown": 0}, "assist": {"when": [{"intent": "x"}], "mode": "off"}},
    ],
)
def test_every_node_is_reached_and_every_edge_ends_at_a_node(designer: Mapping[str, Any]) -> None:
    chart = Chart(designer)
    assert chart.reached() == set(chart.nodes)
    assert set(chart.edges) < set(chart.nodes)


def test_hours_name_days_times_holidays_and_the_zone() -> None:
    assert Chart(FULL).nodes["hours"].split("<br/>")[1:] == [
        "mon-thu 09:00-17:30",
        "fri 22:00-02:00",
        "sun closed",
        "not on 2026-12-25, 2026-12-31 to 2027-01-01",
        "Europe/Berlin",
    ]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"intent": "*", "min_confidence": 0.5}, "any intent ≥ 0.5"),
        ({"command": "human handoff"}, "command human handoff"),
        ({"entity": "order", "slot": "vip"}, "entity order and slot vip is set"),
        ({"slot": "vip", "is": True}, "slot vip is true"),
        ({"slot": "vip", "is": None}, "slot vip is null"),
        ({"flow": "talk"}, "flow talk starts"),
        ({"keyword": {"en": list("abcdefg"), "de": ["x"]}}, "a, b, c, d, e and 2 more; de: x"),
        ({"fallbacks": 2}, "2 fallbacks in a row"),
    ],
)
def test_a_condition_is_named_by_all_of_its_keys(item: dict[str, Any], words: str) -> None:
    assert in_words(Condition.model_validate(item)).endswith(words)


@pytest.mark.parametrize("key", Condition.tests())
def test_every_key_of_a_condition_has_words(key: str) -> None:
    values = {"fallbacks": 1, "keyword": {"en": ["x"]}}
    assert in_words(Condition.model_validate({key: values.get(key, "x")}))


@given(st.text(min_size=1).filter(str.strip), st.text(max_size=30))
def test_no_name_leaves_its_label(name: str, value: str) -> None:
    when = [{"slot": name, "is": value}, {"intent": name}]
    chart = Chart({"handoff": {"when": when, "say": name}, "assist": {"when": [{"intent": name}]}})
    assert chart.reached() == set(chart.nodes)
    for label in chart.nodes.values():
        assert not set('<>"`\\') & set(label.replace("<br/>", ""))


def test_the_command_prints_the_flowchart_alone(tmp_path: Path) -> None:
    configure(tmp_path, "sqlite:///none.db")
    (tmp_path / "config" / "handoff.yml").write_text(json.dumps(FULL), encoding="utf-8")
    ran = within(tmp_path, "explain", "--diagram")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == flowchart(HandoffSettings.model_validate(FULL))
    assert not (tmp_path / "none.db").exists()


def test_the_page_shows_the_flowchart_of_its_example() -> None:
    page = (Path(__file__).parents[2] / "docs" / "designer.md").read_text(encoding="utf-8")
    section = page.split("### The configured flow: --diagram", 1)[1].split("\n## ", 1)[0]
    written, drawn = _BLOCK.findall(section)
    assert drawn == flowchart(HandoffSettings.model_validate(YAML(typ="safe").load(written)))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("tracker.json", "--diagram"),
        ("--why", "maria", "--diagram"),
        ("tracker.json", "--why", "maria"),
        ("--diagram", "--json"),
    ],
)
def test_one_thing_is_explained_at_a_time(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = within(configure(tmp_path, "sqlite:///none.db"), "explain", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "--diagram" in ran.err

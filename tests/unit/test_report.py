"""What became of suggestions: counted by question, and what agents write instead."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from bridge.cli.report import as_spreadsheet, bars, tables
from bridge.queries.proposals import MOST_ALIKE, Edit, proposals, sentences
from bridge.queries.report import TOO_FEW, Group, ReportFigures, day, source, summed
from bridge.store.report import SuggestionOutcome
from tests.making import NOW

ONE = SuggestionOutcome(
    question="A 1",
    asked_at=NOW,
    state="accepted",
    displayed=True,
    settled_at=NOW + 10,
    settled_by="291",
    edit_distance=0.0,
    configuration="abc",
    kind="assist",
    intent="ask_price",
    response="utter_price",
    names=(),
)


def figures(*outcomes: SuggestionOutcome) -> ReportFigures:
    (found,) = summed(outcomes, lambda _: "")
    return found


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({}, "answered"),
        ({"state": "edited"}, "answered"),
        ({"state": "copied"}, "answered"),
        ({"state": "accepted", "settled_by": "auto", "displayed": False}, "automatic"),
        ({"state": "offered", "settled_by": None}, "open"),
        ({"state": "rejected", "displayed": False}, "unanswered"),
        ({"state": "superseded", "settled_by": None}, "unanswered"),
        ({"state": "superseded", "settled_by": None, "displayed": False}, "unseen"),
        ({"state": "expired", "settled_by": None, "displayed": False}, "unseen"),
    ],
)
def test_the_fate_of_a_question(changes: dict[str, Any], fate: str) -> None:
    assert figures(replace(ONE, **changes)).questions == {fate: 1}


def test_candidates_of_a_question_are_counted_once() -> None:
    rest = [replace(ONE, state="superseded", settled_by=None) for _ in range(4)]
    found = figures(ONE, *rest)
    assert found.questions == {"answered": 1}
    assert found.counts == {"suggested": 5, "accepted": 1, "superseded": 4, "displayed": 5}


def test_a_rate_of_too_few_is_none() -> None:
    many = [replace(ONE, question=f"A {number}") for number in range(TOO_FEW)]
    many[0] = replace(many[0], state="rejected")
    assert figures(*many[1:]).acceptance is None
    assert figures(*many).acceptance == (TOO_FEW - 1) / TOO_FEW


def test_distances_and_times_are_medians_of_what_agents_did() -> None:
    found = figures(
        replace(ONE, state="edited", edit_distance=0.5),
        replace(ONE, state="copied", edit_distance=0.1, settled_at=NOW + 30),
        replace(ONE, state="copied", edit_distance=None, settled_at=NOW + 20),
        replace(ONE, settled_by="auto", settled_at=NOW + 1),
    )
    assert found.edit_distance == pytest.approx(0.3)
    assert found.seconds == 20


def test_groups_are_in_order_and_by_the_day_of_the_question() -> None:
    later = replace(ONE, asked_at=NOW + 86400.0)
    assert [item.key for item in summed([later, ONE], lambda item: day(item.asked_at))] == [
        day(NOW),
        day(NOW + 86400.0),
    ]


@pytest.mark.parametrize(
    ("kind", "names", "key"),
    [
        ("assist", (), "assist"),
        ("assist", ("kb",), "assist"),  # the bot's own, whose words a system suggested too
        ("external", ("kb",), "kb"),
        ("external", ("kb", "llm"), "kb, llm"),
        ("suggestion", (), "suggestion"),
    ],
)
def test_the_source_is_who_suggested_it_first(kind: str, names: tuple[str, ...], key: str) -> None:
    assert source(replace(ONE, kind=kind, names=names)) == key


def test_the_tables_fit_into_80_columns() -> None:
    keys = ["ask_hours", "ask_price", "a_long_intent/of_a_retrieval_intent_of_60_characters_or_so"]
    rows = [ReportFigures(key) for key in keys]
    console = Console(width=80, file=io.StringIO(), record=True)
    for table in tables(Group.INTENT, [*rows, figures(ONE)]):
        console.print(table)
    text = console.export_text()
    assert "…" not in text
    for word in ("questions", "answered", "acceptance", "superseded", "expired", *keys[:2], "all"):
        assert word in text.split(), text
    assert keys[2] in "".join(line.split()[0] for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("key", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "=cmd|'/c x'!A1"])
def test_a_spreadsheet_has_no_formulas(key: str) -> None:
    text = as_spreadsheet([ReportFigures(key)])
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert row["key"] == f"'{key}"
    assert row["acceptance"] == ""


def test_the_chart_says_where_there_are_too_few() -> None:
    many = [replace(ONE, question=f"A {number}") for number in range(TOO_FEW)]
    assert bars([figures(*many), figures(ONE)]) == [
        f"-  {'█' * 40} 100% of {TOO_FEW}",
        f"-  too few (1 of {TOO_FEW} questions)",
    ]


# -- proposals -------------------------------------------------------------------------------------


def edits(number: int, sent: str = "It costs {0} euros. Anything else?", **same: str) -> list[Edit]:
    return [
        Edit(
            "utter_price",
            "It costs 24 euros.",
            sent.format(number),
            same.get("agent", f"agent-{number}"),
            same.get("sender", f"customer-{number}"),
        )
        for number in range(number)
    ]


def test_what_enough_agents_write_to_enough_customers_is_proposed() -> None:
    (found,) = proposals(edits(MOST_ALIKE))
    assert list(found.diff())[3:] == [" It costs {number} euros.", "+Anything else?"]
    assert found.agents == MOST_ALIKE


@pytest.mark.parametrize(
    "given",
    [
        edits(MOST_ALIKE - 1),
        edits(MOST_ALIKE + 5, agent="291"),
        edits(MOST_ALIKE + 5, sender="maria"),
        edits(MOST_ALIKE, "It costs {0} euros."),
    ],
)
def test_what_few_write_or_what_is_said_already_is_not(given: list[Edit]) -> None:
    assert proposals(given) == []


def test_names_numbers_and_slots_become_placeholders() -> None:
    found = sentences(
        "Dear Maria, order A-4711 is ready. Write to anna@shop.example! It is the red one.",
        ("red one",),
    )
    assert found == (
        "Dear {name}, order {number} is ready.",
        "Write to {address}!",
        "It is the {slot}.",
    )

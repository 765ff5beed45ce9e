"""The expectations hold for what a real run recorded, and for nothing else."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.demo.expectations import FOLDER, WHOLE_RUN, Checked, compare, load
from bridge.cli.demo.faults import DemoError
from bridge.cli.demo.scenes import SCENES
from bridge.cli.peers import JsonObject
from tests.demo.conftest import Given

EXPECTED = load()
SENTENCES = [(name, sentence) for name, values in EXPECTED.items() for sentence in values]
SCENE = SCENES[0].key
ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"

Steps = tuple[Any, ...]


def test_they_hold_for_what_was_recorded(given: Given) -> None:
    assert [each for each in compare(given.record, EXPECTED) if not each.held] == []


def test_there_is_one_file_for_each_scene() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {*(each.key for each in SCENES), WHOLE_RUN}


@pytest.mark.parametrize(("name", "sentence"), SENTENCES)
def test_no_value_that_they_name_can_change_unnoticed(
    given: Given, name: str, sentence: str
) -> None:
    expected = {name: {sentence: EXPECTED[name][sentence]}}
    start: Steps = () if name == WHOLE_RUN else ("scenes", name)
    unnoticed = [
        steps
        for steps, values in named(EXPECTED[name][sentence])
        for record in mutated(given.record, (*start, *steps), values)
        if compare(record, expected)[0].held
    ]
    assert unnoticed == []


def named(values: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield whatever an expectation names, with the steps that lead there."""
    if steps:
        yield steps, values
    if isinstance(values, dict | list):
        for step, value in values.items() if isinstance(values, dict) else enumerate(values):
            yield from named(value, (*steps, step))


def mutated(record: JsonObject, steps: Steps, values: Any) -> Iterator[JsonObject]:
    """Yield records that differ in one place: a value is another one, missing, or one too many."""
    *way, last = steps
    for change in (
        ("replace", "remove", "add") if isinstance(values, list) else ("replace", "remove")
    ):
        changed = copy.deepcopy(record)
        parent: Any = changed
        for step in way:
            parent = parent[step]
        if change == "replace":
            parent[last] = "something else"
        elif change == "remove":
            del parent[last]
        else:
            parent[last].append(copy.deepcopy(parent[last][-1]) if parent[last] else {})
        yield changed


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.key)
def test_a_scene_that_was_not_played_fails(given: Given, scene: Any) -> None:
    record = {**given.record, "scenes": {**given.record["scenes"]}}
    del record["scenes"][scene.key]
    checked = compare(record, {scene.key: EXPECTED[scene.key]})
    assert checked
    assert not any(each.held for each in checked)


@pytest.mark.parametrize("record", [{}, {"scenes": {}, "requests": [], "messages": []}])
def test_an_empty_record_fails(record: JsonObject) -> None:
    checked = compare(record, EXPECTED)
    assert len(checked) == len(SENTENCES)
    assert not any(each.held for each in checked)


@pytest.mark.parametrize("written", [None, "", "# Nothing yet\n", "It is so:\n", "It is so: {}\n"])
def test_a_file_without_expectations_fails(
    given: Given, tmp_path: Path, written: str | None
) -> None:
    if written is not None:
        (tmp_path / f"{SCENE}.yml").write_text(written, encoding="utf-8")
    checked = compare(given.record, {SCENE: load(tmp_path)[SCENE]})
    assert [each.held for each in checked] == [False]


def test_a_file_that_is_not_yaml_stops_the_demo(tmp_path: Path) -> None:
    (tmp_path / f"{SCENE}.yml").write_text("It is so: [", encoding="utf-8")
    with pytest.raises(DemoError, match=f"{SCENE}.yml"):
        load(tmp_path)


HELD: list[tuple[Any, Any]] = [
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": None}, {"a": None}),
    ([{"a": 1}, 2], [{"a": 1, "b": 2}, 2]),
    ("/a.+/", "abc\ndef"),
    (r"/0\.9\d*/", 0.95),
    (["<uuid a>", "<uuid b>", "<uuid a>"], [ONE, TWO, ONE]),
]
MISMATCHES: list[tuple[Any, Any, str]] = [
    ("a", "b", 'v: expected "a", found "b"'),
    (1, "1", 'v: expected 1, found "1"'),
    (1, True, "v: expected 1, found true"),
    ([], {}, "v: expected [], found {}"),
    ({}, {"a": 1}, 'v: expected {}, found {"a": 1}'),
    ({"a": 1}, {}, "v.a: expected 1, found nothing"),
    ({"a": None}, {}, "v.a: expected null, found nothing"),
    ({"a": {"b": 1}}, {"a": None}, 'v.a: expected {"b": 1}, found null'),
    ([], [1], "v: expected [], found [1]"),
    ([1], [], "v: expected 1 item, found 0 items"),
    ([1, 2], [1], "v: expected 2 items, found 1 item"),
    ([{"a": 1}], [{"a": 2}], "v[0].a: expected 1, found 2"),
    ("/a/", "ab", 'v: expected "/a/", found "ab"'),
    ("/.+/", None, 'v: expected "/.+/", found null'),
    ("<uuid a>", "a", 'v: expected "<uuid a>", found "a"'),
    (["<uuid a>", "<uuid a>"], [ONE, TWO], f'v[1]: expected "<uuid a>", found "{TWO}"'),
    (["<uuid a>", "<uuid b>"], [ONE, ONE], f'v[1]: expected "<uuid b>", found "{ONE}"'),
    ("a" * 99 + "b", "a" * 99 + "c", f'v: expected ...{"a" * 20}b", found ...{"a" * 20}c"'),
    ("a", "b" * 99, f'v: expected "a", found "{"b" * 69}...'),
]


def of_values(expected: Any, found: Any) -> Checked:
    record = {"scenes": {SCENE: {"v": found}}}
    return compare(record, {SCENE: {"It is so": {"v": expected}}})[0]


@pytest.mark.parametrize(("expected", "found"), HELD)
def test_what_is_as_expected_holds(expected: Any, found: Any) -> None:
    assert of_values(expected, found).held


@pytest.mark.parametrize(("expected", "found", "mismatch"), MISMATCHES)
def test_each_kind_of_mismatch_is_reported(expected: Any, found: Any, mismatch: str) -> None:
    checked = of_values(expected, found)
    assert not checked.held
    assert checked.mismatches == (f"{SCENE}.{mismatch}",)

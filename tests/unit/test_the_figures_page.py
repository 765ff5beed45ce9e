"""What the pages say of speed is what the kept run measured, drawn and written by the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench import figures, pages, plot


@pytest.mark.parametrize("page", pages.PLACES, ids=lambda page: page.name)
def test_a_page_shows_the_kept_run(page: Path) -> None:
    _, shown, _ = pages.parts(page)
    assert shown == pages.PLACES[page].shown(plot.kept())


def test_the_summary_has_rows_that_there_are() -> None:
    assert {*figures.SUMMARY} <= {row.key for row in figures.rows(plot.kept())}


def test_the_picture_shows_the_kept_run() -> None:
    kept = plot.kept()
    assert plot.PICTURE.read_text(encoding="utf-8") == plot.drawn(kept)


def test_each_row_that_misses_its_aim_says_why_in_one_sentence() -> None:
    shown = figures.rows(plot.kept())
    for row in shown:
        if row.met is False:
            reason = figures.REASONS.get(row.key, "")
            assert reason.endswith("."), f"{row.key}: say why in tests.bench.figures.REASONS"
    assert figures.REASONS.keys() <= {row.key for row in shown}


@pytest.mark.parametrize("way", ["put", "token"])
@pytest.mark.parametrize(
    ("row", "path", "good", "bad"),
    [
        ("rate 0", ("handoff", "0", "64", "{way}/pooled", "rate"), 1.1, 1.09),
        ("rate 50", ("handoff", "50", "64", "{way}/pooled", "rate"), 1.1, 1.09),
        ("rate 200", ("handoff", "200", "64", "{way}/pooled", "rate"), 0.95, 0.94),
        ("cpu 64 0", ("handoff", "0", "64", "{way}/pooled", "cpu"), 1.3, 1.31),
        ("cpu 64 50", ("handoff", "50", "64", "{way}/pooled", "cpu"), 1.3, 1.31),
        ("cpu 64 200", ("handoff", "200", "64", "{way}/pooled", "cpu"), 1.3, 1.31),
        ("cpu 1 50", ("handoff", "50", "1", "{way}/pooled", "cpu"), 1.5, 1.51),
        ("times 1 50", ("handoff", "50", "1", "{way}/pooled", "p50 more"), 2, 2.1),
        ("times 8 50", ("handoff", "50", "8", "{way}/pooled", "p50 more"), 3, 3.1),
        ("statements", ("statements", "{way}", "statements"), 10, 10.1),
        ("commits", ("statements", "{way}", "commits"), 2, 2.1),
    ],
)
def test_a_row_of_handoffs_meets_its_aim_only_by_both_ways_in(
    row: str, path: tuple[str, ...], good: float, bad: float, way: str
) -> None:
    kept = plot.kept()
    for each in ("put", "token"):
        _change(kept, tuple(step.format(way=each) for step in path), good)
    assert _met(kept, row) is True
    _change(kept, tuple(step.format(way=way) for step in path), bad)
    assert _met(kept, row) is False


@pytest.mark.parametrize(
    ("row", "path", "good", "bad"),
    [
        ("hanging", ("hanging", "bridge", "ratio"), 1.5, 1.51),
        ("open calls", ("open_calls", "ratio"), 1.1, 1.11),
        ("history", ("history", "ratio"), 1.1, 1.11),
        ("GET /bridge/calls", ("history", "lists", "/bridge/calls"), 50, 51),
        ("forget", ("history", "forget"), 3, 3.1),
        ("memory session", ("memory", "session"), 2048, 2049),
        ("memory assignment", ("memory", "assignment"), 2048, 2049),
        ("workers", ("several", "workers", "highest"), 1.0, 0.99),
        ("servers", ("several", "servers", "rate"), 1.3, 1.29),
        ("servers cpu", ("several", "servers", "cpu"), 1.15, 1.16),
        ("ready", ("standing", "ready", "ratio"), 2.5, 2.51),
        ("idle memory", ("standing", "memory", "ratio"), 2.0, 2.01),
    ],
)
def test_a_row_says_whether_its_aim_is_met(
    row: str, path: tuple[str, ...], good: float, bad: float
) -> None:
    kept = plot.kept()
    _change(kept, path, good)
    assert _met(kept, row) is True
    _change(kept, path, bad)
    assert _met(kept, row) is False


def test_what_misses_its_aim_is_listed_below_the_table_with_its_reason() -> None:
    kept, reasons = plot.kept(), {"forget": "It reads every row."}
    line = "- `cc-bridge forget` of one customer with that history: It reads every row."
    _change(kept, ("history", "forget"), 3.1)
    assert line in figures.markdown(kept, reasons).splitlines()
    _change(kept, ("history", "forget"), 3.0)
    assert line not in figures.markdown(kept, reasons).splitlines()


def _change(kept: Any, path: tuple[str, ...], value: float) -> None:
    """Change one of the figures."""
    for step in path[:-1]:
        kept = kept[step]
    kept[path[-1]] = value


def _met(kept: Any, key: str) -> bool | None:
    return next(row.met for row in figures.rows(json.loads(json.dumps(kept))) if row.key == key)

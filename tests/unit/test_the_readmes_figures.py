"""What the README says of speed is what the kept run measured, drawn and written by the program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bench import figures, plot, readme


def test_the_readme_and_the_picture_show_the_kept_run() -> None:
    kept = plot.kept()
    _, shown, _ = readme.parts()
    assert shown == figures.markdown(kept)
    assert plot.PICTURE.read_text(encoding="utf-8") == plot.drawn(kept)


@pytest.mark.parametrize(
    ("part", "key", "bad"),
    [
        ("handoff", ("0", "bridge/pooled", "rate"), 0.99),
        ("handoff", ("50", "bridge/pooled", "rate"), 0.89),
        ("handoff", ("200", "bridge/pooled", "rate"), 0.94),
        ("hanging", ("bridge", "ratio"), 1.51),
        ("open_calls", ("ratio",), 1.11),
        ("memory", ("session",), 2049),
        ("memory", ("assignment",), 2049),
    ],
)
def test_a_figure_that_is_not_what_it_must_be_is_marked(
    part: str, key: tuple[str, ...], bad: float
) -> None:
    changed: Any = json.loads(json.dumps(plot.kept()))
    held = sum(row.holds for row in figures.rows(_with(changed, part, key, 0.0, 1.0)))
    broken = sum(row.holds for row in figures.rows(_with(changed, part, key, bad, bad)))
    assert held - broken == 1


def _with(kept: Any, part: str, key: tuple[str, ...], low: float, high: float) -> Any:
    """The figures with one changed: ``high`` where more is better, else ``low``."""
    changed = json.loads(json.dumps(kept))
    found = changed[part]
    for step in key[:-1]:
        found = found[step]
    found[key[-1]] = high if part == "handoff" else low
    return changed

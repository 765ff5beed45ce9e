"""The screen where a terminal can less than others."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from bridge.cli.demo.expectations import Checked
from bridge.cli.demo.scenes import SCENES
from bridge.cli.demo.screen import Screen
from tests.demo.conftest import Given


def test_a_terminal_that_knows_ascii_only(given: Given) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", errors="replace")
    screen = Screen(Console(file=file, width=80))
    for scene in SCENES:
        screen.scene(scene, given.played(scene.key))
    screen.verdict([Checked("This", 1, ()), Checked("It", 1, ("it: expected 1",))], 1)
    file.flush()
    shown = raw.getvalue().decode("ascii")
    assert "Maria | I would like to talk to a person" in shown
    assert "gateway > PUT /agentgateway/resource/onlineagent/291" in shown
    assert "   ok  This" in shown
    assert "   NO  It  " in shown
    assert "       it: expected 1" in shown


@pytest.mark.parametrize("width", [50, 80, 120, 300])
def test_it_fits_and_does_not_sprawl(given: Given, width: int) -> None:
    file = io.StringIO()
    screen = Screen(Console(file=file, width=width))
    for scene in SCENES:
        screen.scene(scene, given.played(scene.key))
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(cell_len(line) for line in lines) <= min(width, 100)


def test_one_expectation_that_does_not_hold_is_told() -> None:
    file = io.StringIO()
    Screen(Console(file=file, width=80)).verdict([Checked("It", 1, ("it: no",))], 1.0)
    assert "✗  It" in file.getvalue()
    assert "it: no" in file.getvalue()
    assert "1 of 1 expectations do not hold.  1 values compared, 1.0 s" in file.getvalue()

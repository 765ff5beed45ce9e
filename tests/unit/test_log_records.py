"""No value from outside forges a log line or reaches a terminal as a command."""

from __future__ import annotations

import io
import json
import logging
from contextlib import redirect_stdout
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from bridge.cli import terminal
from bridge.errors import BridgeError, ConfigurationError, describe
from bridge.log_records import SafeRecord
from bridge.web.logs import Discreet
from tests import poison

NAMES = ("bridge", "bridge.core.core", "rasa_sdk.executor", "sanic.root")
FORMAT = logging.Formatter("%(levelname)s %(name)s - %(message)s")


def line(name: str, message: Any, *arguments: Any) -> str:
    """The line of a log file."""
    return FORMAT.format(SafeRecord(name, logging.INFO, "file.py", 1, message, arguments, None))


@given(st.sampled_from(NAMES), st.lists(poison.values, min_size=1, max_size=3))
def test_a_record_is_one_line(name: str, arguments: list[Any]) -> None:
    said = line(name, " ".join(["%s"] * len(arguments)), *arguments)
    assert said.startswith(f"INFO {name} - ")
    assert poison.is_one_line(said)
    assert len(said) < 6 * 600 * len(arguments)


@given(poison.texts)
def test_an_errors_message_is_one_line(text: str) -> None:
    said = line("bridge.web", "It failed: %s", BridgeError(text))
    assert poison.is_one_line(said)


@given(poison.texts)
def test_a_message_of_rasas_sdk_is_one_line(name: str) -> None:
    said = line("rasa_sdk.executor", f"Received request to run '{name}'")
    assert poison.is_one_line(said)


@given(poison.texts)
def test_the_access_log_is_one_line(path: str) -> None:
    record = SafeRecord("sanic.access", logging.INFO, "file.py", 1, "", (), None)
    vars(record)["request"] = f"GET http://127.0.0.1/bridge/calls/{path}"
    assert Discreet().filter(record)
    assert poison.is_one_line(vars(record)["request"])


def test_numbers_keep_their_format() -> None:
    assert line("bridge", "%d of %.1f %s", 3, 0.25, None) == "INFO bridge - 3 of 0.2 None"
    assert line("bridge", "%(a)s", {"a": "x\ny"}) == "INFO bridge - x\\x0ay"


def test_faults_in_the_operators_files_keep_their_lines() -> None:
    error = ConfigurationError(["bridge.yml:1\n  gateway is missing"])
    assert "\n  gateway is missing" in line("bridge", "%s", describe(error))


def test_the_lines_of_a_worker_name_it() -> None:
    class Record(SafeRecord):
        worker = "2"

    made = [
        Record(name, logging.INFO, "file.py", 1, "said %s", ("x",), None).getMessage()
        for name in ("bridge.web", "sanic.root")
    ]
    assert made == ["said x worker=2", "said x"]


@settings(deadline=None)
@given(st.lists(poison.texts, min_size=1, max_size=3))
def test_a_table_at_a_terminal_controls_nothing(cells: list[str]) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_row(*(Text(cell, "bold red") for cell in cells))
    written = io.StringIO()
    console = terminal.PlainConsole(file=written, force_terminal=False, width=80)
    console.print(table)
    console.print(cells[0], markup=False)
    text = written.getvalue()
    assert text.encode()
    assert not set(text) & {chr(code) for code in (*range(9), *range(11, 32), *range(0x7F, 0xA0))}


@settings(deadline=None)
@given(st.lists(poison.texts, min_size=1, max_size=3))
def test_lines_for_pipes_and_json_control_nothing(cells: list[str]) -> None:
    written = io.StringIO()
    with redirect_stdout(written):
        terminal.show(Table(), [cells])
        terminal.as_json({"cells": cells})
    lined, coded, rest = written.getvalue().split("\n")
    assert rest == ""
    assert len(lined.split("\t")) == len(cells)
    for text in (lined.replace("\t", ""), coded):
        assert not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 for each in text)
    assert json.loads(coded) == json.loads(json.dumps({"cells": cells}))

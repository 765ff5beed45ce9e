"""Write down every SQL statement that a Python program runs on SQLite.

Python imports this module by itself where this folder is on ``PYTHONPATH``. The file that
``BENCH_STATEMENTS`` names gets a line for each statement, of all processes in the order of their
running: ``S`` and the statement, ``P`` and a PRAGMA, ``C`` for a commit that changed something.
What begins or ends a transaction is no statement.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from typing import Any

_LONGEST = 2000  # characters; a line is written at once
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
_OUTSIDE = ("ROLLBACK", "SAVEPOINT", "RELEASE")


def _watcher(connection: sqlite3.Connection, file: int) -> Callable[[str], None]:
    before = 0  # changes of this connection when its transaction began

    def write(kind: str, statement: str = "") -> None:
        line = f"{kind} {' '.join(statement.split())[:_LONGEST]}\n"
        os.write(file, line.encode("utf-8", "replace"))

    def watch(statement: str) -> None:
        nonlocal before
        verb = statement.lstrip()[:9].upper()
        if verb.startswith("--"):
            return  # a trigger's program
        if verb.startswith("BEGIN"):
            before = connection.total_changes
        elif verb.startswith(("COMMIT", "END")):
            if connection.total_changes != before:
                write("C")
        elif verb.startswith("PRAGMA"):
            write("P", statement)
        elif not verb.startswith(_OUTSIDE):
            write("S", statement)
            if not connection.in_transaction and _WRITES.search(statement):
                write("C")

    return watch


def _install(path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    connect = sqlite3.connect

    def watched(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(_watcher(connection, file))
        return connection

    for module in (sqlite3, sqlite3.dbapi2):
        setattr(module, "connect", watched)  # noqa: B010 - an overloaded function otherwise


if path := os.environ.get("BENCH_STATEMENTS"):
    _install(path)

"""Write many rows into a bridge's database at once, past the bridge.

Only for what would take hours over HTTP. The tables' columns are read from the database: a value
without a column is left out, and a column that needs a value and got none is filled with an empty
one, so that a change of the schema does not concern the benchmarks.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from operator import itemgetter
from types import TracebackType
from typing import Any, NamedTuple

import psycopg
from typing_extensions import Self

from tests.bench.turns import USER
from tests.web.serving import WELCOME

_SQLITE = "sqlite:///"
_CACHE_KB = 512 * 1024  # of SQLite's pages, while a large table is filled
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    empty: Any  # what it gets where nothing is given
    needed: bool


class Database:
    """A direct connection to a bridge's database, SQLite or PostgreSQL; a context manager.

    Args:
        url: ``storage.url``.
    """

    def __init__(self, url: str) -> None:
        self._sqlite = url.startswith(_SQLITE)
        self._connection: Any = (
            sqlite3.connect(url.removeprefix(_SQLITE), isolation_level=None, timeout=60)
            if self._sqlite
            else psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows."""
        cursor = self._connection.execute(question)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return rows

    def insert(self, table: str, rows: Iterable[Row]) -> None:
        """Insert rows that all have the same keys, in one transaction."""
        rows = iter(rows)
        first = next(rows)
        columns = [each for each in self._columns(table) if each.needed or each.name in first]
        names = ", ".join(each.name for each in columns)
        empty = {each.name: each.empty for each in columns if each.name not in first}
        take = itemgetter(*(each.name for each in columns))
        values = (take({**empty, **row} if empty else row) for row in chain([first], rows))
        if self._sqlite:
            marks = ", ".join("?" * len(columns))
            self.ask("BEGIN IMMEDIATE")
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - ours
            self._connection.executemany(statement, values)
            self.ask("COMMIT")
            return
        with self._connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)

    @contextmanager
    def in_bulk(self, *tables: str) -> Iterator[None]:
        """Fill large tables of a database that nobody else has open.

        Indexes are made after the rows. On SQLite nothing is logged or synchronized meanwhile; on
        PostgreSQL the planner gets its statistics, which it would get by itself within minutes.
        """
        if not self._sqlite:
            yield
            self.ask("VACUUM ANALYZE")
            return
        self.ask("PRAGMA journal_mode=OFF")
        self.ask("PRAGMA synchronous=OFF")
        self.ask(f"PRAGMA cache_size=-{_CACHE_KB}")
        marks = ", ".join(f"'{table}'" for table in tables)
        indexes = self.ask(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"  # noqa: S608 - ours
            f" AND tbl_name IN ({marks})"
        )
        for name, _ in indexes:
            self.ask(f"DROP INDEX {name}")
        yield
        for _, made_by in indexes:
            self.ask(made_by)
        self.ask("PRAGMA journal_mode=WAL")

    def _columns(self, table: str) -> list[_Column]:
        if self._sqlite:
            return [
                _Column(name, _empty(kind), bool(required) and default is None and not _counts(row))
                for row in self.ask(f"PRAGMA table_info({table})")
                for _, name, kind, required, default, _ in [row]
            ]
        return [
            _Column(name, _empty(kind), nullable == "NO" and default is None and identity == "NO")
            for name, kind, nullable, default, identity in self.ask(
                "SELECT column_name, data_type, is_nullable, column_default, is_identity"  # noqa: S608 - ours
                f" FROM information_schema.columns WHERE table_name = '{table}'"
                " ORDER BY ordinal_position"
            )
        ]


def _counts(row: Sequence[Any]) -> bool:
    """Tell whether SQLite numbers this column itself."""
    _, _, kind, _, _, place_in_key = row
    return bool(place_in_key == 1 and kind.upper() == "INTEGER")


def _empty(kind: str) -> Any:
    kind = kind.upper()
    if "CHAR" in kind or "TEXT" in kind:
        return ""
    return False if "BOOL" in kind else 0


# Rows


class Call(NamedTuple):
    """One call that was handed off, with the one message that this delivered."""

    sender: str
    call: str
    agent: str
    at: float
    user: str = USER
    ended: bool = False
    state: str = "delivered"

    def assignment(self) -> Row:
        """Return its row of ``assignments``."""
        return {
            "sender_id": self.sender,
            "call_id": self.call,
            "agent_id": self.agent,
            "user_id": self.user,
            "channel": "WEB",
            "owner": "bot" if self.ended else "agent",
            "source": "http",
            "given_at": self.at,
            "handed_off_at": self.at,
            "ended_at": self.at + 60 if self.ended else None,
        }

    def turn(self) -> Row:
        """Return its row of ``turns``."""
        return {
            "key": self._id("turn"),
            "sender_id": self.sender,
            "call_id": self.call,
            "made_at": self.at,
            "answer": _ANSWER,
        }

    def delivery(self) -> Row:
        """Return its row of ``deliveries``."""
        return {
            "message_code": self._id("code"),
            "sender_id": self.sender,
            "call_id": self.call,
            "agent_id": self.agent,
            "user_id": self.user,
            "channel": "WEB",
            "channel_config_id": "202301032048582419",
            "nickname": "Agent",
            "avatar": "DefaultAvatar",
            "media_type": "TEXT",
            "content": WELCOME,
            "origin": "handoff",
            "turn_key": self._id("turn"),
            "reply_key": self._id("reply"),
            "part": 0,
            "state": self.state,
            "created_at": self.at,
            "expires_at": self.at + 300,
            "due_at": self.at,
            "attempts": 1,
            "connected": True,
            "settled_at": self.at + 1,
        }

    def _id(self, of: str) -> str:
        """Return an ID in the form of a UUID; in no order, as the bridge's own."""
        found = blake2b(f"{of} {self.call}".encode(), digest_size=16).hexdigest()
        return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


_ANSWER = json.dumps({"state": "handoff"})
TABLES: Mapping[str, Callable[[Call], Row]] = {
    "assignments": Call.assignment,
    "turns": Call.turn,
    "deliveries": Call.delivery,
}

"""Erases a customer, a conversation or a call: everywhere in the store, and for good.

First, in one transaction, what could still be sent or shown is deleted; then the rest, a few rows
at a time beside a server that works.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.core.core import Core
from bridge.state.commands import EraseRows, StopErased
from bridge.state.records import Erasure
from bridge.store import Store, erasure
from bridge.store.erasure import Key, Window
from bridge.turn import kept_name

__all__ = ["Erased", "Eraser", "Erasure"]

Progress: TypeAlias = Callable[[int, int], None]  # tables done, of how many

_ROWS_READ = 2000
_ROWS_WRITTEN = 100  # in one transaction
_COMPACTED = 256 * 1024 * 1024  # bytes; a larger file is written anew only if that is asked for


@dataclass(slots=True)
class Erased:
    """What was found, or erased: rows by table.

    Attributes:
        clean: whether SQLite's files hold no byte of it any more; True with PostgreSQL, whose
            files nobody but itself reads.
    """

    rows: Counter[str] = field(default_factory=Counter)
    clean: bool = True

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows.values())


class Eraser:
    """Blocks for the store.

    Args:
        store: to find rows in.
        core: erases them.
        rows_read: of the gateway's events, at a time.
        rows_written: in one transaction.
        compacted: bytes up to which a file is written anew unasked.
    """

    def __init__(
        self,
        store: Store,
        core: Core,
        *,
        rows_read: int = _ROWS_READ,
        rows_written: int = _ROWS_WRITTEN,
        compacted: int = _COMPACTED,
    ) -> None:
        self._store = store
        self._core = core
        self._rows_read = rows_read
        self._rows_written = rows_written
        self._compacted = compacted

    def erasure(self, kind: str, name: str) -> Erasure:
        """What belongs to a ``sender``, a ``user`` or a ``call`` of this ID."""
        find = {
            "sender": erasure.of_sender,
            "user": erasure.of_user,
            "call": erasure.of_call,
        }[kind]
        return self._store.read(lambda tx: find(tx, kept_name(name)))

    def find(self, erased: Erasure, progress: Progress) -> Erased:
        """Count what there is of it. Nothing is changed."""
        found = Erased()
        for table, keys in self._keys(erased, progress):
            found.rows[table] += len(keys)
        return found

    def erase(self, erased: Erasure, progress: Progress, *, compact: bool | None) -> Erased:
        """Erase it.

        Args:
            erased: what.
            progress: told how far it has come.
            compact: whether SQLite's file is written anew in the end, so that no former byte of
                a page is left; None: where that takes a moment only.
        """
        found = Erased()
        found.rows.update(self._core.call(StopErased(erasure=erased)))
        for table, keys in self._keys(erased, progress):
            for at in range(0, len(keys), self._rows_written):
                command = EraseRows(table=table, keys=keys[at : at + self._rows_written])
                found.rows[table] += self._core.call(command, background=True)
        size = self._store.size()
        found.clean = size is None or (size <= self._compacted if compact is None else compact)
        if found.clean and size is not None:
            self._store.compact()
        found.clean = self._store.empty_log() and found.clean
        return found

    def _keys(self, erased: Erasure, progress: Progress) -> Iterator[tuple[str, Sequence[Key]]]:
        """The keys of all rows of it, table by table."""
        total = len(erasure.TABLES)
        for done, table in enumerate(erasure.TABLES, 1):
            if table == "events":
                for window in self._windows(erased):
                    yield table, window.found
            else:
                yield table, self._found(table, erased)
            progress(done, total)

    def _found(self, table: str, erased: Erasure) -> tuple[Key, ...]:
        return self._store.read(lambda tx: erasure.found(tx, table, erased))

    def _windows(self, erased: Erasure) -> Iterator[Window]:
        after: Key | None = None
        while True:
            window = self._events(erased, after)
            yield window
            after = window.reached
            if after is None:
                return

    def _events(self, erased: Erasure, after: Key | None) -> Window:
        return self._store.read(lambda tx: erasure.events(tx, erased, after, self._rows_read))

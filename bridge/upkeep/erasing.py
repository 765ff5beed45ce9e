"""Permanently erases the data of a customer, a conversation or a call from the store.

First deletes, in one transaction, everything that could still be sent or shown; then the rest, a
few rows at a time while the server runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.core.core import Core
from bridge.state.commands import EraseRows, StopErased
from bridge.state.records import Erasure, RowKey
from bridge.store import Store, erasure
from bridge.store.erasure import ErasureWindow
from bridge.turn import kept_name

__all__ = ["Erased", "Eraser", "Erasure"]

Progress: TypeAlias = Callable[[int, int], None]  # called with tables done, and their total

_ROWS_READ = 2000
_ROWS_WRITTEN = 100  # per transaction
_COMPACTED = 256 * 1024 * 1024  # bytes; a larger file is compacted only on request


@dataclass(slots=True)
class Erased:
    """The numbers of rows found or erased, by table.

    Attributes:
        clean: whether SQLite's files contain no remains of the data; True with PostgreSQL, whose
            files only the server reads.
    """

    rows: Counter[str] = field(default_factory=Counter)
    clean: bool = True

    @property
    def total(self) -> int:
        """The number of rows in all tables."""
        return sum(self.rows.values())


class Eraser:
    """Finds and erases personal data. Blocking.

    Args:
        store: the store to search.
        core: executes the erasing commands.
        rows_read: gateway events per window.
        rows_written: rows per transaction.
        compacted: bytes up to which SQLite's file is compacted without a request.
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
        """Return the scope of the ``sender``, ``user`` or ``call`` with the ID ``name``."""
        find = {
            "sender": erasure.of_sender,
            "user": erasure.of_user,
            "call": erasure.of_call,
        }[kind]
        return self._store.read(lambda tx: find(tx, kept_name(name)))

    def find(self, erased: Erasure, progress: Progress) -> Erased:
        """Count the rows to erase, without changing anything."""
        counts = Erased()
        for table, keys in self._keys(erased, progress):
            counts.rows[table] += len(keys)
        return counts

    def erase(self, erased: Erasure, progress: Progress, *, compact: bool | None) -> Erased:
        """Erase all rows of the scope.

        Args:
            erased: the scope.
            progress: callback, called after each table.
            compact: whether to compact SQLite's file afterwards, so that no page keeps remains;
                None: only if the file is small enough to be quick.
        """
        result = Erased()
        result.rows.update(self._core.call(StopErased(erasure=erased)))
        for table, keys in self._keys(erased, progress):
            for at in range(0, len(keys), self._rows_written):
                command = EraseRows(table=table, keys=keys[at : at + self._rows_written])
                result.rows[table] += self._core.call(command, background=True)
        size = self._store.size()
        result.clean = size is None or (size <= self._compacted if compact is None else compact)
        if result.clean and size is not None:
            self._store.compact()
        result.clean = self._store.empty_log() and result.clean
        return result

    def _keys(self, erased: Erasure, progress: Progress) -> Iterator[tuple[str, Sequence[RowKey]]]:
        """Yield the keys of all rows of the scope, table by table."""
        total = len(erasure.TABLES)
        for done, table in enumerate(erasure.TABLES, 1):
            if table == "events":
                for window in self._windows(erased):
                    yield table, window.keys
            else:
                yield table, self._found(table, erased)
            progress(done, total)

    def _found(self, table: str, erased: Erasure) -> tuple[RowKey, ...]:
        return self._store.read(lambda tx: erasure.matching_keys(tx, table, erased))

    def _windows(self, erased: Erasure) -> Iterator[ErasureWindow]:
        after: RowKey | None = None
        while True:
            window = self._events(erased, after)
            yield window
            after = window.reached
            if after is None:
                return

    def _events(self, erased: Erasure, after: RowKey | None) -> ErasureWindow:
        return self._store.read(lambda tx: erasure.events(tx, erased, after, self._rows_read))

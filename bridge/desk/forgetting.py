"""Forgets a customer, a conversation or a call: everywhere in the store, and for good.

First, in one transaction, what could still be said or shown is taken away; then the rest, a few
rows at a time beside a server that works.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.store import Store, forgetting
from bridge.store.forgetting import Key, Whose, Window
from bridge.turn import kept_name

__all__ = ["Forgetting", "Forgotten", "Whose"]

Progress: TypeAlias = Callable[[int, int], None]  # rows looked through, of how many

_ROWS_READ = 2000
_ROWS_WRITTEN = 100  # in one transaction
_COMPACTED = 256 * 1024 * 1024  # bytes; a larger file is written anew only if that is asked for


@dataclass(slots=True)
class Forgotten:
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


class Forgetting:
    """The use cases. Blocks for the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def whose(self, kind: str, name: str) -> Whose:
        """What belongs to a ``sender``, a ``user`` or a ``call`` of this ID."""
        find = {
            "sender": forgetting.of_sender,
            "user": forgetting.of_user,
            "call": forgetting.of_call,
        }[kind]
        return self._store.read(lambda tx: find(tx, kept_name(name)))

    def look(self, whose: Whose, progress: Progress) -> Forgotten:
        """Count what there is of it. Nothing is changed."""
        found = Forgotten()
        self._all(whose, progress, lambda table, window: self._count(found, table, window))
        return found

    def erase(self, whose: Whose, progress: Progress, *, compact: bool | None) -> Forgotten:
        """Erase it.

        Args:
            whose: what.
            progress: told how far it has come.
            compact: whether SQLite's file is written anew in the end, so that no former byte of
                a page is left; None: where that takes a moment only.
        """
        found = Forgotten()
        found.rows.update(self._store.write(lambda tx: forgetting.stop(tx, whose)))
        self._all(whose, progress, lambda table, window: self._erase(found, table, window))
        size = self._store.size()
        found.clean = size is None or (size <= _COMPACTED if compact is None else compact)
        if found.clean and size is not None:
            self._store.compact()
        found.clean = self._store.empty_log() and found.clean
        return found

    def _all(self, whose: Whose, progress: Progress, act: Callable[[str, Window], None]) -> None:
        total, done = self._store.read(forgetting.size), 0
        for table in forgetting.TABLES:
            for window in self._windows(table, whose):
                act(table, window)
                done += window.rows
                progress(done, max(done, total))

    def _windows(self, table: str, whose: Whose) -> Iterator[Window]:
        after: Key | None = None
        while True:
            window = self._look(table, whose, after)
            yield window
            after = window.reached
            if after is None:
                return

    def _look(self, table: str, whose: Whose, after: Key | None) -> Window:
        return self._store.read(lambda tx: forgetting.look(tx, table, whose, after, _ROWS_READ))

    @staticmethod
    def _count(found: Forgotten, table: str, window: Window) -> None:
        found.rows[table] += len(window.found)

    def _erase(self, found: Forgotten, table: str, window: Window) -> None:
        for at in range(0, len(window.found), _ROWS_WRITTEN):
            found.rows[table] += self._erased(table, window.found[at : at + _ROWS_WRITTEN])

    def _erased(self, table: str, keys: Sequence[Key]) -> int:
        return self._store.write(lambda tx: forgetting.erase(tx, table, keys))

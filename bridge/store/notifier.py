"""Tells processes on other machines, through PostgreSQL, that there is something for them to do.

One NOTIFY a commit, with IDs only, and only where another machine must act. SQLite has no such
channel: there, each process compares ``PRAGMA data_version``, which moves with others' commits.
"""

from __future__ import annotations

import json
import logging
import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bridge.store.statements import Transaction

logger = logging.getLogger(__name__)

_CHANNEL = "cc_bridge"
_NOTIFY = f"SELECT pg_notify('{_CHANNEL}', %s)"
_LONGEST = 7000  # bytes; PostgreSQL takes 8,000
_PAUSE = 1.0  # seconds before the next attempt to listen
_STILL_THERE = 20.0  # seconds of silence after which the connection is checked


@dataclass(frozen=True, slots=True)
class Notice:
    """What another process stored.

    Attributes:
        everything: look for all of it; what changed is not known.
        due: deliveries or updates may be due.
        turns: action calls that were answered, or whose deliveries moved.
        agents: agents whose sessions changed.
    """

    everything: bool = False
    due: bool = False
    turns: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


EVERYTHING = Notice(everything=True, due=True)


def notify(
    tx: Transaction, sender: str, *, due: bool, turns: Iterable[str], agents: Iterable[str]
) -> None:
    """Tell other machines once ``tx`` is committed; nothing is done on SQLite."""
    if tx.dialect != "postgresql":
        return
    told: dict[str, Any] = {"from": sender}
    if due:
        told["due"] = True
    lists = {"turns": list(turns), "agents": list(agents)}
    told |= {name: found for name, found in lists.items() if found}
    if len(told) == 1:
        return
    text = json.dumps(told)
    if len(text) > _LONGEST:
        text = json.dumps({"from": sender, "everything": True})
    tx.execute(_NOTIFY, [text])


def read(text: str, own: str) -> Notice | None:
    """A notice from the channel; None for one of our own."""
    try:
        told = json.loads(text)
    except ValueError:
        return EVERYTHING
    if not isinstance(told, dict):
        return EVERYTHING
    if told.get("from") == own:
        return None
    return Notice(
        everything=bool(told.get("everything")),
        due=bool(told.get("due")) or bool(told.get("everything")),
        turns=tuple(map(str, told.get("turns", ()))),
        agents=tuple(map(str, told.get("agents", ()))),
    )


class Notifier:
    """Listens in a thread of its own. Start it once; close it once.

    Args:
        engine: with one reading connection, which is closed in the end.
        own: the name of this process, whose own notices are passed over.
        notified: called with each notice, in this thread; must be quick.
    """

    def __init__(self, engine: Engine, own: str, notified: Callable[[Notice], None]) -> None:
        self._engine = engine
        self._own = own
        self._notified = notified
        self._closing = False
        self._ended, self._end = socket.socketpair()  # readable once it is to end
        self._thread = threading.Thread(target=self._run, name="store-notifier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing = True
        self._end.send(b"x")
        self._thread.join()
        self._engine.dispose()
        self._ended.close()
        self._end.close()

    def _run(self) -> None:
        failed = False
        while not self._closing:
            try:
                with self._engine.connect() as connection:
                    connection.exec_driver_sql(f"LISTEN {_CHANNEL}")
                    driver: Any = connection.connection.driver_connection
                    failed = False
                    self._notified(EVERYTHING)  # what was stored while nobody listened
                    while not self._closing:
                        self._wait(driver)
            except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                if not failed:
                    reason = type(getattr(error, "orig", None) or error).__name__
                    logger.warning("Other machines cannot be heard for now (%s)", reason)
                failed = True
                self._rest(_PAUSE)

    def _wait(self, driver: Any) -> None:
        if not self._rest(_STILL_THERE, driver):
            driver.execute("SELECT 1")
        for notice in list(driver.notifies(timeout=0)):
            found = read(notice.payload, self._own)
            if found is not None:
                self._notified(found)

    def _rest(self, seconds: float, *until: Any) -> bool:
        """Wait until there is something to read; whether there is."""
        with selectors.DefaultSelector() as selector:
            for file in (self._ended, *until):
                selector.register(file, selectors.EVENT_READ)
            return bool(selector.select(seconds))

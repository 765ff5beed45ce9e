"""Notifies processes on other machines of new work, with PostgreSQL's NOTIFY.

At most one NOTIFY per commit, with IDs only, and only if another machine must act. SQLite has no
such channel: there, each process polls ``PRAGMA data_version``, which changes with other
connections' commits.
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
_LONGEST = 7000  # bytes; PostgreSQL's limit is 8,000
_PAUSE = 1.0  # seconds before the next attempt to listen
_STILL_THERE = 20.0  # seconds of silence after which the connection is checked


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification of what another process stored.

    Attributes:
        everything: the changes are unknown: check everything.
        due: deliveries or updates may be due.
        turns: action calls that were answered, or whose deliveries changed.
        agents: agents whose sessions changed.
        changes: the number of the last change in the log; 0 if there is none.
    """

    everything: bool = False
    due: bool = False
    turns: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    changes: int = 0


EVERYTHING = Notice(everything=True, due=True)


def notify(
    tx: Transaction,
    sender: str,
    *,
    due: bool,
    turns: Iterable[str],
    agents: Iterable[str],
    changes: int = 0,
) -> None:
    """Notify other machines when ``tx`` commits; do nothing on SQLite."""
    if tx.dialect != "postgresql":
        return
    payload: dict[str, Any] = {"from": sender}
    if due:
        payload["due"] = True
    if changes:
        payload["changes"] = changes
    lists = {"turns": list(turns), "agents": list(agents)}
    payload |= {name: values for name, values in lists.items() if values}
    if len(payload) == 1:
        return
    text = json.dumps(payload)
    if len(text) > _LONGEST:
        text = json.dumps({"from": sender, "everything": True})
    tx.execute(_NOTIFY, [text])


def read(text: str, own: str) -> Notice | None:
    """Parse a notification's payload; return None if ``own`` process sent it."""
    try:
        payload = json.loads(text)
    except ValueError:
        return EVERYTHING
    if not isinstance(payload, dict):
        return EVERYTHING
    if payload.get("from") == own:
        return None
    return Notice(
        everything=bool(payload.get("everything")),
        due=bool(payload.get("due")) or bool(payload.get("everything")),
        turns=tuple(map(str, payload.get("turns", ()))),
        agents=tuple(map(str, payload.get("agents", ()))),
        changes=changes if isinstance(changes := payload.get("changes"), int) else 0,
    )


class Notifier:
    """Listens for notifications in its own thread, started at construction. Close it once.

    Args:
        engine: an engine with one reading connection; disposed of by ``close``.
        own: the name of this process, whose own notifications are ignored.
        notified: callback for each notice, called in the listener's thread; must return quickly.
    """

    def __init__(self, engine: Engine, own: str, notified: Callable[[Notice], None]) -> None:
        self._engine = engine
        self._own = own
        self._notified = notified
        self._closing = False
        self._ended, self._end = socket.socketpair()  # readable when the thread must end
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
                    self._notified(
                        EVERYTHING
                    )  # covers commits made while this process was not listening
                    while not self._closing:
                        self._wait(driver)
            except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                if not failed:
                    reason = type(getattr(error, "orig", None) or error).__name__
                    logger.warning(
                        "Cannot receive notifications from other processes, retrying (%s)", reason
                    )
                failed = True
                self._rest(_PAUSE)

    def _wait(self, driver: Any) -> None:
        if not self._rest(_STILL_THERE, driver):
            driver.execute("SELECT 1")
        for notification in list(driver.notifies(timeout=0)):
            notice = read(notification.payload, self._own)
            if notice is not None:
                self._notified(notice)

    def _rest(self, seconds: float, *until: Any) -> bool:
        """Wait up to ``seconds`` for something to read; return whether there is."""
        with selectors.DefaultSelector() as selector:
            for file in (self._ended, *until):
                selector.register(file, selectors.EVENT_READ)
            return bool(selector.select(seconds))

"""Hears that something may be due, whichever process stored it.

SQLite: a number that moves with every commit, looked at every 50 ms. PostgreSQL: a connection that
listens; whoever stores what is due notifies in the same transaction. Neither carries anything but
the sound: whoever hears it looks for itself, and looks now and then without having heard it.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError

from bridge.store.prepared import Prepared

logger = logging.getLogger(__name__)

_CHANNEL = "cc_bridge_due"
_NOTIFY = Prepared(select(func.pg_notify(literal_column(f"'{_CHANNEL}'"), literal_column("''"))))
_LOOK = 0.05  # seconds between looks at SQLite's number
_PAUSE = 1.0  # seconds before the next try to listen
_STILL_THERE = 20.0  # seconds of silence after which the connection is asked whether it is


def ring(tx: Connection) -> None:
    """Let every process look once ``tx`` is committed; SQLite's see the commit itself."""
    if tx.dialect.name == "postgresql":
        _NOTIFY.run(tx)


class Bell(ABC):
    """One thread that hears, for all who listen in this process. ``close`` ends it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._heard: list[Callable[[], None]] = []
        self._closing = False
        self._ended, self._end = socket.socketpair()  # something to read of: the rest is over
        self._thread = threading.Thread(target=self._run, name="store-bell", daemon=True)

    def listen(self, heard: Callable[[], None]) -> None:
        """Call ``heard``, which must be quick, in the bell's thread whenever it sounds."""
        self._heard.append(heard)
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """Stop hearing. A second call does nothing."""
        if self._closing:
            return
        self._closing = True
        self._end.send(b"x")
        if self._thread.ident is not None:
            self._thread.join()
        self._engine.dispose()
        self._ended.close()
        self._end.close()

    def _run(self) -> None:
        deaf = False
        while not self._closing:
            try:
                with self._engine.connect() as connection:
                    self._begin(connection)
                    deaf = False
                    self._tell()  # of what was stored meanwhile
                    while not self._closing:
                        if self._wait(connection):
                            self._tell()
            except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                if not deaf:
                    reason = type(getattr(error, "orig", None) or error).__name__
                    logger.warning("Other processes are not heard for now (%s)", reason)
                deaf = True
                self._rest(_PAUSE)

    def _tell(self) -> None:
        for heard in self._heard:
            heard()

    def _rest(self, seconds: float, *until: Any) -> bool:
        """Rest until there is something to read; whether there is."""
        with selectors.DefaultSelector() as selector:
            for file in (self._ended, *until):
                selector.register(file, selectors.EVENT_READ)
            return bool(selector.select(seconds))

    @abstractmethod
    def _begin(self, connection: Connection) -> None:
        """Make ``connection`` one that hears."""

    @abstractmethod
    def _wait(self, connection: Connection) -> bool:
        """Wait a while; whether it sounded."""


class Versions(Bell):
    """SQLite: any commit moves a number that costs microseconds to read."""

    _seen = 0

    def _begin(self, connection: Connection) -> None:
        self._seen = self._version(connection)

    def _wait(self, connection: Connection) -> bool:
        self._rest(_LOOK)
        before, self._seen = self._seen, self._version(connection)
        return self._seen != before

    @staticmethod
    def _version(connection: Connection) -> int:
        version: int = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        return version


class Notices(Bell):
    """PostgreSQL: the server sends a word as soon as a transaction that rang is committed."""

    def _begin(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"LISTEN {_CHANNEL}")

    def _wait(self, connection: Connection) -> bool:
        driver: Any = connection.connection.driver_connection
        if not self._rest(_STILL_THERE, driver):
            driver.execute("SELECT 1")
        return bool(list(driver.notifies(timeout=0)))

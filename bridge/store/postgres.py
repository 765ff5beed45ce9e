"""PostgreSQL specifics: engine, classification of errors, and messages for the operator."""

from __future__ import annotations

import logging
import time
from functools import cache
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.engine import URL

from bridge.errors import StoreError

logger = logging.getLogger(__name__)

# libpq's parameters; storage.url may override them (?connect_timeout=10). A silent server is given
# up within seconds, because replicas wait for each other's locks.
_CONNECTION = {
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "cc-bridge",
}
# Server settings, for the same reason: they end transactions of a bridge that died or hangs.
_SESSION = {
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "5s",
}
_CLOCKS_APART = 2.0  # seconds
_NOW = func.clock_timestamp()
_UNIQUE = "23505"
_DATA = "22"  # class of the SQLSTATEs for invalid values
_CROSSED = ("40001", "40P01", "55P03")  # serialisation failure, deadlock, lock timeout


def open_engine(url: URL, connections: int, *, reading: bool) -> Engine:
    """Open an engine with at most ``connections`` connections; ``reading`` ones autocommit.

    Raises:
        StoreError: psycopg is not installed, or the URL is invalid.
    """
    if find_spec("psycopg") is None:
        message = "PostgreSQL needs psycopg: pip install 'rasa-cc-bridge[postgres]'"
        raise StoreError(message)
    if "@" in (url.host or ""):
        message = "storage.url: an @ in the user or the password is written %40 (: %3A, / %2F)"
        raise StoreError(message)
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT" if reading else "READ COMMITTED",
        pool_size=connections,
        max_overflow=0,
        connect_args={key: value for key, value in _CONNECTION.items() if key not in url.query},
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.adapters.register_dumper(str, _text_dumper())
    autocommit, connection.autocommit = connection.autocommit, True
    calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in _SESSION.items())
    connection.execute(f"SELECT {calls}")
    connection.autocommit = autocommit


@cache
def _text_dumper() -> Any:
    """Return psycopg's text dumper with NUL replaced: customers may send one."""
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415 - optional dependency

    class Text(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    return Text


def warn_of_clocks(engine: Engine) -> None:
    """Warn if this machine's clock differs from the database's, because leases rely on clocks."""
    with engine.connect() as connection:
        server = float(connection.execute(select(func.extract("epoch", _NOW))).scalar_one())
    apart = time.time() - server
    if abs(apart) > _CLOCKS_APART:
        logger.warning(
            "This machine's clock is %.0f s %s the database's: replicas whose clocks differ take"
            " messages from each other that are being sent; let NTP set them",
            abs(apart),
            "ahead of" if apart > 0 else "behind",
        )


def lost(connection: Any) -> bool:
    """Return whether the driver's ``connection`` is closed or broken."""
    return bool(connection.closed or connection.broken)


def crossed(error: object) -> bool:
    """Return whether the error is a conflict with another transaction: a retry may succeed."""
    return getattr(error, "sqlstate", None) in _CROSSED


def violated(error: object) -> bool:
    """Return whether a unique constraint was violated: another machine stored the same row."""
    return getattr(error, "sqlstate", None) == _UNIQUE


def unstorable(error: object) -> bool:
    """Return whether the server rejects a value: too long, out of range."""
    return str(getattr(error, "sqlstate", None)).startswith(_DATA)


def refusal(url: URL, cause: BaseException) -> str:
    """Return why the database cannot be opened and what to check, without the password."""
    said = str(cause).strip().partition("\n")[0]
    if url.password:
        said = said.replace(str(url.password), "***")
    return (
        f"PostgreSQL cannot be used: {said}; storage.url names the database"
        f" {url.database or url.username!r} at {_address(url)} for the user {url.username!r}:"
        " check these, the password, and that the server runs and lets this machine in"
    )


def _address(url: URL) -> str:
    host = url.query.get("host", url.host or "localhost")
    hosts = ", ".join(host) if isinstance(host, tuple) else host
    return f"{hosts}:{url.port}" if url.port else hosts

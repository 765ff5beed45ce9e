"""Upgrades a database to this version's schema; one process does it, others wait.

A current database costs one query, and an empty one is created directly from the schema: Alembic,
which takes 0.2 s to import, is loaded only to upgrade an older database. A test keeps both ways
consistent.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from bridge.errors import StoreError
from bridge.store.schema import metadata

HEAD = "0112"  # the newest version under migrations/versions; checked by a test
logger = logging.getLogger(__name__)

_LOCK = 0x63636272  # "ccbr": PostgreSQL advisory lock of migrations
_LOCK_TIMEOUT = "10min"  # wait for another replica's migration
_UNRELEASED = ("0001", "0002", "0003", "0004", "0101")
_FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Upgrade the database of ``engine`` to ``HEAD``.

    Raises:
        StoreError: the database was made by a newer version of the bridge, or by one from before
            its first release.
    """
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        version = _version(connection)  # another process may have upgraded it meanwhile
        if version == HEAD:
            return
        if version is None:
            _create(connection)
        else:
            _upgrade(connection, version)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create(connection: Connection) -> None:
    from bridge.store import indexes  # noqa: F401, PLC0415 - completes the metadata

    metadata.create_all(connection)
    connection.execute(
        text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def _upgrade(connection: Connection, version: str | None) -> None:
    if version in _UNRELEASED:
        message = (
            f"the database is of version {version}, from before the first release, and cannot be"
            " used: to start with an empty one, stop the server and move the file away (SQLite), or"
            " name an empty database in storage.url"
        )
        raise StoreError(message)
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)  # the next line says enough
    logger.info("Upgrading the database to version %s", HEAD)
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        message = (
            f"the database is of version {version}, which this version of the bridge does not"
            " know: it was used by a newer one; install that, or name another storage.url"
        )
        raise StoreError(message) from error

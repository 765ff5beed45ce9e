"""The database: does it exist, is it of this version, and can it be written?"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.settings import BridgeSettings
from bridge.doctor.diagnosis import Diagnosis, error, ok, warning
from bridge.doctor.gateway import CLOCKS_APART
from bridge.errors import StoreError
from bridge.store import condition
from bridge.store.condition import StoreCondition

_KEY = "storage.url"
_FILE = "bridge.yml"
_OF_A_CORE = 10  # connections to PostgreSQL; see docs/operations.md
_OF_A_WORKER = 8


def examine(settings: BridgeSettings, workers: int) -> Iterator[Diagnosis]:
    """Look at the database without changing it."""
    try:
        found = condition.examine(settings.storage.url)
    except StoreError as failure:
        yield error(
            _KEY,
            str(failure),
            allowed="a database that can be written",
            hint="check the path and its owner, the disk space, or the PostgreSQL server",
            file=_FILE,
        )
        return
    yield _version(found)
    if found.ahead is not None and abs(found.ahead) > CLOCKS_APART:
        yield warning(
            "storage.clock",
            f"this machine's clock differs from the database's by {abs(found.ahead):,.0f} s",
            allowed=f"at most {CLOCKS_APART:.0f} s apart",
            hint="let NTP set both clocks",
        )
    needed = _OF_A_CORE + _OF_A_WORKER * workers
    if found.connections is not None and found.connections < needed:
        yield warning(
            "storage.connections",
            f"PostgreSQL allows {found.connections} connections",
            allowed=f"{needed} for each server (workers: {workers})",
            hint="raise max_connections, or lower ACTION_SERVER_SANIC_WORKERS",
        )


def _version(found: StoreCondition) -> Diagnosis:
    if found.version is None:
        return ok(_KEY, "empty: the tables are created when the server starts")
    if found.version == found.wanted:
        return ok(_KEY, f"version {found.version}, writable")
    if found.version < found.wanted:
        return warning(
            _KEY,
            f"version {found.version}",
            allowed=f"version {found.wanted}",
            hint="back it up, stop the old servers, and start this version: it upgrades the tables",
        )
    return error(
        _KEY,
        f"version {found.version}, of a newer bridge",
        allowed=f"version {found.wanted}",
        hint="install the newer version again, or name another database",
        file=_FILE,
    )

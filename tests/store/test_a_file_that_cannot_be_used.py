"""A SQLite file that cannot be opened, read or written: the start says which, and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.errors import StoreError
from bridge.store import Store

# The system refuses to let any file of the process grow beyond this, as a full disk does.
FULL = """
import resource, sys
from bridge.errors import StoreError
from bridge.store import Store

url, limit = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    store = Store(url)
    try:
        store.demand_writable()
    finally:
        store.close()
except StoreError as error:
    print(error)
"""


def on_a_full_disk(url: str, limit: int) -> str:
    """What opening and writing comes to where files cannot grow beyond ``limit`` bytes."""
    run = subprocess.run(
        [sys.executable, "-c", FULL, url, str(limit)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stderr == ""
    return run.stdout.strip()


def test_a_disk_that_is_full_at_the_first_start(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    said = on_a_full_disk(f"sqlite:///{path}", 8192)
    assert said.startswith(f"the database {path} cannot be used: ")
    Store(f"sqlite:///{path}").close()  # with room again, it is made


def test_a_disk_that_is_full_at_a_later_start(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    Store(f"sqlite:///{path}").close()
    assert on_a_full_disk(f"sqlite:///{path}", 1 << 24) == ""
    said = on_a_full_disk(f"sqlite:///{path}", 64)
    assert said.startswith(f"the database {path} cannot be ")


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")  # which no test as root would meet

    monkeypatch.setattr("os.open", refused)
    path = tmp_path / "bridge.db"
    with pytest.raises(StoreError, match=f"the database {path} cannot be opened: Permission"):
        Store(f"sqlite:///{path}")


def test_somebody_elses_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "bridge.db"
    path.touch()
    monkeypatch.setattr("pathlib.Path.chmod", refused)
    with pytest.raises(StoreError, match=f"the database {path} cannot be opened: Operation"):
        Store(f"sqlite:///{path}")


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    path.mkdir()
    with pytest.raises(StoreError, match=f"the database {path} cannot be used: unable to open"):
        Store(f"sqlite:///{path}")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    path.write_text("It is a shopping list, and rather a long one. " * 40)
    with pytest.raises(StoreError, match=f"the database {path} cannot be used: .*not a database"):
        Store(f"sqlite:///{path}")
    assert path.read_text().startswith("It is a shopping list")

"""A SQLite file that cannot be opened, read or written: the start says which, and why."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
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
        store.require_writable()
    finally:
        store.close()
except StoreError as error:
    print(error)
"""

# Root may write everywhere, so what is tried is tried as somebody else; all is imported before.
AS_SOMEBODY = """
import os, pwd, sys
from bridge.errors import StoreError
from bridge.store import Store

warm, url = sys.argv[1:]
Store(warm).close()
if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
try:
    store = Store(url)
    try:
        store.require_writable()
    finally:
        store.close()
except StoreError as error:
    print(error)
"""


def as_somebody(url: str, tmp_path: Path) -> str:
    """What opening and writing comes to for a user without any rights."""
    run = subprocess.run(
        [sys.executable, "-c", AS_SOMEBODY, f"sqlite:///{tmp_path / 'warm.db'}", url],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stderr == ""
    return run.stdout.strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter; pytest's are their owner's alone."""
    made = Path(tempfile.mkdtemp(prefix="bridge-store-"))
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    shutil.rmtree(made)


def give_away(path: Path) -> None:
    """To the user as whom it is tried."""
    if os.geteuid() == 0:
        shutil.chown(path, "nobody")


def test_a_folder_that_may_only_be_read(folder: Path, tmp_path: Path) -> None:
    folder.chmod(0o555)
    path = folder / "bridge.db"
    said = as_somebody(f"sqlite:///{path}", tmp_path)
    assert said == f"the database {path} cannot be opened: Permission denied"


def test_a_file_in_a_folder_that_may_only_be_read(folder: Path, tmp_path: Path) -> None:
    """As on a disk that is mounted to be read: its log cannot be made beside it."""
    path = folder / "bridge.db"
    Store(f"sqlite:///{path}").close()
    give_away(path)
    folder.chmod(0o555)
    said = as_somebody(f"sqlite:///{path}", tmp_path)
    assert said.startswith(f"the database {path} cannot be ")
    assert "Traceback" not in said


def test_a_file_of_ones_own_that_may_only_be_read_is_made_ones_own_again(
    folder: Path, tmp_path: Path
) -> None:
    path = folder / "bridge.db"
    Store(f"sqlite:///{path}").close()
    path.chmod(0o400)
    give_away(path)
    give_away(folder)
    assert as_somebody(f"sqlite:///{path}", tmp_path) == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


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

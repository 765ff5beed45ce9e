"""``make test`` runs the browser tests too, and says what to install where it cannot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def make(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``make``, with only what is in a folder on the path."""
    command = shutil.which("make")
    assert command is not None
    env = None if path is None else {"PATH": str(path)}
    return subprocess.run(
        [command, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def programs(folder: Path, *names: str) -> Path:
    """A folder with these programs."""
    for name in names:
        (folder / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        (["npm"], "need Chromium; on Debian: apt-get install chromium"),
        (["chromium"], "need npm, for axe-core; on Debian: apt-get install npm"),
    ],
)
@pytest.mark.parametrize("target", ["test", "browser"])
def test_what_is_missing_for_the_browser_tests_is_named(
    tmp_path: Path, target: str, there: list[str], sentence: str
) -> None:
    found = make(target, path=programs(tmp_path, *there))
    assert found.returncode != 0
    assert sentence in found.stderr
    assert "pytest" not in found.stdout


@pytest.mark.parametrize("browser", ["chromium", "chromium-browser"])
def test_nothing_is_said_where_both_are_there(tmp_path: Path, browser: str) -> None:
    found = make("browser-tools", path=programs(tmp_path, browser, "npm"))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_make_test_runs_both() -> None:
    commands = make("--dry-run", "test").stdout
    assert "pytest -n" in commands
    assert "pytest -m browser tests/browser" in commands


def test_the_lock_file_of_the_browser_tests_names_no_address() -> None:
    text = (ROOT / "tests" / "browser" / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text

"""Which folder is read, and what is told where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.config import load
from bridge.errors import ConfigurationError
from tests.config.conftest import GATEWAY, Folder

URL = {"BRIDGE__GATEWAY__URL": "https://gw.example:8043"}


def test_the_argument_wins_over_the_variable(folder: Folder) -> None:
    folder.write(bridge=GATEWAY)
    assert load(str(folder.path), {"BRIDGE_CONFIG": "/nowhere"}).folder == str(folder.path)
    assert load(None, {"BRIDGE_CONFIG": str(folder.path)}).folder == str(folder.path)


def test_without_a_word_it_is_config(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    (folder.path / "config").mkdir()
    (folder.path / "config" / "bridge.yml").write_text(GATEWAY)
    assert load(None, {}).folder == "config"
    assert load(None, {"BRIDGE_CONFIG": ""}).folder == "config"


def test_without_any_folder_the_environment_is_enough(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path)
    assert load(None, URL).bridge.gateway.url == URL["BRIDGE__GATEWAY__URL"]
    with pytest.raises(ConfigurationError) as caught:
        load(None, {})
    (fault,) = caught.value.faults
    assert fault.startswith("config/bridge.yml: gateway.url\n")
    assert "there is no such file" in fault
    assert "BRIDGE__GATEWAY__URL" in fault


def test_a_folder_that_was_named_must_be_there(folder: Folder) -> None:
    gone = folder.path / "gone"
    with pytest.raises(ConfigurationError, match="a folder that does not exist"):
        load(gone, URL)
    with pytest.raises(ConfigurationError, match="named by BRIDGE_CONFIG"):
        load(None, {**URL, "BRIDGE_CONFIG": str(gone)})
    gone.write_text("")
    with pytest.raises(ConfigurationError, match="not a folder"):
        load(gone, URL)


def test_loading_needs_nothing_heavy() -> None:
    """The server's start waits for this."""
    code = (
        "import sys; from bridge.config import load; load(None, {'BRIDGE__GATEWAY__URL': 'http://x'});"
        "print(*(m for m in ('sanic', 'sqlalchemy', 'requests', 'rasa_sdk') if m in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={},
    )
    assert run.stdout.strip() == ""

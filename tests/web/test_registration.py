"""Importing the actions registers them and the edge, and does nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rasa_sdk.plugin import plugin_manager

from bridge.actions import plugin


def test_importing_the_actions_does_nothing_else(tmp_path: Path) -> None:
    code = (
        "import threading, actions\n"
        "from rasa_sdk.plugin import plugin_manager\n"
        "assert plugin_manager().has_plugin('rasa-cc-bridge')\n"
        "assert threading.active_count() == 1\n"
        "import sys; assert 'rasa_cc_bridge' not in sys.modules\n"
    )
    environ = {**os.environ, "BRIDGE_CONFIG": "nowhere", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


def test_registering_twice_registers_once() -> None:
    plugin.register()
    plugin.register()
    edges = [found for found in plugin_manager().get_plugins() if isinstance(found, plugin.WebEdge)]
    assert len(edges) == 1

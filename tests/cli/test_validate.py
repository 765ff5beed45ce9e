"""``cc-bridge validate`` as an operator runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def validate(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BRIDGE")}
    return subprocess.run(
        [sys.executable, "-m", "bridge", "validate", str(folder), *options],
        capture_output=True,
        text=True,
        check=False,
        env=kept,
    )


def test_a_good_configuration_is_said_to_be_good(tmp_path: Path) -> None:
    (tmp_path / "bridge.yml").write_text('gateway: {url: "https://gw.example:8043"}')
    found = validate(tmp_path)
    assert (found.returncode, found.stdout) == (0, "The configuration is good.\n")
    assert "warning: api.token is not set" in found.stderr


def test_every_fault_is_told_and_the_exit_code_is_2(tmp_path: Path) -> None:
    (tmp_path / "bridge.yml").write_text("gateway: {ur: x}\ndelivery: {wait: 90}\n")
    found = validate(tmp_path)
    assert found.returncode == 2
    assert "gateway.ur" in found.stderr
    assert "did you mean  url?" in found.stderr
    assert "delivery.wait" in found.stderr
    assert "Traceback" not in found.stderr


def test_intents_are_looked_up_in_the_domain_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "bridge.yml").write_text('gateway: {url: "https://gw.example:8043"}')
    (tmp_path / "handoff.yml").write_text("handoff: {when: [{intent: human_handof}]}")
    domain = tmp_path / "domain.yml"
    domain.write_text("intents: [human_handoff]\nresponses: {}\n")
    found = validate(tmp_path, "--domain", str(domain))
    assert found.returncode == 2
    assert "did you mean  human_handoff?" in found.stderr

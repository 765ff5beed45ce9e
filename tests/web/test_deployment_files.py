"""The container, compose.yml, the systemd unit and the Helm values start what there is to start."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bridge.config import environment
from bridge.config.settings import BridgeSettings
from tests.web.serving import ActionServer

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "config" / "bridge.yml").read_text("utf-8")
SERVE = ["python", "-m", "rasa_sdk", "--actions"]


def dockerfile() -> list[tuple[str, str]]:
    """Its instructions, and what follows each."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\n(?=CMD \[\"python\", \"-c\")", " ", "\n".join(lines))
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in joined.splitlines()]


def said(instruction: str) -> list[str]:
    return [rest for name, rest in dockerfile() if name == instruction]


def unit() -> configparser.RawConfigParser:
    class Several(dict[str, Any]):
        """Keys may come twice in a unit: all of their values count."""

        def __setitem__(self, key: str, value: Any) -> None:
            if key in self and isinstance(value, list):
                self[key].extend(value)
            else:
                super().__setitem__(key, value)

    parser = configparser.RawConfigParser(strict=False, dict_type=Several)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(ROOT / "deploy" / "cc-bridge.service", encoding="utf-8")
    return parser


def test_the_unit_stops_its_restarts_at_a_fault_that_lasts() -> None:
    """The limit counts starts within the interval: they have to fit in."""
    limit, service = unit()["Unit"], unit()["Service"]
    starting = 10.0  # seconds at most: validate, and the server until it refuses
    lasted = int(limit["StartLimitBurst"]) * (float(service["RestartSec"]) + starting)
    assert lasted <= float(limit["StartLimitIntervalSec"])
    # Exit code 2 of the server is also that of a database which is away: it has to be tried again.
    assert service["Restart"] == "on-failure"
    assert "RestartPreventExitStatus" not in service


def yaml(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((ROOT / name).read_text("utf-8"))


def variables() -> set[str]:
    """The names of what the three files set in the environment."""
    compose = yaml("compose.yml")["services"]["bridge"]["environment"]
    chart = [each["name"] for each in yaml("deploy/rasa-values.yml")["extraEnv"]]
    image = [each.partition("=")[0] for line in said("ENV") for each in line.split()]
    return {*compose, *chart, *image}


def test_every_variable_is_a_key_or_named_in_the_shipped_configuration() -> None:
    for name in variables():
        if name.startswith(environment.PREFIX):
            section, _, key = name.removeprefix(environment.PREFIX).lower().partition("__")
            model = BridgeSettings.model_fields[section].annotation
            assert key in getattr(model, "model_fields", {}), name
        elif name.startswith("BRIDGE_") and name != environment.FOLDER:
            assert f"${{{name}" in CONFIGURATION, name


def test_the_image_holds_what_it_copies() -> None:
    kept = (ROOT / ".dockerignore").read_text("utf-8").split()
    copied = [
        source
        for rest in said("COPY")
        if not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in kept, source
    assert said("USER") == ["1001"]
    assert json.loads(said("CMD")[-1]) == [*SERVE, "actions"]


def test_compose_runs_commands_that_there_are() -> None:
    services = yaml("compose.yml")["services"]
    command = services["simulator"]["command"]
    assert command[0] == "cc-bridge"
    answer = run(*command[1:], "--help")
    assert answer.returncode == 0, answer.stderr
    assert {"bridge", "postgres", "simulator"} == set(services)


def test_the_unit_stops_the_main_process_first() -> None:
    service = unit()["Service"]
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) >= 30
    assert shlex.split(service["ExecStart"])[1:] == [*SERVE[1:], "bridge.actions"]
    assert Path(shlex.split(service["ExecStartPre"])[0]).name == "cc-bridge"


def test_the_unit_checks_the_configuration_first(tmp_path: Path) -> None:
    check = shlex.split(unit()["Service"]["ExecStartPre"])[1:]
    folder = {environment.FOLDER: str(tmp_path)}
    assert run(*check, environ=folder, cwd=tmp_path).returncode != 0
    url = {"BRIDGE__GATEWAY__URL": "http://127.0.0.1:8043"}
    assert run(*check, environ={**folder, **url}, cwd=tmp_path).returncode == 0


def test_the_health_check_of_the_image(server: ActionServer) -> None:
    check = json.loads(said("HEALTHCHECK")[0].partition("CMD")[2])
    assert check[0] == "python"
    for port, code in ((server.port, 0), (1, 1)):
        script = check[2].replace(":5055/", f":{port}/")
        assert str(port) in script
        command = [sys.executable, check[1], script]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_the_probes_of_the_chart(server: ActionServer, probe: str) -> None:
    path = yaml("deploy/rasa-values.yml")[probe]["httpGet"]["path"]
    assert server.get(path, token=None).status_code == 200


def run(
    *arguments: str, environ: dict[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run ``cc-bridge`` with these arguments."""
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-m", "bridge", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment.for_child({**path, **(environ or {})}),
    )

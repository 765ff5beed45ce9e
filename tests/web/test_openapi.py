"""``openapi.json``: it is valid, describes every route, and the server keeps to it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from bridge.web import openapi
from tests.web.routes import ROUTES, address_template, name
from tests.web.serving import API_TOKEN, ActionServer

SECONDS = 50  # of the run against the server, at most
COMMAND = (sys.executable, "-m", "schemathesis.cli", "run")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance"
    ",response_schema_conformance"
)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return openapi.described(ROUTES, "1.0")


def test_it_is_valid(described: dict[str, Any]) -> None:
    validate(described)


def test_every_route_is_described_once(described: dict[str, Any]) -> None:
    found = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    assert found == {(route.method, address_template(route)) for route in ROUTES}
    assert set(openapi.BODIES) == {name(route) for route in ROUTES}
    names = [item["operationId"] for path in described["paths"].values() for item in path.values()]
    assert len(set(names)) == len(names)


def test_it_says_which_requests_need_a_token(described: dict[str, Any]) -> None:
    assert described["paths"]["/bridge/health"]["get"]["security"] == []
    assert described["paths"]["/bridge/calls"]["get"]["security"] == [{"token": []}]


def test_the_server_serves_it_to_everybody(server: ActionServer) -> None:
    answer = server.get("/bridge/openapi.json", token=None)
    assert answer.status_code == 200
    found = answer.json()
    assert found["openapi"] == "3.1.0"
    assert len(found["paths"]) == len({address_template(route) for route in ROUTES})


def test_the_server_keeps_to_it(tmp_path: Path) -> None:
    """Requests of every kind that the description allows, and answers of those that it names."""
    with ActionServer(tmp_path) as server:
        options = {
            "--header": f"Authorization: Bearer {API_TOKEN}",
            "--checks": CHECKS,
            "--mode": "positive",
            "--phases": "examples,fuzzing",
            "--max-examples": "8",
            "--max-time": str(SECONDS),
            "--seed": "1",
            "--exclude-path": "/bridge/stream",
            "--request-timeout": "20",
        }
        given = [part for option in options.items() for part in option]
        ran = subprocess.run(
            [*COMMAND, f"{server.url}/bridge/openapi.json", *given],
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
        assert re.search(r"\b[1-9]\d* passed", ran.stdout)
        assert server.get("/bridge/ready").status_code == 200

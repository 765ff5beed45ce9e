"""``openapi.json``: it is valid, describes every route, and the server keeps to it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from bridge.web import digits, openapi
from tests.web.routes import ROUTES, address_template, name
from tests.web.serving import API_TOKEN, INBOX_SECRET, ActionServer

SECONDS = 300  # of the run against the server, at most; it takes about 40
EXAMPLES = 8  # of each operation, and scenarios of several
# What OpenAPI cannot say, and is not said by another status either:
EXCEPTIONS = """
# A body has 64 KB at most, whatever its fields: 413, besides the statuses of the default.
[checks]
negative_data_rejection.expected-statuses = [
    400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"
]
positive_data_acceptance.expected-statuses = [
    "2xx", "3xx", 401, 403, 404, 409, 413, 429, "5xx"
]

# Of the two parameters of one query, exactly one is given.
[[operations]]
include-name = "DELETE /bridge/tokens"
checks = { positive_data_acceptance = { enabled = false } }

# The first day is not after the last, and at most a year before it.
[[operations]]
include-name = "GET /bridge/report"
checks = { positive_data_acceptance = { enabled = false } }
"""


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


def test_it_says_which_agent_ids_there_may_be(tmp_path: Path) -> None:
    gateway = {"url": "http://127.0.0.1:9", "max_agent_id": 104}
    agents = {"*": {"session": "pushed"}}
    with ActionServer(tmp_path, bridge={"gateway": gateway, "agents": agents}) as server:
        schemas = server.get("/bridge/openapi.json").json()["components"]["schemas"]
        text, number = schemas["AgentId"]["anyOf"]
        for agent_id, known in ((100, False), (101, True), (104, True), (105, False)):
            assert (re.search(text["pattern"], str(agent_id)) is not None) is known
            assert (number["minimum"] <= agent_id <= number["maximum"]) is known
            status = server.get(f"/bridge/agents/{agent_id}").status_code
            assert status == (200 if known else 422)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_range_of_numbers_as_an_expression(one: int, other: int, number: int) -> None:
    lowest, highest = sorted((one, other))
    expression = re.compile(digits.between(lowest, highest))
    for each in (lowest, highest, lowest - 1, highest + 1, number):
        matches = expression.fullmatch(str(each)) is not None
        assert matches is (lowest <= each <= highest), each
    assert not expression.fullmatch(f"0{highest}")


@pytest.mark.timeout(2 * SECONDS)
def test_the_server_keeps_to_it(tmp_path: Path) -> None:
    """Valid and invalid requests are told apart as it says, and answered as it says.

    These are schemathesis' defaults: all checks, valid and invalid requests, all phases. (Options
    of the command that say so would override the exceptions.) The event stream is left out,
    because it does not end.
    """
    exceptions = tmp_path / "schemathesis.toml"
    exceptions.write_text(EXCEPTIONS, encoding="utf-8")
    # Agents sign in at their desktops, because a gateway that nobody serves makes a 502.
    bridge = {
        "agents": {"*": {"session": "pushed"}},
        "api": {"token": API_TOKEN, "inbox_secret": INBOX_SECRET},
    }
    with ActionServer(tmp_path, bridge=bridge) as server:
        options = {
            "--header": f"Authorization: Bearer {API_TOKEN}",
            "--max-examples": f"{EXAMPLES}",
            "--seed": "1",
            "--exclude-path": "/bridge/stream",
            "--request-timeout": "20",
        }
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(exceptions)]
        ran = subprocess.run(
            [
                *command,
                "run",
                f"{server.url}/bridge/openapi.json",
                *(part for option in options.items() for part in option),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
        for phase in ("Coverage", "Fuzzing", "Stateful"):
            assert f"✅ {phase}" in " ".join(ran.stdout.split()), phase
        assert server.get("/bridge/ready").status_code == 200

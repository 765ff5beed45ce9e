"""The test vector of docs/assignments.md is what the code makes, and what it believes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bridge import assignment_tokens
from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError

PAGE = (Path(__file__).parents[2] / "docs" / "assignments.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Test vector\n")[1].split("\n## ")[0]
SECRET, CLAIMS, TOKEN = re.findall(r"```\w+\n(.*)\n```", SECTION)
SETTINGS = BridgeSettings.model_validate(
    {
        "gateway": {"url": "http://127.0.0.1:9"},
        "channel_config_ids": {"WEB": "202301032048582419"},
        "assignment": {"secret": SECRET},
    }
)


def test_the_token_is_what_the_code_makes_of_the_claims() -> None:
    claims = json.loads(CLAIMS)
    assignment, warning = assignment_tokens.assignment_of(claims, claims["sub"], SETTINGS)
    seconds = claims["exp"] - claims["iat"]
    assert (
        assignment_tokens.mint(assignment, secret=SECRET, now=claims["iat"], seconds=seconds)
        == TOKEN
    )
    assert warning is None


def test_the_token_is_believed_while_it_is_good_and_not_after() -> None:
    claims = json.loads(CLAIMS)
    found = assignment_tokens.from_token(TOKEN, claims["sub"], SETTINGS, now=claims["exp"] - 1)
    assert found.assignment.call_id == claims["call_id"]
    assert found.given_at == claims["iat"]
    with pytest.raises(AssignmentError, match="expired"):
        assignment_tokens.from_token(TOKEN, claims["sub"], SETTINGS, now=claims["exp"])

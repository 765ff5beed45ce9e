"""The README's test vector is what the code makes, and what it believes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bridge import assignment_tokens
from bridge.errors import AssignmentError

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## Signed assignments: a test vector\n")[1].split("\n## ")[0]
SECRET, CLAIMS, TOKEN = re.findall(r"```\w+\n(.*)\n```", SECTION)
HIGHEST = 59999


def test_the_token_is_what_the_code_makes_of_the_claims() -> None:
    claims = json.loads(CLAIMS)
    assignment, warning = assignment_tokens.assignment_of(
        claims, claims["sub"], highest_agent=HIGHEST
    )
    seconds = claims["exp"] - claims["iat"]
    assert (
        assignment_tokens.mint(assignment, secret=SECRET, now=claims["iat"], seconds=seconds)
        == TOKEN
    )
    assert warning is None


def test_the_token_is_believed_while_it_is_good_and_not_after() -> None:
    claims = json.loads(CLAIMS)
    found = assignment_tokens.from_token(
        TOKEN, claims["sub"], secret=SECRET, now=claims["exp"] - 1, highest_agent=HIGHEST
    )
    assert found.assignment.call_id == claims["call_id"]
    assert found.given_at == claims["iat"]
    with pytest.raises(AssignmentError, match="expired"):
        assignment_tokens.from_token(
            TOKEN, claims["sub"], secret=SECRET, now=claims["exp"], highest_agent=HIGHEST
        )

"""Who may what."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bridge.config.settings import ApiSettings
from bridge.errors import RefusedError
from bridge.model import AgentId
from bridge.web import auth
from bridge.web.auth import SYSTEM, Kind, Principal

SECRET = "a-secret-that-is-thirty-two-bytes-long"
ANNA = Principal(Kind.AGENT, AgentId("291"))
SUPERVISOR = Principal(Kind.SUPERVISOR)


def test_a_system_may_all_an_agent_its_own_a_supervisor_looks() -> None:
    assert [auth.may(who, "291") for who in (SYSTEM, ANNA, SUPERVISOR)] == [True, True, False]
    assert [auth.may(who, "292") for who in (SYSTEM, ANNA, SUPERVISOR)] == [True, False, False]
    assert [auth.may_read(who, "292") for who in (SYSTEM, ANNA, SUPERVISOR)] == [True, False, True]
    assert [auth.only_for(who) for who in (SYSTEM, ANNA, SUPERVISOR)] == [None, "291", None]


def test_what_is_not_allowed_is_403() -> None:
    auth.demand(True)  # noqa: FBT003
    with pytest.raises(RefusedError) as refused:
        auth.demand(False)  # noqa: FBT003
    assert refused.value.status == 403


def test_the_token_is_a_systems() -> None:
    settings = ApiSettings(token=SecretStr(SECRET))
    assert auth.identify(f"Bearer {SECRET}", settings) == SYSTEM
    assert auth.identify(f"bearer  {SECRET} ", settings) == SYSTEM


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        SECRET,
        f"Token {SECRET}",
        f"Bearer {SECRET}x",
        "Bearer \udcff",
    ],
)
def test_everything_else_is_401(header: str | None) -> None:
    with pytest.raises(RefusedError) as refused:
        auth.identify(header, ApiSettings(token=SecretStr(SECRET)))
    assert refused.value.status == 401


def test_a_closed_api_is_closed_to_all() -> None:
    with pytest.raises(RefusedError) as refused:
        auth.identify(f"Bearer {SECRET}", ApiSettings())
    assert (refused.value.status, refused.value.code) == (403, "closed")

"""Who may what."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from bridge.access_tokens import AccessToken, Role
from bridge.config.settings import ApiSettings, NamedToken, Right
from bridge.errors import RefusedError
from bridge.model import AgentId
from bridge.web import auth
from bridge.web.auth import SYSTEM, Access, Principal, PrincipalKind

SECRET = "a-secret-that-is-thirty-two-bytes-long"
ANNA = Principal(PrincipalKind.AGENT, AgentId("291"))
SUPERVISOR = Principal(PrincipalKind.SUPERVISOR)
OPEN = ApiSettings(token=SecretStr(SECRET))


def identify(
    header: str | None, settings: ApiSettings = OPEN, role: Role = Role.AGENT
) -> Principal:
    """As the guard does it; only the token ``a.b.c`` is a person's."""

    async def check(token: str) -> AccessToken:
        if token != "a.b.c":
            raise RefusedError(401, "unauthorized", "no detail")
        return AccessToken(role, "291", "0", 0.0, 1.0)

    return asyncio.run(auth.identify(header, settings, check))


def test_a_system_may_all_an_agent_its_own_a_supervisor_looks() -> None:
    assert [auth.may(who, "291") for who in (SYSTEM, ANNA, SUPERVISOR)] == [True, True, False]
    assert [auth.may(who, "292") for who in (SYSTEM, ANNA, SUPERVISOR)] == [True, False, False]
    assert [auth.may_read(who, "292") for who in (SYSTEM, ANNA, SUPERVISOR)] == [True, False, True]
    assert [auth.only_for(who) for who in (SYSTEM, ANNA, SUPERVISOR)] == [None, "291", None]


def test_what_is_not_allowed_is_403() -> None:
    auth.require(True)  # noqa: FBT003
    with pytest.raises(RefusedError) as refused:
        auth.require(False)  # noqa: FBT003
    assert refused.value.status == 403


def test_the_token_is_a_systems() -> None:
    assert identify(f"Bearer {SECRET}") == SYSTEM
    assert identify(f"bearer  {SECRET} ") == SYSTEM


def test_a_signed_token_is_a_persons() -> None:
    assert identify("Bearer a.b.c") == ANNA
    assert identify("Bearer a.b.c", role=Role.SUPERVISOR) == SUPERVISOR
    assert [who.name for who in (SYSTEM, ANNA, SUPERVISOR)] == ["system", "agent:291", "supervisor"]


ALL, READ = {"GET", "POST", "PUT", "DELETE"}, {"GET"}
MAY_USE = {
    Access.EVERYBODY: (ALL, ALL, READ),
    Access.ANY: (ALL, ALL, READ),
    Access.STAFF: (ALL, set(), ALL),
    Access.SYSTEM: (ALL, set(), set()),
}


@pytest.mark.parametrize("access", Access)
def test_who_may_use_a_route(access: Access) -> None:
    for who, methods in zip((SYSTEM, ANNA, SUPERVISOR), MAY_USE[access], strict=True):
        assert {method for method in ALL if auth.may_use(who, method, access, None)} == methods


KB = "the-token-of-the-knowledge-base-000001"
LIMITED = ApiSettings(
    tokens={
        "kb": NamedToken(token=SecretStr(KB), may=(Right.SUGGESTIONS, Right.METRICS)),
        "off": NamedToken(may=(Right.TOKENS,)),
    }
)


@pytest.mark.parametrize("token", [None, SecretStr(SECRET)])
def test_a_named_token_is_a_systems_with_its_rights(token: SecretStr | None) -> None:
    settings = LIMITED.model_copy(update={"token": token})
    found = identify(f"Bearer {KB}", settings)
    assert (found.kind, found.name) == (PrincipalKind.SYSTEM, "system:kb")
    for access in Access:
        for right in (None, *Right):
            may = right in (Right.SUGGESTIONS, Right.METRICS)
            assert auth.may_use(found, "POST", access, right) is may
    for wrong in ("", "None", KB[:-1], "off", "kb"):
        with pytest.raises(RefusedError) as refused:
            identify(f"Bearer {wrong}", settings)
        assert refused.value.status == 401
    assert identify("Bearer a.b.c", settings) == ANNA


def test_an_entry_without_a_token_opens_nothing() -> None:
    closed = ApiSettings(tokens={"off": NamedToken(may=(Right.TOKENS,))})
    with pytest.raises(RefusedError) as refused:
        identify("Bearer x", closed)
    assert refused.value.code == "closed"


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
        "Bearer a.b.d",
        f"Bearer {SECRET}.b.c",
    ],
)
def test_everything_else_is_401(header: str | None) -> None:
    with pytest.raises(RefusedError) as refused:
        identify(header)
    assert refused.value.status == 401


def test_a_closed_api_is_closed_to_all() -> None:
    for token in (SECRET, "a.b.c"):
        with pytest.raises(RefusedError) as refused:
            identify(f"Bearer {token}", ApiSettings())
        assert (refused.value.status, refused.value.code) == (403, "closed")

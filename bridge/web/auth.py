"""Who asks: bearer tokens into a :class:`Principal`, and what that one may do.

Pure but for the question whose signed token it is, which is asked of the caller's ``check``.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from pydantic import SecretStr

from bridge import access_tokens
from bridge.access_tokens import AccessToken, Role
from bridge.config.settings import ApiSettings
from bridge.errors import RefusedError
from bridge.model import AgentId


class Kind(str, Enum):
    """What kind of caller asks."""

    SYSTEM = "system"  # another program, with api.token: all
    SUPERVISOR = "supervisor"  # a person who reads all
    AGENT = "agent"  # a person who acts for one agent and that agent's calls


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks; ``agent_id`` is an agent's own."""

    kind: Kind
    agent_id: AgentId | None = None

    @property
    def name(self) -> str:
        """For the log: ``system``, ``supervisor``, ``agent:291``."""
        return self.kind.value if self.agent_id is None else f"{self.kind.value}:{self.agent_id}"


SYSTEM = Principal(Kind.SYSTEM)
_READING = ("GET", "HEAD", "OPTIONS")
_DOTS = 2  # in a signed token


async def identify(
    authorization: str | None,
    settings: ApiSettings,
    check: Callable[[str], Awaitable[AccessToken]],
) -> Principal:
    """Who sent the header ``Authorization``.

    Args:
        authorization: as it came.
        settings: with the systems' token.
        check: whose signed token it is; asked only where it could be one.

    Raises:
        RefusedError: 403 where the API is closed, to signed tokens too; 401 for a token that is
            missing or not good.
    """
    if settings.token is None:
        message = "the API is closed: set api.token in bridge.yml (BRIDGE_API_TOKEN)"
        raise RefusedError(403, "closed", message)
    token = bearer(authorization)
    if not token:
        message = "send Authorization: Bearer and a token that is good"
        raise RefusedError(401, "unauthorized", message)
    if same(token, settings.token):
        return SYSTEM
    if token.count(".") != _DOTS:
        raise access_tokens.refused()
    return _person(await check(token))


def _person(found: AccessToken) -> Principal:
    if found.role is Role.AGENT:
        return Principal(Kind.AGENT, AgentId(found.subject))
    return Principal(Kind.SUPERVISOR)


def may_ask(principal: Principal, method: str) -> bool:
    """Whether ``principal`` may ask so at all: a supervisor only looks, whatever the address."""
    return principal.kind is not Kind.SUPERVISOR or method in _READING


def may(principal: Principal, agent_id: str) -> bool:
    """Whether ``principal`` may act for an agent and on that agent's calls."""
    if principal.kind is Kind.AGENT:
        return principal.agent_id == agent_id
    return principal.kind is Kind.SYSTEM


def may_read(principal: Principal, agent_id: str) -> bool:
    """Whether ``principal`` may see an agent's calls."""
    return principal.kind is Kind.SUPERVISOR or may(principal, agent_id)


def only_for(principal: Principal) -> str | None:
    """The one agent whose calls ``principal`` sees, or None for all."""
    return principal.agent_id if principal.kind is Kind.AGENT else None


def demand(allowed: bool) -> None:  # noqa: FBT001 - reads as a sentence: demand(may(...))
    """Raise RefusedError 403 unless ``allowed``."""
    if not allowed:
        raise RefusedError(403, "forbidden", "this token is not for that")


def bearer(authorization: str | None) -> str | None:
    """The token of the header, or None."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def same(token: str, secret: SecretStr) -> bool:
    """Compare in a time that does not tell how much of the token is right."""
    # Bytes that are no UTF-8 came as surrogates.
    given = token.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, secret.get_secret_value().encode())

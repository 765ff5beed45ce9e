"""Authentication and authorisation: resolve a bearer token to a :class:`Principal`.

Pure, except that signed tokens are verified by the ``check`` that the caller passes in.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from pydantic import SecretStr

from bridge import access_tokens
from bridge.access_tokens import AccessToken, Role
from bridge.config.settings import ApiSettings, Right
from bridge.errors import NotYoursError, RefusedError
from bridge.model import AgentId


class PrincipalKind(str, Enum):
    """The kind of caller."""

    SYSTEM = "system"  # another program, with a token of bridge.yml
    SUPERVISOR = "supervisor"  # a person who reads everything, and may slow assist down
    AGENT = "agent"  # a person who acts for one agent and that agent's calls


class Access(str, Enum):
    """Who may use a route; whether an agent may access a single call is checked with the call."""

    EVERYBODY = "everybody"  # no token is needed
    ANY = "any"  # any valid token, but a supervisor's only to read
    STAFF = "staff"  # systems and supervisors
    SYSTEM = "system"  # systems only


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    Attributes:
        agent_id: set for agents only.
        entry: the name under ``api.tokens`` of a system whose rights are limited.
        rights: what such a system may do; None for all others, whose rights follow from their kind.
    """

    kind: PrincipalKind
    agent_id: AgentId | None = None
    entry: str | None = None
    rights: frozenset[Right] | None = None

    @property
    def name(self) -> str:
        """Return the name for the log: ``system``, ``system:kb``, ``supervisor``, ``agent:291``."""
        named = self.agent_id or self.entry
        return self.kind.value if named is None else f"{self.kind.value}:{named}"


SYSTEM = Principal(PrincipalKind.SYSTEM)
_READ_METHODS = ("GET", "HEAD", "OPTIONS")
_DOTS = 2  # in a signed token


async def identify(
    authorization: str | None,
    settings: ApiSettings,
    check: Callable[[str], Awaitable[AccessToken]],
) -> Principal:
    """Authenticate the caller from the ``Authorization`` header.

    Args:
        authorization: the header's value.
        settings: the API's settings, with the tokens of systems.
        check: verifies a signed token; called only if the token has the form of one.

    Raises:
        RefusedError: 403 if the API is closed (no system has a token), even with a signed token;
            401 for a missing or invalid token.
    """
    if settings.closed:
        message = "the API is closed: set api.token in bridge.yml (BRIDGE_API_TOKEN)"
        raise RefusedError(403, "closed", message)
    token = bearer(authorization)
    if not token:
        message = "send a valid token in the header Authorization: Bearer"
        raise RefusedError(401, "unauthorized", message)
    if (system := _system(token, settings)) is not None:
        return system
    if token.count(".") != _DOTS:
        raise access_tokens.refused()
    return _person(await check(token))


def _system(token: str, settings: ApiSettings) -> Principal | None:
    if settings.token is not None and same(token, settings.token):
        return SYSTEM
    for name, entry in settings.tokens.items():
        if entry.token is not None and same(token, entry.token):
            return Principal(PrincipalKind.SYSTEM, entry=name, rights=frozenset(entry.may))
    return None


def _person(token: AccessToken) -> Principal:
    if token.role is Role.AGENT:
        return Principal(PrincipalKind.AGENT, AgentId(token.subject))
    return Principal(PrincipalKind.SUPERVISOR)


def may_use(principal: Principal, method: str, access: Access, right: Right | None) -> bool:
    """Return whether ``principal`` may use a route.

    Supervisors may read, and use the routes for staff.

    Args:
        principal: the caller.
        method: the route's method.
        access: who may use the route.
        right: the right that a system with limited rights needs; None: it may not use the route.
    """
    if principal.rights is not None:
        return right in principal.rights
    if principal.kind is PrincipalKind.SUPERVISOR:
        readable = access is not Access.SYSTEM and method in _READ_METHODS
        return readable or access is Access.STAFF
    return principal.kind is PrincipalKind.SYSTEM or access in (Access.ANY, Access.EVERYBODY)


def may(principal: Principal, agent_id: str) -> bool:
    """Return whether ``principal`` may act for an agent and on that agent's calls."""
    if principal.kind is PrincipalKind.AGENT:
        return principal.agent_id == agent_id
    return principal.kind is PrincipalKind.SYSTEM


def may_read(principal: Principal, agent_id: str) -> bool:
    """Return whether ``principal`` may read an agent's calls."""
    return principal.kind is PrincipalKind.SUPERVISOR or may(principal, agent_id)


def only_for(principal: Principal) -> str | None:
    """Return the only agent whose calls ``principal`` may read, or None for all agents."""
    return principal.agent_id if principal.kind is PrincipalKind.AGENT else None


def require(allowed: bool) -> None:  # noqa: FBT001 - reads as a sentence: require(may(...))
    """Raise RefusedError 403 unless ``allowed``."""
    if not allowed:
        raise RefusedError(403, "forbidden", "the token does not permit this")


def require_own(allowed: bool, missing: str) -> None:  # noqa: FBT001 - as ``require``
    """Raise NotYoursError, saying ``missing``, unless ``allowed``."""
    if not allowed:
        raise NotYoursError(missing)


def bearer(authorization: str | None) -> str | None:
    """Return the bearer token in the header, or None."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def same(token: str, secret: SecretStr) -> bool:
    """Compare in constant time."""
    # Headers and queries that are not UTF-8 are decoded to surrogates.
    encoded = token.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(encoded, secret.get_secret_value().encode())

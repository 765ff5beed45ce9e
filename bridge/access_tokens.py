"""Agents' and supervisors' own tokens: who may reach which calls. Pure.

Signed with ``api.inbox_secret``, HS256 only. Whether one was revoked, the store knows.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum

from bridge.errors import RefusedError
from bridge.signing import sign, verify

LONGEST = 12 * 3600  # seconds that a token is good, at most
_LEEWAY = 30  # seconds by which another machine's clock may be ahead


class Role(str, Enum):
    """Whose token it is; the audience of the token."""

    AGENT = "agent"  # acts for one agent and its calls
    SUPERVISOR = "supervisor"  # reads all


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token says.

    Attributes:
        subject: the agent's ID, or a supervisor's name.
        token_id: names the token where it is revoked (``jti``).
    """

    role: Role
    subject: str
    token_id: str
    issued_at: float
    expires_at: float

    @property
    def revoked_by(self) -> tuple[str, str]:
        """What a revocation of it may be called: the token itself, or all of its subject."""
        return self.token_id, everything_of(self.role, self.subject)


def everything_of(role: Role, subject: str) -> str:
    """The name of a revocation of every token that a subject has so far."""
    return f"{role.value}:{subject}"


def mint(
    role: Role, subject: str, *, secret: str, now: float, seconds: int
) -> tuple[str, AccessToken]:
    """A token, and what it says."""
    made = AccessToken(role, subject, uuid.uuid4().hex, now, int(now) + min(seconds, LONGEST))
    claims = {
        "aud": role.value,
        "sub": subject,
        "jti": made.token_id,
        "iat": now,  # to the fraction: what is made right after a revocation of all is good
        "exp": int(made.expires_at),
    }
    return sign(claims, secret), made


def read(token: str, *, secret: str | None, now: float) -> AccessToken:
    """What a token says.

    Raises:
        RefusedError: 401 for whatever is wrong with it; the message gives no detail.
    """
    if secret is None:
        raise refused()
    try:
        claims = verify(
            token,
            secret,
            audience=[role.value for role in Role],
            required=("aud", "sub", "jti", "iat", "exp"),
        )
        found = AccessToken(
            Role(claims["aud"]),
            str(claims["sub"]),
            str(claims["jti"]),
            float(claims["iat"]),
            float(claims["exp"]),
        )
    except (TypeError, ValueError):
        raise refused() from None
    in_time = now < found.expires_at <= found.issued_at + LONGEST
    if not in_time or found.issued_at > now + _LEEWAY:
        raise refused()
    return found


def refused() -> RefusedError:
    """The one answer to every token that is not good."""
    return RefusedError(401, "unauthorized", "this needs a token that is good")

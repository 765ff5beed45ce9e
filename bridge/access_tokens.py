"""Access tokens of agents and supervisors, which decide the calls they may access. Pure.

Signed with ``api.inbox_secret``, HS256 only. Revocations are in the store and not checked here.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum

from bridge import untrusted
from bridge.errors import RefusedError
from bridge.signing import sign, verify

LONGEST = 12 * 3600  # seconds; the longest lifetime of a token
LONGEST_NAME = 48  # characters of a supervisor's; with the role, a revocation's subject has 64
ID_PATTERN = "^[A-Za-z0-9]{1,64}$"
LEEWAY = 30  # seconds that another machine's clock may be ahead
_AFTER = 0.000_1  # seconds after the last time that a revocation reaches


class Role(str, Enum):
    """The role of a token's holder; its audience."""

    AGENT = "agent"  # access to one agent's calls
    SUPERVISOR = "supervisor"  # may read all calls


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The content of an access token.

    Attributes:
        subject: the agent's ID, or a supervisor's name.
        token_id: the token's ID for revocation (``jti``).
    """

    role: Role
    subject: str
    token_id: str
    issued_at: float
    expires_at: float

    @property
    def revoked_by(self) -> tuple[str, str]:
        """The revocation subjects that void this token: its ID, or all tokens of its subject."""
        return self.token_id, everything_of(self.role, self.subject)


def everything_of(role: Role, subject: str) -> str:
    """Return the revocation subject for every token issued to ``subject`` so far."""
    return f"{role.value}:{subject}"


def mint(
    role: Role,
    subject: str,
    *,
    secret: str,
    now: float,
    seconds: int,
    revoked_at: float = 0.0,
) -> tuple[str, AccessToken]:
    """Issue a token; return it with its content.

    ``revoked_at`` is when all tokens of the subject were last revoked: the token is issued after
    the times that this revocation reaches.
    """
    issued_at = max(now, revoked_at + LEEWAY + _AFTER)
    expires_at = int(now) + min(seconds, LONGEST)
    content = AccessToken(role, subject, uuid.uuid4().hex, issued_at, expires_at)
    claims = {
        "aud": role.value,
        "sub": subject,
        "jti": content.token_id,
        "iat": issued_at,  # with fractions, as a revocation reaches to one
        "exp": int(content.expires_at),
    }
    return sign(claims, secret), content


def read(token: str, *, secret: str | None, now: float) -> AccessToken:
    """Verify a token and return its content.

    Raises:
        RefusedError: 401 for any fault; the message gives no detail.
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
        content = AccessToken(
            Role(claims["aud"]),
            str(claims["sub"]),
            str(claims["jti"]),
            _time(claims["iat"]),
            _time(claims["exp"]),
        )
    except (TypeError, ValueError):
        raise refused() from None
    in_time = now < content.expires_at <= content.issued_at + LONGEST
    if not in_time or content.issued_at > now + LEEWAY:
        raise refused()
    return content


def _time(claim: object) -> float:
    seconds = untrusted.moment(claim)
    if seconds is None:
        message = "not a time"
        raise ValueError(message)
    return seconds


def refused() -> RefusedError:
    """Return the error for every invalid token."""
    return RefusedError(401, "unauthorized", "the access token is missing or invalid")

"""Sign and verify claims as JWTs with HS256 only; callers define the claims.

PyJWT is imported at the first token, because it loads ``cryptography`` where that is installed,
which would make every start 10% slower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_ALGORITHM = "HS256"


def sign(claims: Mapping[str, Any], secret: str) -> str:
    """Return a signed token with ``claims``."""
    import jwt  # noqa: PLC0415 - see above

    return jwt.encode(dict(claims), secret, algorithm=_ALGORITHM)


def verify(
    token: str, secret: str, *, audience: str | Sequence[str], required: Sequence[str]
) -> dict[str, Any]:
    """Return the claims of a token after checking signature, audience and required claims.

    ``exp`` and ``iat`` are not checked; the caller does that with its own clock.

    Raises:
        ValueError: the token is invalid; the text names the kind of fault, and quotes nothing.
    """
    import jwt  # noqa: PLC0415 - see above

    options: Any = {"require": list(required), "verify_exp": False, "verify_iat": False}
    try:
        return jwt.decode(
            token, secret, algorithms=[_ALGORITHM], audience=audience, options=options
        )
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(type(error).__name__.removesuffix("Error")) from None

"""Signed claims: JWTs with HS256, and nothing else. What the claims mean is not known here.

PyJWT is imported at the first token: with the cryptography that it brings along where that is
installed, it would make every start a tenth longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_ALGORITHM = "HS256"


def sign(claims: Mapping[str, Any], secret: str) -> str:
    """A token that says ``claims``."""
    import jwt  # noqa: PLC0415 - see above

    return jwt.encode(dict(claims), secret, algorithm=_ALGORITHM)


def verify(
    token: str, secret: str, *, audience: str | Sequence[str], required: Sequence[str]
) -> dict[str, Any]:
    """The claims of a token with a good signature, audience and every required claim.

    Times are not judged: the caller has a clock.

    Raises:
        ValueError: its text is a word for what is wrong, and quotes nothing of the token.
    """
    import jwt  # noqa: PLC0415 - see above

    options: Any = {"require": list(required), "verify_exp": False, "verify_iat": False}
    try:
        return jwt.decode(
            token, secret, algorithms=[_ALGORITHM], audience=audience, options=options
        )
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(type(error).__name__.removesuffix("Error")) from None

"""Sign and verify claims as JWTs with HS256 only; callers define the claims.

PyJWT is imported at the first token, because it loads ``cryptography`` where that is installed,
which would make every start 10% slower.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from bridge import untrusted

_ALGORITHM = "HS256"
_LONGEST = 8192  # characters of a token
_DEEPEST = 8  # levels of JSON in its claims


def sign(claims: Mapping[str, Any], secret: str) -> str:
    """Return a signed token with ``claims``."""
    import jwt  # noqa: PLC0415 - see above

    return jwt.encode(dict(claims), secret, algorithm=_ALGORITHM)


def verify(
    token: str, secret: str, *, audience: str | Sequence[str], required: Sequence[str]
) -> dict[str, Any]:
    """Return the claims of a token after checking signature, audience and required claims.

    ``exp`` and ``iat`` are not checked; the caller does that with its own clock. Claims
    that cannot be stored are replaced, see ``untrusted.cleaned``.

    Raises:
        ValueError: the token is invalid; the text names the kind of fault, and quotes nothing.
    """
    import jwt  # noqa: PLC0415 - see above

    if not _is_canonical(token):
        message = "Decode"
        raise ValueError(message)
    options: Any = {"require": list(required), "verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(
            token, secret, algorithms=[_ALGORITHM], audience=audience, options=options
        )
    except (
        jwt.PyJWTError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise ValueError(type(error).__name__.removesuffix("Error")) from None
    cleaned: dict[str, Any] = untrusted.cleaned(claims, deepest=_DEEPEST)
    return cleaned


def _is_canonical(token: str) -> bool:
    """Return whether this is the only spelling of the token: base64url without padding.

    PyJWT also accepts padding, and other last characters that decode to the same bytes.
    """
    if len(token) > _LONGEST or not token.isascii():
        return False
    try:
        return all(_reencoded(part) == part for part in token.split("."))
    except (binascii.Error, ValueError):
        return False


def _reencoded(part: str) -> str:
    decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return base64.urlsafe_b64encode(decoded).rstrip(b"=").decode()

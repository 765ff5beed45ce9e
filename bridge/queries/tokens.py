"""Issues, verifies and revokes access tokens of agents and supervisors."""

from __future__ import annotations

import re

from bridge import access_tokens, untrusted
from bridge.access_tokens import AccessToken, Role
from bridge.config.settings import BridgeSettings
from bridge.core.port import CorePort
from bridge.errors import RefusedError
from bridge.gateway import wire
from bridge.state.commands import RevokeTokens
from bridge.store import Reader, lists


class Tokens:
    """Access tokens of agents and supervisors. Thread-safe; blocking."""

    def __init__(self, store: Reader, settings: BridgeSettings, core: CorePort) -> None:
        self._store = store
        self._core = core
        secret = settings.api.inbox_secret
        self._secret = secret.get_secret_value() if secret else None
        self._highest = settings.gateway.max_agent_id

    def make(
        self, role: Role, subject: str, *, seconds: int = access_tokens.LONGEST
    ) -> tuple[str, AccessToken]:
        """Issue a token for an agent or a supervisor, valid for ``seconds``.

        Raises:
            RefusedError: 409 if ``api.inbox_secret`` is not set; 422 for an invalid subject or
                lifetime.
        """
        if self._secret is None:
            message = "api.inbox_secret is not set: nobody can be given a token"
            raise RefusedError(409, "not_configured", message)
        self._check_subject(role, subject)
        if not 1 <= seconds <= access_tokens.LONGEST:
            message = f"a token is good for 1 to {access_tokens.LONGEST} seconds"
            raise RefusedError(422, "invalid_ttl", message)
        name = access_tokens.everything_of(role, subject)
        revoked = self._store.read(lambda tx: lists.revocations(tx, [name]))
        return access_tokens.mint(
            role,
            subject,
            secret=self._secret,
            now=self._core.clock.now(),
            seconds=seconds,
            revoked_at=revoked.get(name, 0.0),
        )

    def check(self, token: str) -> AccessToken:
        """Verify a token and return its content.

        Raises:
            RefusedError: 401, without detail, if it is invalid, expired or revoked.
        """
        content = access_tokens.read(token, secret=self._secret, now=self._core.clock.now())
        if not self._is_valid(content.role, content.subject):  # signed elsewhere; not revocable
            raise access_tokens.refused()
        revoked = self._store.read(
            lambda tx: lists.revocations(tx, content.revoked_by), snapshot=False
        )
        by_itself = content.token_id in revoked
        # The clock of a machine that signed a token before the revocation may have been ahead.
        with_all = revoked.get(access_tokens.everything_of(content.role, content.subject))
        reached = with_all is not None and content.issued_at <= with_all + access_tokens.LEEWAY
        if by_itself or reached:
            raise access_tokens.refused()
        return content

    def revoke(self, token_id: str) -> None:
        """Revoke one token.

        Raises:
            RefusedError: 422 for an invalid ``token_id``.
        """
        if re.fullmatch(access_tokens.ID_PATTERN, token_id) is None:
            raise RefusedError(422, "invalid_token_id", "that is not a token's id")
        self._revoke(token_id)

    def revoke_all(self, role: Role, subject: str) -> None:
        """Revoke all tokens issued to a subject so far.

        Raises:
            RefusedError: 422 for an invalid subject, for which nothing would be revoked.
        """
        self._check_subject(role, subject)
        self._revoke(access_tokens.everything_of(role, subject))

    def _revoke(self, subject: str) -> None:
        until = self._core.clock.now() + access_tokens.LONGEST + access_tokens.LEEWAY
        self._core.call(RevokeTokens(subject=subject, until=until))

    def _check_subject(self, role: Role, subject: str) -> None:
        if self._is_valid(role, subject):
            return
        if role is Role.AGENT:
            message = f"an agent ID is a number from {wire.FIRST_AGENT} to {self._highest}"
            raise RefusedError(422, "invalid_agent_id", message)
        message = f"a supervisor's name has 1 to {access_tokens.LONGEST_NAME} printable characters"
        raise RefusedError(422, "invalid_subject", message)

    def _is_valid(self, role: Role, subject: str) -> bool:
        if role is Role.AGENT:
            return wire.is_agent_id(subject, highest=self._highest)
        return 1 <= len(subject) <= access_tokens.LONGEST_NAME and untrusted.is_printable(subject)

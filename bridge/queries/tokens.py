"""Makes, checks and revokes agents' and supervisors' tokens."""

from __future__ import annotations

from bridge import access_tokens
from bridge.access_tokens import AccessToken, Role
from bridge.config.settings import BridgeSettings
from bridge.core.port import CorePort
from bridge.errors import RefusedError
from bridge.gateway import wire
from bridge.state.commands import RevokeTokens
from bridge.store import Reader, lists

_LONGEST_NAME = 48  # characters; a revocation names the role too, in 64


class Tokens:
    """Thread-safe; blocks for the store."""

    def __init__(self, store: Reader, settings: BridgeSettings, core: CorePort) -> None:
        self._store = store
        self._core = core
        secret = settings.api.inbox_secret
        self._secret = secret.get_secret_value() if secret else None
        self._highest = settings.gateway.max_agent_id

    def make(
        self, role: Role, subject: str, *, seconds: int = access_tokens.LONGEST
    ) -> tuple[str, AccessToken]:
        """A token for an agent or a supervisor, good for ``seconds``.

        Raises:
            RefusedError: 409 where ``api.inbox_secret`` is not set; 422 for a subject or a time
                that cannot be.
        """
        if self._secret is None:
            message = "api.inbox_secret is not set: nobody can be given a token"
            raise RefusedError(409, "not_configured", message)
        self._check_subject(role, subject)
        if not 1 <= seconds <= access_tokens.LONGEST:
            message = f"a token is good for 1 to {access_tokens.LONGEST} seconds"
            raise RefusedError(422, "invalid_seconds", message)
        return access_tokens.mint(
            role, subject, secret=self._secret, now=self._core.clock.now(), seconds=seconds
        )

    def check(self, token: str) -> AccessToken:
        """Whose token it is, if it is good and was not revoked.

        Raises:
            RefusedError: 401, without detail.
        """
        found = access_tokens.read(token, secret=self._secret, now=self._core.clock.now())
        if not self._can_be(found.role, found.subject):  # signed elsewhere; it could not be revoked
            raise access_tokens.refused()
        revoked = self._store.read(lambda tx: lists.revocations(tx, found.revoked_by))
        by_itself = found.token_id in revoked
        # Tokens that others signed have whole seconds: of the revocation's second, all are gone.
        with_all = revoked.get(access_tokens.everything_of(found.role, found.subject), 0.0)
        if by_itself or found.issued_at <= with_all:
            raise access_tokens.refused()
        return found

    def revoke(self, token_id: str) -> None:
        """One token is no longer good.

        Raises:
            RefusedError: 422 where ``token_id`` is none.
        """
        if not token_id.isalnum() or len(token_id) > 64:  # noqa: PLR2004 - longer than any jti
            raise RefusedError(422, "invalid_token_id", "that is not a token's id")
        self._revoke(token_id)

    def revoke_all(self, role: Role, subject: str) -> None:
        """No token that a subject was given so far is good any longer.

        Raises:
            RefusedError: 422 for a subject that cannot be: nothing would be revoked.
        """
        self._check_subject(role, subject)
        self._revoke(access_tokens.everything_of(role, subject))

    def _revoke(self, subject: str) -> None:
        until = self._core.clock.now() + access_tokens.LONGEST
        self._core.call(RevokeTokens(subject=subject, until=until))

    def _check_subject(self, role: Role, subject: str) -> None:
        if self._can_be(role, subject):
            return
        if role is Role.AGENT:
            message = f"an agent ID is a number from {wire.FIRST_AGENT} to {self._highest}"
            raise RefusedError(422, "invalid_agent_id", message)
        message = f"a supervisor's name has 1 to {_LONGEST_NAME} printable characters"
        raise RefusedError(422, "invalid_subject", message)

    def _can_be(self, role: Role, subject: str) -> bool:
        if role is Role.AGENT:
            return wire.is_agent_id(subject, highest=self._highest)
        return 1 <= len(subject) <= _LONGEST_NAME and subject.isprintable()

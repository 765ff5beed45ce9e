"""Which assignment holds for a turn: the newest of what was stored and what the message brought."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NoReturn

from cachetools import LRUCache

from bridge import trust
from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError
from bridge.store.assignments import Standing
from bridge.trust import Claim
from bridge.turn import Turn

logger = logging.getLogger(__name__)


class Resolver:
    """Believes what ``assignment`` of bridge.yml says is to be believed."""

    def __init__(self, settings: BridgeSettings) -> None:
        self._mode = settings.assignment.metadata
        secret = settings.assignment.secret
        self._secret = secret.get_secret_value() if secret else None
        self._highest = settings.gateway.max_agent_id
        # Conversations that were warned about: once each is enough, and no ID is kept for it.
        self._warned: MutableMapping[int, None] = LRUCache(maxsize=1024)

    def resolve(
        self,
        turn: Turn,
        stored: Standing | None,
        of_call: Callable[[str], Standing | None],
        *,
        now: float,
    ) -> Standing | Claim:
        """The stored assignment, or a newer one that the message brought.

        Args:
            turn: what Rasa sent.
            stored: the conversation's newest assignment in the store.
            of_call: the conversation's assignment to one call, as stored.
            now: seconds since the epoch.

        Raises:
            AssignmentError: there is none, it is over, or what came is not believed.
        """
        claim, refused = self._brought(turn, now)
        if claim is not None:
            former = stored
            if former is None or former.assignment.call_id != claim.assignment.call_id:
                former = of_call(claim.assignment.call_id)
            if _over_since(claim, former):
                refused = AssignmentError("closed", "the call of its assignment has ended")
            elif _newer(claim, stored):
                return claim
        if stored is None:
            raise refused or AssignmentError("no_assignment", "the conversation has no assignment")
        if not stored.open:
            raise AssignmentError("closed", "the call of its assignment has ended")
        return stored

    def silent(self, turn: Turn) -> bool:
        """Whether the turn brings no assignment of its own, believed or not."""
        if self._mode == "off":
            return True
        if any("assignment" in source for source in (turn.metadata, turn.session_metadata)):
            return False
        sources = [each for each in (turn.metadata, turn.session_metadata) if each]
        if self._mode == "trusted":
            if "assignment" in turn.slots:
                return False
            sources.append(turn.slots)
        return all(trust.plain(source) is None for source in sources)

    def _brought(self, turn: Turn, now: float) -> tuple[Claim | None, AssignmentError | None]:
        """What the message brought, or why it is not believed. A refusal is logged."""
        try:
            claim = self._read(turn, now)
        except AssignmentError as error:
            logger.warning("A message's assignment was refused: %s code=%s", error, error.code)
            return None, error
        if claim is not None and claim.warning and hash(turn.sender_id) not in self._warned:
            self._warned[hash(turn.sender_id)] = None
            logger.warning("A message's assignment was put right: %s", claim.warning)
        return claim, None

    def _read(self, turn: Turn, now: float) -> Claim | None:
        if self._mode == "off":
            return None
        for source in (turn.metadata, turn.session_metadata):
            token = source.get("assignment")
            if isinstance(token, str):
                return trust.from_token(
                    token,
                    turn.sender_id,
                    secret=self._secret,
                    now=now,
                    highest_agent=self._highest,
                )
        return self._read_plain(turn, now)

    def _read_plain(self, turn: Turn, now: float) -> Claim | None:
        sources: tuple[tuple[Mapping[str, Any], float], ...] = (
            (turn.metadata, turn.message_at or now),
            (turn.session_metadata, 0.0),
            (turn.slots, 0.0),
        )
        for source, given_at in sources:
            inner = source.get("assignment")
            fields = trust.plain(inner if isinstance(inner, Mapping) else source)
            if fields is None:
                continue
            if self._mode != "trusted":
                if source is turn.slots:
                    continue  # slots of these names may be the bot's own affair
                _distrust()
            assignment, warning = trust.assignment_of(
                fields, turn.sender_id, highest_agent=self._highest
            )
            return Claim(assignment, given_at, "metadata", warning)
        return None


def _over_since(claim: Claim, former: Standing | None) -> bool:
    """What was ended since the claim was made stays so; plain metadata never reopens a call."""
    if former is None or former.ended_at is None:
        return False
    return claim.source == "metadata" or former.ended_at >= claim.given_at


def _newer(claim: Claim, stored: Standing | None) -> bool:
    if stored is None:
        return True
    if claim.assignment.call_id == stored.assignment.call_id and stored.open:
        return claim.assignment != stored.assignment and claim.given_at > stored.given_at
    if not stored.open and claim.source == "metadata":
        return True  # another call than the one that ended
    # A token's iat has whole seconds: within one second, what came with the message is newer.
    return int(claim.given_at) >= int(stored.given_at)


def _distrust() -> NoReturn:
    message = "unsigned metadata is not believed; sign it, or set assignment.metadata: trusted"
    raise AssignmentError("untrusted", message)

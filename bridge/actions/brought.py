"""Reads and verifies the assignment that a customer's message carries.

The ``assignment`` section of bridge.yml defines which assignments are trusted; signatures are
verified here, at the edge.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from bridge import assignment_tokens
from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError
from bridge.model import Channel
from bridge.state.commands import BroughtAssignment
from bridge.turn import Turn

logger = logging.getLogger(__name__)


def read(
    turn: Turn,
    settings: BridgeSettings,
    channel: Channel,
    now: float,
    warned: MutableMapping[int, None],
) -> BroughtAssignment | AssignmentError | None:
    """Return the message's assignment, the reason for refusing it, or None; log a refusal.

    Args:
        turn: the message, and Rasa's state at that time.
        settings: the contents of bridge.yml.
        channel: the gateway channel of an assignment that names none.
        now: the time.
        warned: hashes of the conversations already warned about, so that each is logged once and
            no ID is kept.
    """
    try:
        brought = _read(turn, settings, channel, now)
    except AssignmentError as error:
        logger.warning(
            "A message's assignment was refused: %s code=%s sender_id=%s",
            error,
            error.code,
            turn.sender_id,
        )
        return error
    if brought is not None and brought.warning and hash(turn.sender_id) not in warned:
        warned[hash(turn.sender_id)] = None
        logger.warning(
            "A message's assignment was corrected: %s sender_id=%s", brought.warning, turn.sender_id
        )
    return brought


def _read(
    turn: Turn, settings: BridgeSettings, channel: Channel, now: float
) -> BroughtAssignment | None:
    mode = settings.assignment.metadata
    if mode == "off":
        return None
    for source in (turn.metadata, turn.session_metadata):
        token = source.get("assignment")
        if isinstance(token, str):
            return assignment_tokens.from_token(
                token, turn.sender_id, settings, now=now, channel=channel
            )
    return _read_plain(turn, settings, channel, now, trusted=mode == "trusted")


def _read_plain(
    turn: Turn, settings: BridgeSettings, channel: Channel, now: float, *, trusted: bool
) -> BroughtAssignment | None:
    sources: tuple[tuple[Mapping[str, Any], float], ...] = (
        (turn.metadata, min(turn.message_at or now, now)),  # no message is written later than now
        (turn.session_metadata, 0.0),
        (turn.slots, 0.0),
    )
    for source, given_at in sources:
        inner = source.get("assignment")
        fields = assignment_tokens.plain(inner if isinstance(inner, Mapping) else source)
        if fields is None:
            continue
        if not trusted:
            if source is turn.slots:
                continue  # the bot may use slots of these names for something else
            message = (
                "unsigned metadata is not believed; sign it, or set assignment.metadata: trusted"
            )
            raise AssignmentError("untrusted", message)
        return assignment_tokens.brought(
            fields,
            turn.sender_id,
            settings,
            channel=channel,
            given_at=given_at,
            source="metadata",
        )
    return None

"""Makes deliveries of replies: the envelope of an assignment, the drafts of a translation."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError
from bridge.gateway import wire
from bridge.model import (
    Assignment,
    Delivery,
    DeliveryState,
    Envelope,
    MessageCode,
    Origin,
    Reply,
    derive,
)
from bridge.translate import Room, Translator

logger = logging.getLogger(__name__)


class Composer:
    """Knows the gateway's limits and the agents' names; decides nothing."""

    def __init__(self, settings: BridgeSettings, translator: Translator) -> None:
        self._settings = settings
        self._translator = translator

    def envelope(self, assignment: Assignment) -> Envelope:
        """What messages under this assignment carry besides their content.

        Raises:
            AssignmentError: ``not_configured``; the operator has to add what is missing.
        """
        agent = self._settings.agent(assignment.agent_id)
        if agent is None:
            message = 'the agent is not listed under agents, and there is no "*"'
            raise AssignmentError("not_configured", message)
        config_id = assignment.channel_config_id or self._settings.channel_config_ids.get(
            assignment.channel
        )
        if config_id is None and self._settings.gateway.deployment == "public_cloud":
            message = (
                f"no configuration ID for channel {assignment.channel.value}: the assignment"
                " names none, and channel_config_ids has none"
            )
            raise AssignmentError("not_configured", message)
        return Envelope(
            agent_id=assignment.agent_id,
            call_id=assignment.call_id,
            user_id=assignment.user_id,
            channel=assignment.channel,
            channel_config_id=config_id or "",
            nickname=assignment.agent_nickname or agent.nickname,
            avatar=assignment.agent_avatar or agent.avatar,
        )

    def compose(
        self,
        assignment: Assignment,
        replies: Iterable[Reply],
        origin: Origin,
        *,
        name: tuple[object, ...],
        now: float,
        turn_key: str | None = None,
    ) -> list[Delivery]:
        """Deliveries of ``replies``, in order; message codes are derived from ``name``.

        A code is made of ``name``, the reply's index and the part: no times, no texts.
        """
        envelope = self.envelope(assignment)
        room = self._room(envelope)
        batch: list[Delivery] = []
        for index, reply in enumerate(replies):
            translation = self._translator.translate(reply, assignment.channel, room)
            for note in translation.notes:
                logger.info("A reply was changed: %s call_id=%s", note.code, envelope.call_id)
            for refused in translation.refused:
                logger.warning("A reply was refused: %s call_id=%s", refused.code, envelope.call_id)
            for part, draft in enumerate(translation.drafts):
                first = now + self._settings.delivery.expire_after
                batch.append(
                    Delivery(
                        seq=0,
                        message_code=MessageCode(derive(*name, index, part)),
                        sender_id=assignment.sender_id,
                        envelope=envelope,
                        draft=draft,
                        origin=origin,
                        reply_key=derive("reply", *name, index),
                        part=part,
                        state=DeliveryState.WAITING,
                        created_at=now,
                        # The rest of a reply that was begun gets as much time once more.
                        expires_at=first + (self._settings.delivery.expire_after if part else 0),
                        due_at=now,
                        turn_key=turn_key,
                    )
                )
        return batch

    def _room(self, envelope: Envelope) -> Room:
        gateway = self._settings.gateway
        private = gateway.deployment == "private"
        return Room(
            limit=gateway.limit_bytes,
            overhead=wire.overhead(envelope, gateway),
            as_json=not private and gateway.limit_counts == "data",
            chars=gateway.max_content_chars,
            text_only=private,
        )

"""Makes deliveries of replies: the envelope of an assignment, the drafts of a translation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError
from bridge.gateway import wire
from bridge.model import (
    Assignment,
    Channel,
    Delivery,
    DeliveryState,
    Draft,
    Envelope,
    MediaType,
    MessageCode,
    Origin,
    Reply,
    derive,
)
from bridge.translate import Room, Translation, Translator

_WORD_KEYS = ("text", "buttons", "quick_replies")
_MEDIA_KEYS = ("custom", "image", "attachment", "elements")
_WORD_TYPES = (MediaType.TEXT, MediaType.RICHTEXT, MediaType.EMAIL)
_READABLE = 1 << 20  # bytes; what agents read is not cut


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

    def translate(self, assignment: Assignment, reply: Reply) -> Translation:
        """What a reply becomes on the assignment's channel."""
        room = self._room(self.envelope(assignment))
        return self._translator.translate(reply, assignment.channel, room)

    def besides_words(self, assignment: Assignment, reply: Reply) -> tuple[Draft, ...]:
        """The drafts of a reply that stay when an agent writes other words: pictures, files.

        Where a reply has no words of its own, what it becomes in words counts as such.
        """
        rest = {key: value for key, value in reply.items() if key not in _WORD_KEYS}
        if not any(rest.get(key) for key in _MEDIA_KEYS):
            return ()
        drafts = self.translate(assignment, rest).drafts
        if any(reply.get(key) for key in _WORD_KEYS):
            return drafts
        return tuple(draft for draft in drafts if draft.media_type not in _WORD_TYPES)

    def written(self, assignment: Assignment, text: str) -> Translation:
        """What an agent's own words become."""
        room = self._room(self.envelope(assignment))
        return self._translator.text(text, assignment.channel, room)

    def readable(self, reply: Reply) -> str:
        """A reply as plain text, for an agent to read and edit."""
        room = Room(limit=_READABLE, overhead=0, as_json=False, text_only=True)
        drafts = self._translator.translate(reply, Channel.WEB, room).drafts
        return "\n".join(draft.content for draft in drafts)

    def plain(self, delivery: Delivery) -> str | None:
        """What a person reads of a delivery; None where it is no words."""
        private = self._settings.gateway.deployment == "private"
        return self._translator.plain(delivery.draft, delivery.envelope.channel, text_only=private)

    def compose(
        self,
        assignment: Assignment,
        said: Iterable[Sequence[Draft]],
        origin: Origin,
        *,
        name: tuple[object, ...],
        now: float,
        turn_key: str | None = None,
        approved_by: str | None = None,
    ) -> list[Delivery]:
        """Deliveries of replies, each the drafts that it became, in order.

        A message code is made of ``name``, the reply's index and the part: no times, no texts.
        """
        envelope = self.envelope(assignment)
        first = now + self._settings.delivery.expire_after
        # The rest of a reply that was begun gets as much time once more.
        rest = first + self._settings.delivery.expire_after
        return [
            Delivery(
                seq=0,
                message_code=MessageCode(derive(*name, index, part)),
                sender_id=assignment.sender_id,
                envelope=envelope,
                draft=draft,
                origin=origin,
                reply_key=reply_key(*name, index=index),
                part=part,
                state=DeliveryState.WAITING,
                created_at=now,
                expires_at=rest if part else first,
                due_at=now,
                turn_key=turn_key,
                approved_by=approved_by,
            )
            for index, drafts in enumerate(said)
            for part, draft in enumerate(drafts)
        ]

    @staticmethod
    def reply_key(*name: object, index: int = 0) -> str:
        """What the parts of one reply share: see ``reply_key``."""
        return reply_key(*name, index=index)

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


def reply_key(*name: object, index: int = 0) -> str:
    """What the parts of one reply share: of what ``name`` says, the reply of this index."""
    return derive("reply", *name, index)

"""Compose deliveries from an assignment's envelope and a translation's drafts."""

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
from bridge.translate import RasaChannel, Room, Translation, Translator

_WORD_KEYS = ("text", "buttons", "quick_replies")
_MEDIA_KEYS = ("custom", "image", "attachment", "elements")
_WORD_TYPES = (MediaType.TEXT, MediaType.RICHTEXT, MediaType.EMAIL)
_READABLE = 1 << 20  # bytes; text shown to agents is not truncated


class Composer:
    """Builds envelopes, translations and deliveries from the operator's settings."""

    def __init__(self, settings: BridgeSettings, translator: Translator) -> None:
        self._settings = settings
        self._translator = translator

    def envelope(self, assignment: Assignment) -> Envelope:
        """Return the envelope of messages under this assignment: everything besides their content.

        Raises:
            AssignmentError: ``not_configured``; a setting of the operator is missing.
        """
        agent = self._settings.agent(assignment.agent_id)
        if agent is None:
            message = 'the agent is not listed under agents, and there is no "*"'
            raise AssignmentError("not_configured", message)
        config_id = self._settings.config_id(assignment.channel, assignment.channel_config_id)
        if config_id is None:
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
            channel_config_id=config_id,
            nickname=assignment.agent_nickname or agent.nickname,
            avatar=assignment.agent_avatar or agent.avatar,
        )

    def gateway_channel(self, rasa_channel: str | None) -> Channel:
        """Return the gateway channel of customers who write on a Rasa channel; WEB by default."""
        row = self._rasa_channel(rasa_channel)
        return row.channel if row is not None else Channel.WEB

    def response_channels(self, channel: Channel, rasa_channel: str | None) -> tuple[str, ...]:
        """Return the names to match with the ``channel`` of a response's variation, best first.

        A variation names Rasa's *output* channel, whereas a turn has the input channel's name.
        """
        row = self._rasa_channel(rasa_channel)
        output = row.output if row is not None else rasa_channel
        return tuple(dict.fromkeys(name for name in (channel.value.lower(), output) if name))

    def can_push(self, rasa_channel: str | None) -> bool:
        """Return whether Rasa can send a message on a channel without a request of the customer."""
        row = self._rasa_channel(rasa_channel)
        return row is None or row.push

    def _rasa_channel(self, name: str | None) -> RasaChannel | None:
        return self._translator.rasa_channel(name) if name else None

    def translate(self, assignment: Assignment, reply: Reply) -> Translation:
        """Translate a reply for the assignment's channel."""
        room = self._room(self.envelope(assignment))
        return self._translator.translate(reply, assignment.channel, room)

    def besides_words(self, assignment: Assignment, reply: Reply) -> tuple[Draft, ...]:
        """Return the drafts that are kept when an agent edits the text: images, files.

        If the reply has no text of its own, the text drafts that its media translate to are
        replaced by the edited text, not kept.
        """
        rest = {key: value for key, value in reply.items() if key not in _WORD_KEYS}
        if not any(rest.get(key) for key in _MEDIA_KEYS):
            return ()
        drafts = self.translate(assignment, rest).drafts
        if any(reply.get(key) for key in _WORD_KEYS):
            return drafts
        return tuple(draft for draft in drafts if draft.media_type not in _WORD_TYPES)

    def written(self, assignment: Assignment, text: str) -> Translation:
        """Translate a text that an agent wrote."""
        room = self._room(self.envelope(assignment))
        return self._translator.text(text, assignment.channel, room)

    def readable(self, reply: Reply) -> str:
        """Return a reply as plain text, for an agent to read and edit."""
        room = Room(limit=_READABLE, overhead=0, as_json=False, text_only=True)
        drafts = self._translator.translate(reply, Channel.WEB, room).drafts
        return "\n".join(draft.content for draft in drafts)

    def plain(self, delivery: Delivery) -> str | None:
        """Return the readable text of a delivery; None if it is not text."""
        private = self._settings.gateway.deployment == "private"
        return self._translator.plain(delivery.draft, delivery.envelope.channel, text_only=private)

    def compose(
        self,
        assignment: Assignment,
        replies: Iterable[Sequence[Draft]],
        origin: Origin,
        *,
        name: tuple[object, ...],
        now: float,
        turn_key: str | None = None,
        approved_by: str | None = None,
    ) -> list[Delivery]:
        """Compose the deliveries of replies, each given as its drafts, in order.

        Message codes are derived from ``name``, the reply's index and the part, never from times
        or texts.
        """
        envelope = self.envelope(assignment)
        first = now + self._settings.delivery.expire_after
        # Later parts of a reply get twice the time, because the reply has begun.
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
            for index, drafts in enumerate(replies)
            for part, draft in enumerate(drafts)
        ]

    @staticmethod
    def reply_key(*name: object, index: int = 0) -> str:
        """Return the key shared by the parts of a reply; see the function ``reply_key``."""
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
    """Return the key shared by the parts of the reply with this index under ``name``."""
    return derive("reply", *name, index)

"""The size limits of a message, for the panel's preview of how a long text is split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.config.settings import Settings
from bridge.gateway import wire
from bridge.model import AgentId, CallId, Channel, Envelope
from bridge.translate import channels


def limits(settings: Settings) -> Mapping[str, Any]:
    """Return the limits, by channel where channels differ.

    ``overhead`` is what counts besides the content, without the fields whose length depends on the
    call: ``bridge/panel/split.js`` adds those, and the longest default where the call has none.
    """
    gateway, media, agents = settings.bridge.gateway, settings.media, settings.bridge.agents
    private = gateway.deployment == "private"
    rows = channels.channel_rows(media)
    names = [agent.nickname for agent in agents.values()]
    avatars = [agent.avatar for agent in agents.values()]
    config_ids = settings.bridge.channel_config_ids
    return {
        "bytes": gateway.limit_bytes,
        "chars": gateway.max_content_chars,
        "as_json": not private and gateway.limit_counts == "data",
        "part_numbers": media.part_numbers,
        "max_messages": media.max_messages,
        "longest": {"nickname": _longest(names), "avatar": _longest(avatars)},
        "channels": {
            channel.value: {
                "overhead": wire.overhead(_bare(channel), gateway),
                "config_id": len(config_ids.get(channel, "").encode()),
                "html": (channels.private(row, media) if private else row).html,
                "chars": row.max_chars,
                "segments": row.max_segments,
            }
            for channel, row in rows.items()
        },
    }


def _longest(values: list[str]) -> int:
    return max((len(value.encode()) for value in values), default=0)


def _bare(channel: Channel) -> Envelope:
    return Envelope(
        agent_id=AgentId(""),
        call_id=CallId(""),
        user_id="",
        channel=channel,
        channel_config_id="",
        nickname="",
        avatar="",
    )

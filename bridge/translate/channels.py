"""The channel tables: the gateway's twelve channels, and the names of Rasa's connectors.

``media.yml`` changes rows and adds Rasa channels. ``kinds.py`` lists the channels that take each
media type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.config.media import ChannelChange, MediaSettings
from bridge.model import Channel, MediaType
from bridge.translate.kinds import taken_by
from bridge.translate.writer import ChannelRow


@dataclass(frozen=True, slots=True)
class RasaChannel:
    """A Rasa channel."""

    channel: Channel  # the gateway's channel if an assignment names none
    output: str = ""  # the value of a response's `channel:`; empty in a row: the same as the name
    push: bool = True  # Rasa can send messages there without a request


CHANNELS: Mapping[Channel, ChannelRow] = {
    # The tenant's own web chat renders HTML (the reference's sample is a <p>).
    Channel.WEB: ChannelRow(taken_by(Channel.WEB), markup="html"),
    Channel.WECHAT: ChannelRow(taken_by(Channel.WECHAT), max_chars=600),
    Channel.TWITTER: ChannelRow(taken_by(Channel.TWITTER)),
    Channel.FACEBOOK: ChannelRow(taken_by(Channel.FACEBOOK), buttons=True, max_chars=2000),
    Channel.FIVE_G: ChannelRow(taken_by(Channel.FIVE_G), buttons=True),  # RCS
    Channel.EMAIL: ChannelRow(taken_by(Channel.EMAIL), text=MediaType.EMAIL, markup="html"),
    Channel.VOICE: ChannelRow(taken_by(Channel.VOICE)),
    Channel.LINE: ChannelRow(taken_by(Channel.LINE), buttons=True),
    Channel.WHATSAPP: ChannelRow(taken_by(Channel.WHATSAPP), markup="whatsapp"),
    Channel.SMS: ChannelRow(taken_by(Channel.SMS), max_segments=10),
    Channel.INSTAGRAM: ChannelRow(taken_by(Channel.INSTAGRAM), max_chars=1000),
    Channel.TELEGRAM: ChannelRow(taken_by(Channel.TELEGRAM)),
}

RASA_CHANNELS: Mapping[str, RasaChannel] = {
    # Shipped with Rasa. A response's `channel:` is compared with the output channel's name.
    "rest": RasaChannel(Channel.WEB, output="collector", push=False),
    "rasa": RasaChannel(Channel.WEB, output="collector", push=False),
    "cmdline": RasaChannel(Channel.WEB, output="collector", push=False),
    "callback": RasaChannel(Channel.WEB),
    "socketio": RasaChannel(Channel.WEB),
    "facebook": RasaChannel(Channel.FACEBOOK),
    "telegram": RasaChannel(Channel.TELEGRAM),
    "twilio": RasaChannel(Channel.SMS),
    "twilio_voice": RasaChannel(Channel.VOICE, push=False),
    "slack": RasaChannel(Channel.WEB),  # workplace chats: the gateway has no channel of their own
    "mattermost": RasaChannel(Channel.WEB),
    "rocketchat": RasaChannel(Channel.WEB),
    "webexteams": RasaChannel(Channel.WEB),
    "hangouts": RasaChannel(Channel.WEB, push=False),
    "botframework": RasaChannel(Channel.WEB),
    # Community connectors.
    "whatsapp": RasaChannel(Channel.WHATSAPP),
    "whatsapp_cloud": RasaChannel(Channel.WHATSAPP),
    "turn": RasaChannel(Channel.WHATSAPP),
    "wati": RasaChannel(Channel.WHATSAPP),
    "line": RasaChannel(Channel.LINE),
    "instagram": RasaChannel(Channel.INSTAGRAM),
    "wechat": RasaChannel(Channel.WECHAT),
    "viber": RasaChannel(Channel.WEB),
    "chatwoot": RasaChannel(Channel.WEB),
    "custom_telegram": RasaChannel(Channel.TELEGRAM),
}


def channel_rows(media: MediaSettings) -> dict[Channel, ChannelRow]:
    """Return the table of the gateway's channels with the changes of ``media.yml`` applied."""
    unchanged = ChannelChange()
    return {
        channel: _changed(row, media.channels.get(channel, unchanged))
        for channel, row in CHANNELS.items()
    }


def _changed(row: ChannelRow, change: ChannelChange) -> ChannelRow:
    return replace(
        row,
        takes=row.takes if change.takes is None else frozenset(change.takes),
        markup=change.markup or row.markup,
        buttons=row.buttons if change.buttons is None else change.buttons,
        max_chars=change.max_chars or row.max_chars,
        max_segments=change.max_segments or row.max_segments,
    )


def rasa_channels(media: MediaSettings) -> dict[str, RasaChannel]:
    """Return the table of Rasa's channels with the rows of ``media.yml`` applied.

    Each row of the result has its ``output``.
    """
    rows = {
        name: RasaChannel(row.channel, row.output or "", row.push)
        for name, row in media.rasa_channels.items()
    }
    table = {**RASA_CHANNELS, **rows}
    return {name: replace(row, output=row.output or name) for name, row in table.items()}


def private(row: ChannelRow, media: MediaSettings) -> ChannelRow:
    """Return the row for a private deployment, whose messages carry only text."""
    return replace(
        row,
        takes=frozenset({row.text}),
        markup=media.private_markup,
        buttons=False,
    )

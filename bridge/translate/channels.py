"""The channel tables: the gateway's twelve channels, and the names of Rasa's connectors.

``media.yml`` changes rows and adds Rasa channels. The content of each media type is defined in
``media.py``. The reference does not say which media types a channel takes, so every row is a
default: it lists what the channel itself can display, and nothing that only some accounts can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.config.media import ChannelChange, MediaSettings
from bridge.model import Channel, MediaType

_TEXT = MediaType.TEXT
_EMAIL = MediaType.EMAIL
_RICH = MediaType.RICHTEXT
_PICTURES = frozenset({MediaType.IMAGE, MediaType.EMOTICONS})
_MEDIA = frozenset({MediaType.IMAGE, MediaType.AUDIO, MediaType.VIDEO})
_CARDS = frozenset({MediaType.CARD, MediaType.MULTICARD})
_DOCUMENT = MediaType.DOCUMENT


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """The media types that a gateway channel takes, and how it displays text."""

    takes: frozenset[MediaType]
    text: MediaType = _TEXT  # the media type of plain text
    html: bool = False  # renders HTML: text is escaped, and line breaks are <br>
    buttons: bool = False  # a text with buttons becomes a CARD; else numbered text
    max_chars: int | None = None  # the longest text of one message, in characters
    max_segments: int | None = None  # SMS: the most segments of one concatenated message

    @property
    def rich(self) -> MediaType | None:
        """Return the media type of formatted text, or None if the channel takes only plain text."""
        if MediaType.RICHTEXT in self.takes:
            return MediaType.RICHTEXT
        return self.text if self.text is _EMAIL and self.html else None


@dataclass(frozen=True, slots=True)
class RasaChannel:
    """A Rasa channel."""

    channel: Channel  # the gateway's channel if an assignment names none
    output: str = ""  # the value of a response's `channel:`, if it differs from the name
    push: bool = True  # Rasa can send messages there without a request


CHANNELS: Mapping[Channel, ChannelRow] = {
    # The tenant's own web chat renders HTML (the reference's sample is a <p>). CARD, MULTICARD and
    # LOCATE have no published format: add them once the web chat reads the templates.
    Channel.WEB: ChannelRow(
        _PICTURES | _MEDIA | {_TEXT, _DOCUMENT, _RICH, MediaType.WEBCARD, MediaType.COBROWSESITE},
        html=True,
    ),
    Channel.WECHAT: ChannelRow(_MEDIA | {_TEXT}, max_chars=600),
    Channel.TWITTER: ChannelRow(_PICTURES | {_TEXT, MediaType.VIDEO}),
    Channel.FACEBOOK: ChannelRow(
        _PICTURES | _MEDIA | _CARDS | {_TEXT, _DOCUMENT}, buttons=True, max_chars=2000
    ),
    Channel.FIVE_G: ChannelRow(  # RCS
        _PICTURES | _MEDIA | _CARDS | {_TEXT, _DOCUMENT, MediaType.LOCATE}, buttons=True
    ),
    Channel.EMAIL: ChannelRow(_PICTURES | _MEDIA | {_EMAIL, _DOCUMENT}, text=_EMAIL, html=True),
    Channel.VOICE: ChannelRow(frozenset({_TEXT, MediaType.AUDIO})),
    Channel.LINE: ChannelRow(_MEDIA | _CARDS | {_TEXT, MediaType.LOCATE}, buttons=True),
    Channel.WHATSAPP: ChannelRow(
        _MEDIA | {_TEXT, _DOCUMENT, MediaType.LOCATE, MediaType.WHATSAPPTEMPLATE}
    ),
    Channel.SMS: ChannelRow(frozenset({_TEXT, MediaType.SMSTEMPLATE}), max_segments=10),
    Channel.INSTAGRAM: ChannelRow(_PICTURES | _MEDIA | {_TEXT}, max_chars=1000),
    Channel.TELEGRAM: ChannelRow(_PICTURES | _MEDIA | {_TEXT, _DOCUMENT, MediaType.LOCATION}),
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
        html=row.html if change.markup is None else change.markup == "html",
        buttons=row.buttons if change.buttons is None else change.buttons,
        max_chars=change.max_chars or row.max_chars,
        max_segments=change.max_segments or row.max_segments,
    )


def rasa_channels(media: MediaSettings) -> dict[str, RasaChannel]:
    """Return the table of Rasa's channels with the rows of ``media.yml`` applied."""
    rows = {
        name: RasaChannel(row.channel, row.output or "", row.push)
        for name, row in media.rasa_channels.items()
    }
    return {**RASA_CHANNELS, **rows}


def private(row: ChannelRow, media: MediaSettings) -> ChannelRow:
    """Return the row for a private deployment, whose messages carry only text."""
    return replace(
        row,
        takes=frozenset({row.text}),
        html=media.private_markup == "html",
        buttons=False,
    )

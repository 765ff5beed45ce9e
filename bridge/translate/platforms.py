"""The names by which bots call a platform, and the gateway channel of each."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.model import Channel
from bridge.translate.channels import RasaChannel

_ALIASES: Mapping[str, Channel] = {
    "web": Channel.WEB,
    "website": Channel.WEB,
    "webchat": Channel.WEB,
    "messenger": Channel.FACEBOOK,
    "fb": Channel.FACEBOOK,
    "x": Channel.TWITTER,
    "rcs": Channel.FIVE_G,
    "mail": Channel.EMAIL,
    "phone": Channel.VOICE,
    "ig": Channel.INSTAGRAM,
}


def platforms(rasa: Mapping[str, RasaChannel]) -> dict[str, Channel]:
    """Return the channel of each platform: aliases, Rasa's channels, the gateway's channels."""
    return {
        **_ALIASES,
        **{name.lower(): row.channel for name, row in rasa.items()},
        **{channel.value.lower(): channel for channel in Channel},
    }

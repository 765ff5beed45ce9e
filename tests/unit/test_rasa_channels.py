"""What ``rasa_channels`` decides: a gateway channel, a response's channel, and who can be told."""

from __future__ import annotations

import pytest

from bridge.config.media import MediaSettings
from bridge.config.settings import BridgeSettings
from bridge.model import Channel
from bridge.planners.compose import Composer
from bridge.translate import Translator

OWN = {"my_viber": "WECHAT", "rest": {"channel": "SMS", "output": "mine", "push": True}}


def composer(**media: object) -> Composer:
    settings = BridgeSettings.model_validate({"gateway": {"url": "http://127.0.0.1:9"}})
    return Composer(settings, Translator(MediaSettings.model_validate(media)))


@pytest.mark.parametrize(
    ("name", "channel", "outputs", "push"),
    [
        ("rest", Channel.WEB, ("5g", "collector"), False),
        ("rasa", Channel.WEB, ("5g", "collector"), False),
        ("cmdline", Channel.WEB, ("5g", "collector"), False),
        ("callback", Channel.WEB, ("5g", "callback"), True),
        ("whatsapp_cloud", Channel.WHATSAPP, ("5g", "whatsapp_cloud"), True),
        ("twilio_voice", Channel.VOICE, ("5g", "twilio_voice"), False),
        ("a_connector_of_ours", Channel.WEB, ("5g", "a_connector_of_ours"), True),
        ("", Channel.WEB, ("5g",), True),
        (None, Channel.WEB, ("5g",), True),
    ],
)
def test_a_rasa_channel(
    name: str | None, channel: Channel, outputs: tuple[str, ...], *, push: bool
) -> None:
    made = composer()
    assert made.gateway_channel(name) is channel
    assert made.response_channels(Channel.FIVE_G, name) == outputs
    assert made.can_push(name) is push


def test_a_row_of_ones_own() -> None:
    made = composer(rasa_channels=OWN)
    assert made.gateway_channel("my_viber") is Channel.WECHAT
    assert made.gateway_channel("rest") is Channel.SMS
    assert made.response_channels(Channel.SMS, "rest") == ("sms", "mine")
    assert made.can_push("rest")


def test_a_name_is_tried_once() -> None:
    assert composer().response_channels(Channel.WHATSAPP, "whatsapp") == ("whatsapp",)

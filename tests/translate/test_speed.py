"""Translation keeps far away from the time that sending takes; the number is in the bench."""

from __future__ import annotations

import time

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Translator
from tests.bench.translate import PLAIN, ROOM
from tests.translate.shapes import REPLIES


def test_a_thousand_plain_texts_take_no_time_worth_telling() -> None:
    translator = Translator(MediaSettings())
    before = time.process_time()
    for _ in range(200):
        for text in PLAIN:
            translator.translate({"text": text}, Channel.WEB, ROOM)
    assert time.process_time() - before < 0.5  # a tenth of the bench's rate, on a busy machine


@pytest.mark.parametrize("channel", [Channel.WEB, Channel.FACEBOOK, Channel.EMAIL, Channel.SMS])
def test_a_rich_reply_takes_less_than_a_commit_may_wait(channel: Channel) -> None:
    translator = Translator(MediaSettings())
    longest = {"text": "Some *words* and [a link](https://shop.example). " * 120}
    for reply in (longest, *REPLIES.values()):
        before = time.process_time()
        for _ in range(5):
            translator.translate(reply, channel, ROOM)
        assert time.process_time() - before < 5 * 0.02, reply

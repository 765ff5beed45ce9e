"""How many texts a second one core translates: ``python -m tests.bench.translate``.

Two mixtures: plain texts, whose rate must be over 20,000, and texts as real bots write them (of
every 100: 15 with emoji, 5 with markdown, 4 with an address, 4 in Chinese, Japanese or Korean).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Room, Translator

AT_LEAST = 20_000  # plain texts a second
SECONDS = 1.0  # of each measurement; the best of three counts

ROOM = Room(limit=1900, overhead=430, as_json=True)
PLAIN = [
    "Hello! How can I help you today?",
    "Thank you. Your order 4711 was sent yesterday and comes on Friday between nine and twelve.",
    "I'm sorry, I did not understand that. Could you say it in other words?",
    "We are open from Monday to Friday, nine to five.\nOn Saturdays we are open until two.",
    "It costs 19.90 €, and the delivery is free of charge from 50 € on.",
]
EMOJI = "Great, your table is booked! 🎉 See you on Friday 👋"
MARKDOWN = "Your order **4711** is *on its way*: [track it](https://shop.example/track/4711)."
ADDRESS = "All our prices & hours are here: https://shop.example/prices?page=1&all=yes"
CHINESE = "您好，您的订单已经发货，预计周五上午送达。感谢您的耐心等待！"  # noqa: RUF001 - Chinese
AS_BOTS_WRITE = (PLAIN * 15)[:72] + [EMOJI] * 15 + [MARKDOWN] * 5 + [ADDRESS] * 4 + [CHINESE] * 4


def rate(texts: Sequence[str], channel: Channel) -> float:
    """Replies translated a second, the best of three measurements."""
    translator = Translator(MediaSettings())
    replies: list[Mapping[str, Any]] = [
        {"text": text, "buttons": [], "custom": {}} for text in texts
    ]
    return max(_once(translator, replies, channel) for _ in range(3))


def _once(translator: Translator, replies: Sequence[Mapping[str, Any]], channel: Channel) -> float:
    done, begun = 0, time.perf_counter()
    while (took := time.perf_counter() - begun) < SECONDS:
        for reply in replies:
            translator.translate(reply, channel, ROOM)
        done += len(replies)
    return done / took


def measure() -> dict[str, float]:
    """Every rate, by its name."""
    return {
        "plain texts on WEB": rate(PLAIN, Channel.WEB),
        "plain texts on SMS": rate(PLAIN, Channel.SMS),
        "as bots write, on WEB": rate(AS_BOTS_WRITE, Channel.WEB),
        "as bots write, on SMS": rate(AS_BOTS_WRITE, Channel.SMS),
    }


def main() -> int:
    """Print the rates; 1 where plain texts are slower than they must be."""
    rates = measure()
    for name, found in rates.items():
        print(f"{name:24}{found:>12,.0f} a second")
    slowest = min(found for name, found in rates.items() if name.startswith("plain"))
    return 0 if slowest > AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())

"""What a customer would see of a campaign, from what the gateway recorded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.harness import Simulator


@dataclass
class Seen:
    """The messages that reached customers, by call: each code and words, once, in order.

    Attributes:
        resends: how often a message came again under the same code.
    """

    calls: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    resends: int = 0

    @property
    def count(self) -> int:
        """How many messages there are, resends apart."""
        return sum(len(messages) for messages in self.calls.values())

    def words(self, call: str) -> list[str]:
        """What a call's customer read, each once."""
        return [text for _, text in self.calls[call]]


def seen(gateway: Simulator, **wanted: Any) -> Seen:
    """What customers saw so far.

    Raises:
        AssertionError: the same words of a call came under two codes, or two words under one.
    """
    found = Seen()
    by_code: dict[str, tuple[str, str]] = {}
    by_words: dict[tuple[str, str], str] = {}
    for message in gateway.messages(**wanted):
        code, words = message["code"], (message["call"], message["text"])
        assert by_code.setdefault(code, words) == words, f"one code, two messages: {words}"
        assert by_words.setdefault(words, code) == code, f"one message, two codes: {words}"
        if message["repeated"]:
            found.resends += 1
        else:
            found.calls[message["call"]].append((code, message["text"]))
    return found

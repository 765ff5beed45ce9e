"""A customer to play with after the scenes: Sofia, who writes again when the agent has answered.

Her call is the agent's from the start, so that the bot's answers to her become suggestions on the
agent's page.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bridge.cli.demo import webhooks
from bridge.cli.demo.scenes import Customer
from bridge.cli.peers import JsonObject, Peer

SOFIA = Customer("Sofia", "sofia", "1552524731-16797312", "Sofia", owner="agent")

_READS = 2.5  # seconds from the agent's message to her next one


@dataclass(frozen=True, slots=True)
class ScriptedMessage:
    """What she writes, the intent, and the responses that answer it, the best one first."""

    text: str
    intent: str
    confidence: float
    answers: tuple[tuple[str, str, float], ...]  # key, text, confidence


FIRST = ScriptedMessage(
    "Hello! Where can I pick up my order A-20391, and when are you open?",
    "ask_pickup",
    0.91,
    (
        ("where", "You can pick it up at our shop, Invalidenstrasse 5 in Berlin.", 0.62),
        ("hours", "We are open Monday to Saturday, 9 to 19.", 0.35),
    ),
)
REST = (
    ScriptedMessage(
        "Sorry, I cannot make it to the shop. What does delivery cost?",
        "ask_delivery",
        0.94,
        (("price", "Delivery costs 4 EUR. With express for 10 EUR, it is there tomorrow.", 0.88),),
    ),
    ScriptedMessage(
        "And if I do not like it? Can I send it back?",
        "ask_return",
        0.89,
        (
            ("days", "You can return it within 30 days. Returning it is free of charge.", 0.83),
            ("label", "I can send you the label for the return by e-mail.", 0.12),
        ),
    ),
    ScriptedMessage(
        "Good. Can I still pay by invoice?",
        "ask_payment",
        0.78,
        (
            ("methods", "You can pay by card, by invoice or with PayPal.", 0.71),
            ("invoice", "The invoice comes with the parcel; you have 14 days to pay.", 0.24),
        ),
    ),
    ScriptedMessage(
        "Thank you. My sister wants one too: where could she pick it up?",
        "ask_pickup",
        0.84,
        FIRST.answers,
    ),
)
RULES = tuple(
    f"{{intent: {intent}, reply: response_selector}}"
    for intent in sorted({line.intent for line in (FIRST, *REST)})
)  # in handoff.yml, below assist.when


class Visitor:
    """Sofia, with her conversation so far.

    Args:
        gateway: the simulated gateway, where she receives messages.
        bridge: the action server, which Rasa asks when she writes.
        clock: returns the time in seconds; monotonic.
    """

    def __init__(
        self, gateway: Peer, bridge: Peer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._bridge = bridge
        self._clock = clock
        self._lines: Iterator[ScriptedMessage] = itertools.cycle(REST)
        self._events: list[JsonObject] = []
        self._received = 0  # sequence number of the newest message that she has read
        self._due: float | None = None

    def arrive(self) -> None:
        """Give her call to the agent, and write the first message."""
        path = f"/bridge/assignments/{SOFIA.sender_id}"
        self._bridge.expect("PUT", path, dict(SOFIA.assignment))
        self._write(FIRST)

    def act(self) -> None:
        """Write again if the agent has answered and she has had the time to read it."""
        path = f"/simulator/messages?call={SOFIA.call_id}&after={self._received}"
        messages = self._gateway.expect("GET", path)["items"]
        if messages:
            self._received = messages[-1]["seq"]
            self._due = self._clock() + _READS  # she reads all of an answer first
        elif self._due is not None and self._clock() >= self._due:
            self._due = None
            self._write(next(self._lines))

    def _write(self, line: ScriptedMessage) -> None:
        message = webhooks.written(line.text, line.intent, line.confidence, line.answers)
        payload = webhooks.turn(SOFIA.sender_id, message, self._events, time.time())
        payload["domain"]["responses"] |= {
            f"utter_{line.intent}/{key}": [{"text": text}] for key, text, _ in line.answers
        }
        self._events = payload["tracker"]["events"]
        self._bridge.expect("POST", "/webhook", payload)

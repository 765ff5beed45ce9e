"""What is played, in order: who writes what, and what the platform has assigned.

Words and facts only. Playing is in ``stage.py``, what is expected of each in ``judge.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AGENT = "291"
NICKNAME = "Anna"
CONFIG_IDS = {"WEB": "202301032048582419", "WHATSAPP": "202301032048585011"}

BY_ITSELF, HANDED_OVER, AGAIN, NOBODY, AWAY = "by_itself", "handed_over", "again", "nobody", "away"


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who writes to the bot, and where the platform has put their call."""

    name: str
    sender_id: str
    call_id: str | None = None  # None: nobody was assigned
    user_id: str = ""
    channel: str = "WEB"

    @property
    def assignment(self) -> Mapping[str, str]:
        """What the routing system tells the bridge."""
        return {
            "agent_id": AGENT,
            "call_id": self.call_id or "",
            "user_id": self.user_id,
            "channel": self.channel,
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """One request of Rasa's and what is around it."""

    key: str
    title: str
    note: str
    customer: Customer
    request: str  # a file in rasa/
    routed: bool = False  # the assignment is given before
    repeats: str = ""  # the scene whose request this is, once more
    away: float = 0.0  # seconds that the gateway refuses connections, from just before on


MARIA = Customer("Maria", "maria", "1552524689-16797284", "40001")
TOM = Customer("Tom", "tom")
LI = Customer("Li", "li", "1552524703-16797291", "40002", "WHATSAPP")

SCENES = (
    Scene(
        BY_ITSELF,
        "The bot helps by itself",
        "Maria has a call with agent 291, and yet it is the bot that answers her.",
        MARIA,
        "opening_hours",
        routed=True,
    ),
    Scene(
        HANDED_OVER,
        "The customer asks for a person",
        "She is answered in the agent's name, and the bot goes quiet.",
        MARIA,
        "asks_for_a_person",
    ),
    Scene(
        AGAIN,
        "The same request once more",
        "As an impatient client would send it: Maria must not hear it twice.",
        MARIA,
        "asks_for_a_person",
        repeats=HANDED_OVER,
    ),
    Scene(
        NOBODY,
        "Nobody is assigned",
        "No call, no agent: Tom is promised nothing, and the bot stays with him.",
        TOM,
        "nobody_is_assigned",
    ),
    Scene(
        AWAY,
        "The bot is lost, and the gateway is away for a second",
        "Li never asked for a person. What she is told is long, and comes in parts.",
        LI,
        "not_understood",
        routed=True,
        away=1.0,
    ),
)

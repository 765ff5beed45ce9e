"""The scenes in order: customers, requests, assignments and clicks.

``stage.py`` plays them; the expectations are in ``expected/``, one file per scene's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AGENT = "291"
NICKNAME = "Anna"
CONFIG_IDS = {"WEB": "202301032048582419", "WHATSAPP": "202301032048585011"}
ASSIST_RULE = "{intent: ask_price, reply: utter_price}"  # in handoff.yml, below assist.when

BY_ITSELF, HANDED_OVER, AGAIN, NOBODY, AWAY = "by_itself", "handed_over", "again", "nobody", "away"
ACCEPTED, OPEN, EDITED, HANDED_BACK, BOT = "accepted", "open", "edited", "handed_back", "bot"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer and the call that the platform has assigned, if any."""

    name: str
    sender_id: str
    call_id: str | None = None  # None: nobody was assigned
    user_id: str = ""
    channel: str = "WEB"
    owner: str = ""  # the initial owner, if the routing system sets it

    @property
    def assignment(self) -> Mapping[str, str]:
        """Return the assignment that the routing system gives the bridge."""
        assignment = {
            "agent_id": AGENT,
            "call_id": self.call_id or "",
            "user_id": self.user_id,
            "channel": self.channel,
        }
        return {**assignment, "owner": self.owner} if self.owner else assignment


@dataclass(frozen=True, slots=True)
class Click:
    """The agent accepts the newest suggestion of scene ``of``, or edits it to ``text``."""

    of: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A request from Rasa, the preparations for it, and the agent's clicks afterwards."""

    key: str
    title: str
    note: str
    customer: Customer
    request: str  # a file in rasa/
    routed: bool = False  # the assignment is made first
    repeats: str = ""  # the scene whose request is sent again
    away: float = 0.0  # seconds of refused connections, from just before the request
    rule: str = ""  # the designer's rule to show
    clicks: tuple[Click, ...] = ()  # afterwards, in order


MARIA = Customer("Maria", "maria", "1552524689-16797284", "40001")
TOM = Customer("Tom", "tom")
LI = Customer("Li", "li", "1552524703-16797291", "40002", "WHATSAPP")
BEN = Customer("Ben", "ben", "1552524719-16797305", "40003", owner="agent")

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
    Scene(
        ACCEPTED,
        "An agent has the call, and the bot helps her",
        "Ben was put through to Anna. What the bot would say is for her to send.",
        BEN,
        "asks_the_price",
        routed=True,
        rule=ASSIST_RULE,
        clicks=(Click(ACCEPTED),),
    ),
    Scene(
        OPEN,
        "He asks for more",
        "Another suggestion, and Anna has not clicked yet.",
        BEN,
        "asks_for_express",
    ),
    Scene(
        EDITED,
        "A newer message, and words of her own",
        "The older suggestion is stale, and the newer not quite what she would say.",
        BEN,
        "asks_for_austria",
        clicks=(Click(OPEN), Click(EDITED, "It costs 15 EUR to Austria.")),
    ),
    Scene(
        HANDED_BACK,
        "Back to the bot",
        "Rasa is told that the bot has Ben again, and what happened meanwhile.",
        BEN,
        "goes_on_with_the_bot",
    ),
    Scene(
        BOT,
        "The bot answers by itself again",
        "The first question again: Rasa says it, and the gateway hears nothing.",
        BEN,
        "asks_the_price_again",
    ),
)

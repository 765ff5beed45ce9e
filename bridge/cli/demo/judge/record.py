"""What the expectations share: words, verdicts, and how the gateway's record is read. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.cli.demo import scenes
from bridge.cli.demo.evidence import Evidence, Played
from bridge.cli.demo.loopback import Json
from bridge.cli.demo.scenes import Customer

GOOD, CONFLICT = 200, 409
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Words:
    """What the domain says that the customers are to be told."""

    maria: str
    li: str
    prices: tuple[str, ...]  # one of them

    @classmethod
    def of(cls, domain: Json) -> Words:
        """Choose the variations as Rasa would: for the laptop, and for WhatsApp."""
        started = domain["responses"]["utter_handoff_started"]
        laptop = next(each["text"] for each in started if each.get("condition"))
        whatsapp = next(each["text"] for each in started if each.get("channel") == "whatsapp")
        prices = tuple(each["text"] for each in domain["responses"]["utter_price"])
        return cls(laptop.replace("{product}", "laptop"), whatsapp, prices)


@dataclass(frozen=True, slots=True)
class Judged:
    """One expectation: in words, whether it is met, and what was found."""

    expected: str
    met: bool
    found: str


Check = Callable[[Evidence, Words], Judged]


def messages_of(evidence: Evidence, customer: Customer) -> list[Json]:
    """What the customer got, whoever sent it."""
    return [each for each in evidence.messages if each["call"] == customer.call_id]


def taken(evidence: Evidence, operation: str, customer: Customer | None = None) -> list[Json]:
    """The requests of one kind that the gateway accepted."""
    return [
        each
        for each in evidence.recorded
        if each["operation"] == operation
        and each["verdict"] == "accepted"
        and (customer is None or each["call"] == customer.call_id)
    ]


def is_addressed(message: Json, customer: Customer) -> bool:
    """Whether a message came to whom it was for, from whom and how it should."""
    expected = {
        "from": scenes.CONFIG_IDS[customer.channel],
        "to": customer.user_id,
        "userId": customer.user_id,
        "channel": customer.channel,
        "controlType": "CHAT",
        "mediaType": "TEXT",
        "senderNickname": scenes.NICKNAME,
    }
    fields = message["data"] or {}
    return (
        (message["agent"], message["userid"]) == (scenes.AGENT, customer.user_id)
        and not message["repeated"]
        and all(fields.get(name) == value for name, value in expected.items())
    )


def plain(messages: Sequence[Json]) -> list[str]:
    """The words that a customer reads, however the channel dresses them."""
    text = " ".join(str(each["text"]) for each in messages)
    return html.unescape(_TAG.sub(" ", text)).split()


def senders(messages: Sequence[Json]) -> str:
    """How many messages there are, and from whom."""
    names = {str((each["data"] or {}).get("senderNickname")) for each in messages}
    return " from ".join([count(len(messages), "message"), *sorted(names)])


def told(scene: Played) -> str:
    """What Rasa was told, in two words."""
    slots = scene.slots
    state, last = slots.get("handoff_state"), slots.get("handoff_error")
    return f"{state}, {last or slots.get('handoff_delivery')}"


def sent(wire: Sequence[Json]) -> str:
    """How much went to the gateway."""
    return f"{len(wire) or 'nothing'} sent"


def count(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"

"""What is expected of the show, and whether the gateway's record says so. Pure.

What went out is judged on the gateway's record alone; only what Rasa was answered is not there.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.cli.demo import scenes
from bridge.cli.demo.evidence import Evidence, Played
from bridge.cli.demo.loopback import Json
from bridge.cli.demo.scenes import LI, MARIA, Customer

_GOOD = 200
_TAG = re.compile(r"<[^>]+>")
_MOST_BYTES = 1900  # of a message's data: the published 1.9 KB


@dataclass(frozen=True, slots=True)
class Words:
    """What the domain says that the customers are to be told."""

    maria: str
    li: str

    @classmethod
    def of(cls, domain: Json) -> Words:
        """Choose the variations as Rasa would: for the laptop, and for WhatsApp."""
        started = domain["responses"]["utter_handoff_started"]
        laptop = next(each["text"] for each in started if each.get("condition"))
        whatsapp = next(each["text"] for each in started if each.get("channel") == "whatsapp")
        return cls(laptop.replace("{product}", "laptop"), whatsapp)


@dataclass(frozen=True, slots=True)
class Judged:
    """One expectation: in words, whether it is met, and what was found."""

    expected: str
    met: bool
    found: str


def judge(evidence: Evidence, words: Words) -> tuple[Judged, ...]:
    """Hold the evidence to every expectation."""
    return tuple(check(evidence, words) for check in _CHECKS)


def _stays(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.BY_ITSELF]
    met = scene.status == _GOOD and not (scene.events or scene.responses or scene.wire)
    return Judged("The bot goes on where it can help", met, _sent(scene.wire))


def _signs_in(evidence: Evidence, _words: Words) -> Judged:
    taken = _taken(evidence, "sign_in")
    met = len(taken) == 1 and taken[0]["agent"] == scenes.AGENT
    return Judged("The agent is signed in once", met, _count(len(taken), "sign-in"))


def _tells_maria(evidence: Evidence, words: Words) -> Judged:
    got = _got(evidence, MARIA)
    met = (
        len(got) == 1
        and _is_addressed(got[0], MARIA)
        and _plain(got) == words.maria.split()
        and len(_taken(evidence, "send_message", MARIA)) == 1
    )
    senders = {str((each["data"] or {}).get("senderNickname")) for each in got}
    found = " from ".join([_count(len(got), "message"), *sorted(senders)])
    return Judged("Maria reads the designer's words once", met, found)


def _pauses(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.HANDED_OVER]
    met = _is_handed_over(scene, MARIA)
    return Judged("Rasa is told who has her, and pauses", met, _told(scene))


def _repeats(evidence: Evidence, _words: Words) -> Judged:
    first, second = evidence.played[scenes.HANDED_OVER], evidence.played[scenes.AGAIN]
    answers = [(each.status, each.events, each.responses) for each in (first, second)]
    same = answers[0] == answers[1]
    met = same and bool(first.events) and not second.wire
    found = f"{'the same' if same else 'another'} answer, {_sent(second.wire)}"
    return Judged("The repeated request changes nothing", met, found)


def _promises_nothing(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.NOBODY]
    slots = scene.slots
    met = (
        slots.get("handoff_state") == "bot"
        and slots.get("handoff_error") == "no_assignment"
        and [each.get("response") for each in scene.responses] == ["utter_handoff_unavailable"]
        and not scene.steps
        and not scene.wire
    )
    return Judged("Tom is promised nothing, keeps the bot", met, _told(scene))


def _arrives_whole(evidence: Evidence, words: Words) -> Judged:
    got = _got(evidence, LI)
    sent = _taken(evidence, "send_message", LI)
    sizes = [len(str((each["body"] or {}).get("data", "")).encode()) for each in sent]
    met = (
        len(got) > 1
        and len(sent) == len(got) == len({each["code"] for each in got})
        and all(_is_addressed(each, LI) for each in got)
        and _plain(got) == words.li.split()
        and max(sizes, default=0) <= _MOST_BYTES
        and not any(each["beside"] for each in sent)
    )
    found = f"{_count(len(got), 'part')} of up to {max(sizes, default=0):,} bytes"
    return Judged("Li gets a long text whole and in order", met, found)


def _holds_out(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.AWAY]
    attempts = [each["attempts"] for each in scene.deliveries]
    met = (
        _is_handed_over(scene, LI)
        and bool(attempts)
        and attempts[0] > 1
        and all(each["state"] == "delivered" for each in scene.deliveries)
    )
    found = f"{_count(max(attempts, default=0), 'attempt')}, {_told(scene)}"
    return Judged("A gateway that was away is tried again", met, found)


def _is_taken(evidence: Evidence, _words: Words) -> Judged:
    sent = [each for each in evidence.recorded if each["operation"] != "poll"]
    refused = [each for each in sent if each["verdict"] != "accepted"]
    found = f"{len(sent) - len(refused)} of {len(sent)} requests taken"
    if refused:
        found += f"; {refused[0]['path']}: {refused[0]['reason']}"
    met = bool(sent) and not refused
    return Judged("The strict gateway takes all it is sent", met, found)


def _tells_nobody_else(evidence: Evidence, _words: Words) -> Judged:
    known = {MARIA.call_id, LI.call_id}
    others = [each for each in evidence.messages if each["call"] not in known]
    return Judged("Nobody else gets anything", not others, _count(len(others), "message"))


_CHECKS: Sequence[Callable[[Evidence, Words], Judged]] = (
    _stays,
    _signs_in,
    _tells_maria,
    _pauses,
    _repeats,
    _promises_nothing,
    _arrives_whole,
    _holds_out,
    _is_taken,
    _tells_nobody_else,
)


def _got(evidence: Evidence, customer: Customer) -> list[Json]:
    return [each for each in evidence.messages if each["call"] == customer.call_id]


def _taken(evidence: Evidence, operation: str, customer: Customer | None = None) -> list[Json]:
    return [
        each
        for each in evidence.recorded
        if each["operation"] == operation
        and each["verdict"] == "accepted"
        and (customer is None or each["call"] == customer.call_id)
    ]


def _is_addressed(message: Json, customer: Customer) -> bool:
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


def _plain(messages: Sequence[Json]) -> list[str]:
    """The words that a customer reads, however the channel dresses them."""
    text = " ".join(str(each["text"]) for each in messages)
    return html.unescape(_TAG.sub(" ", text)).split()


def _is_handed_over(scene: Played, customer: Customer) -> bool:
    slots = {
        "handoff_state": "handoff",
        "handoff_agent_id": scenes.AGENT,
        "handoff_call_id": customer.call_id,
        "handoff_delivery": "delivered",
        "handoff_error": None,
    }
    return scene.slots == slots and scene.steps == ("action_listen", "pause")


def _told(scene: Played) -> str:
    slots = scene.slots
    state, last = slots.get("handoff_state"), slots.get("handoff_error")
    return f"{state}, {last or slots.get('handoff_delivery')}"


def _sent(wire: Sequence[Json]) -> str:
    return f"{len(wire) or 'nothing'} sent"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

"""What is expected where a person is asked for, and where the gateway is away. Pure."""

from __future__ import annotations

from bridge.cli.demo import scenes
from bridge.cli.demo.evidence import Evidence, Played
from bridge.cli.demo.judge.record import (
    GOOD,
    Check,
    Judged,
    Words,
    count,
    is_addressed,
    messages_of,
    plain,
    senders,
    sent,
    taken,
    told,
)
from bridge.cli.demo.scenes import LI, MARIA, Customer

_MOST_BYTES = 1900  # of a message's data: the published 1.9 KB


def _stays(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.BY_ITSELF]
    met = scene.status == GOOD and not (scene.events or scene.responses or scene.wire)
    return Judged("The bot goes on where it can help", met, sent(scene.wire))


def _signs_in(evidence: Evidence, _words: Words) -> Judged:
    signed_in = taken(evidence, "sign_in")
    met = len(signed_in) == 1 and signed_in[0]["agent"] == scenes.AGENT
    return Judged("The agent is signed in once", met, count(len(signed_in), "sign-in"))


def _tells_maria(evidence: Evidence, words: Words) -> Judged:
    got = messages_of(evidence, MARIA)
    met = (
        len(got) == 1
        and is_addressed(got[0], MARIA)
        and plain(got) == words.maria.split()
        and len(taken(evidence, "send_message", MARIA)) == 1
    )
    return Judged("Maria reads the designer's words once", met, senders(got))


def _pauses(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.HANDED_OVER]
    met = _is_handed_over(scene, MARIA)
    return Judged("Rasa is told who has her, and pauses", met, told(scene))


def _repeats(evidence: Evidence, _words: Words) -> Judged:
    first, second = evidence.played[scenes.HANDED_OVER], evidence.played[scenes.AGAIN]
    answers = [(each.status, each.events, each.responses) for each in (first, second)]
    same = answers[0] == answers[1]
    met = same and bool(first.events) and not second.wire
    found = f"{'the same' if same else 'another'} answer, {sent(second.wire)}"
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
    return Judged("Tom is promised nothing, keeps the bot", met, told(scene))


def _arrives_whole(evidence: Evidence, words: Words) -> Judged:
    got = messages_of(evidence, LI)
    requests = taken(evidence, "send_message", LI)
    sizes = [len(str((each["body"] or {}).get("data", "")).encode()) for each in requests]
    met = (
        len(got) > 1
        and len(requests) == len(got) == len({each["code"] for each in got})
        and all(is_addressed(each, LI) for each in got)
        and plain(got) == words.li.split()
        and max(sizes, default=0) <= _MOST_BYTES
        and not any(each["beside"] for each in requests)
    )
    found = f"{count(len(got), 'part')} of up to {max(sizes, default=0):,} bytes"
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
    found = f"{count(max(attempts, default=0), 'attempt')}, {told(scene)}"
    return Judged("A gateway that was away is tried again", met, found)


CHECKS: tuple[Check, ...] = (
    _stays,
    _signs_in,
    _tells_maria,
    _pauses,
    _repeats,
    _promises_nothing,
    _arrives_whole,
    _holds_out,
)


def _is_handed_over(scene: Played, customer: Customer) -> bool:
    slots = {
        "handoff_state": "handoff",
        "handoff_agent_id": scenes.AGENT,
        "handoff_call_id": customer.call_id,
        "handoff_delivery": "delivered",
        "handoff_error": None,
    }
    return scene.slots == slots and scene.steps == ("action_listen", "pause")

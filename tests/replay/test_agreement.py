"""A replayed conversation is decided as the action server decides its requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge import turn as turns
from bridge.model import Owner, evolve
from bridge.planners import PLANNERS, Rules
from bridge.replay import Explained, replay
from bridge.replay.history import moments
from bridge.state.commands import ActionKind, CallAction, call_key
from bridge.state.plan import Plan
from bridge.state.records import AssignmentRecord
from bridge.state.snapshot import Process, Snapshot
from bridge.triggers import DecisionKind
from tests.core.rig import given, rules
from tests.making import NOW

FIXTURES = Path(__file__).parents[1] / "fixtures"
KINDS = (ActionKind.BRIDGE, ActionKind.HANDOFF, ActionKind.ASSIST)
DESIGNERS: tuple[Mapping[str, Any], ...] = (
    {},
    {
        "handoff": {"when": [{"intent": "request_human", "min_confidence": 0.6}, {"fallbacks": 1}]},
        "assist": {"when": [{"intent": "*", "reply": "utter_x"}]},
    },
    {
        "handoff": {"when": [{"slot": "product", "is": "laptop"}, {"keyword": {"en": ["human"]}}]},
        "assist": {
            "when": [
                {"intent": "faq", "reply": "utter_x"},
                {"entity": "product", "reply": "utter_x"},
            ]
        },
    },
    {"handoff": {"when": []}, "assist": {"when": [{"intent": "probe", "reply": "utter_x"}]}},
    {"handoff": {"when": []}, "assist": {"when": [{"intent": "*", "reply": "utter_gone"}]}},
    {"handoff": {"when": []}, "assist": {"when": [{"intent": "*", "reply": "response_selector"}]}},
    {
        "handoff": {
            "when": [{"intent": "*"}, {"fallbacks": 1}],
            "hours": {"time_zone": "Asia/Tokyo", "week": {"mon-sun": ["00:00-12:00"]}},
        }
    },
    {
        "handoff": {
            "when": [{"intent": "*"}, {"fallbacks": 1}],
            "hours": {"time_zone": "Asia/Tokyo", "week": {"mon-sun": ["12:00-24:00"]}},
        }
    },
)
RESPONSES = {"utter_x": [{"text": "An answer."}]}


def requests() -> dict[str, dict[str, Any]]:
    """The recorded requests, by name."""
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in FIXTURES.glob("rasa/*")}
    turned = {path.stem: json.loads(path.read_text("utf-8")) for path in FIXTURES.glob("turns/*")}
    return found | {name: case["request"] for name, case in turned.items()}


REQUESTS = requests()


def planned(body: Mapping[str, Any], kind: ActionKind, chosen: Rules, owner: Owner) -> Plan:
    """What the core plans for a request, of a conversation that has an assignment."""
    turn = turns.read(body["tracker"], body.get("domain"), kind.value)
    call = CallAction(
        key=call_key(turn),
        answer_by=None,
        action=kind,
        turn=turn,
        brought=None,
        wait=2.0,
        responses=RESPONSES,
    )
    snapshot = Snapshot(Process("here", free=4))
    record = AssignmentRecord(given("A", sender=turn.sender_id), owner, "http", NOW - 60)
    snapshot.after(Plan(assignments=(evolve(record, owner=owner),)))
    return PLANNERS[CallAction](snapshot, call, chosen, NOW)


def explained(body: Mapping[str, Any], kind: ActionKind, chosen: Rules) -> Explained:
    """What the replay says of a request's message."""
    domain = {"responses": RESPONSES}
    return list(replay(body["tracker"], chosen.designer, domain=domain, called=kind.value))[-1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("designer", DESIGNERS)
@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_a_recorded_request_is_decided_alike(
    name: str, designer: Mapping[str, Any], kind: ActionKind
) -> None:
    chosen = rules(designer)
    told = explained(REQUESTS[name], kind, chosen)
    assert told.called == kind.value
    bots = planned(REQUESTS[name], kind, chosen, Owner.BOT)
    handed_off = [each for each in bots.assignments if each.owner is Owner.AGENT]
    assert bool(handed_off) == (told.decision is DecisionKind.HANDOFF)
    if handed_off:
        assert handed_off[0].card is not None
        assert handed_off[0].card.reason == told.reason
    agents = planned(REQUESTS[name], kind, chosen, Owner.AGENT)
    suggested = any(each.drafts for each in agents.suggestions)
    assert suggested == (told.decision is DecisionKind.ASSIST and "(assist.when[" in told.reason)


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_the_slots_at_the_end_are_those_that_rasa_sent(name: str) -> None:
    tracker = REQUESTS[name]["tracker"]
    closed = {"event": "user", "text": "next", "timestamp": NOW, "message_id": "next"}
    longer = {**tracker, "events": [*tracker["events"], closed]}
    *_, (last,) = moments(longer, {})
    sent = {slot: value for slot, value in tracker["slots"].items() if value is not None}
    restored = {slot: value for slot, value in last.state["slots"].items() if value is not None}
    assert restored == sent


@pytest.mark.parametrize("designer", DESIGNERS)
@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_a_turn_is_decided_without_what_came_after_it(
    name: str, designer: Mapping[str, Any]
) -> None:
    tracker, chosen = REQUESTS[name]["tracker"], rules(designer).designer
    whole = list(replay(tracker, chosen))
    starts = [index for index, event in enumerate(tracker["events"]) if event["event"] == "user"]
    for number, start in enumerate(starts[1:], 1):
        cut = list(replay({**tracker, "events": tracker["events"][:start]}, chosen))
        assert cut == whole[:number]

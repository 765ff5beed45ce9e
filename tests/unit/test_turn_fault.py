"""What the edge says of a body that Rasa would not have sent."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.turn import fault


def body(**changes: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "next_action": "action_bridge",
        "sender_id": "kim",
        "tracker": {
            "sender_id": "kim",
            "slots": {},
            "latest_message": {},
            "events": [{"event": "user"}],
        },
        "domain": {},
        "version": "3.6.21",
    }
    for path, value in changes.items():
        where = good
        *parents, last = path.split("__")
        for parent in parents:
            where = where[parent]
        if value is ...:
            del where[last]
        else:
            where[last] = value
    return good


@pytest.mark.parametrize(
    "payload",
    [
        body(),
        body(domain=...),
        body(domain=None),
        body(version=...),
        body(tracker__latest_message=None),
        body(tracker__latest_message=...),
        body(tracker__slots=...),
        body(tracker__events=...),
        body(tracker__events=[]),
        body(tracker__active_loop={"name": "f"}),
        body(tracker__unknown=[1, 2]),
    ],
)
def test_what_rasa_could_have_sent_has_no_fault(payload: object) -> None:
    assert fault(payload) is None


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (None, "the body is null; expected an object with next_action, sender_id and tracker"),
        ([], "the body is a list"),
        ("text", "the body is a string"),
        (body(next_action=...), "next_action is missing; expected a string"),
        (body(next_action=""), "next_action is an empty string"),
        (body(next_action=5), "next_action is a number"),
        (body(sender_id=None), "sender_id is null"),
        (body(sender_id=True), "sender_id is true or false"),
        (body(tracker=...), "tracker is missing; expected an object"),
        (body(tracker="kim's words"), "tracker is a string"),
        (body(tracker__sender_id=...), "tracker.sender_id is missing"),
        (body(tracker__sender_id=["kim"]), "tracker.sender_id is a list"),
        (body(tracker__slots=[]), "tracker.slots is a list; expected an object"),
        (body(tracker__slots=None), "tracker.slots is null"),
        (body(tracker__latest_message="hi"), "tracker.latest_message is a string"),
        (body(tracker__active_loop=[]), "tracker.active_loop is a list"),
        (body(tracker__events={}), "tracker.events is an object; expected a list of events"),
        (body(tracker__events=None), "tracker.events is null"),
        (body(tracker__events=[{}, "secret"]), "tracker.events[1] is a string"),
        (body(domain="x"), "domain is a string; expected an object or null"),
    ],
)
def test_a_fault_names_field_type_and_what_is_expected(payload: object, words: str) -> None:
    found = fault(payload)
    assert found is not None
    assert found.startswith(words)
    assert "; expected " in found


def test_a_fault_never_tells_a_value() -> None:
    for payload in (body(tracker="kim@example.test"), body(tracker__events=["kim@example.test"])):
        assert "kim@" not in str(fault(payload))

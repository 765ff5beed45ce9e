"""What is sent without an agent's approval, and what is offered instead."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import Origin, SuggestionState
from bridge.state.commands import ActionKind
from bridge.store import lists
from tests.core.rig import Making, Rig, call, rules

HOURS = "utter_hours"


def automatic(make: Making, **auto: Any) -> Rig:
    """A call of an agent, to whose customer the hours are told automatically."""
    allowed = {"intents": ["ask_hours"], "min_confidence": 0.8, "typing": "ignored", **auto}
    when = [{"intent": "ask_hours", "reply": HOURS}]
    rig = make(chosen=rules({"assist": {"when": when, "mode": "auto", "auto": allowed}}))
    rig.assign("A")
    return rig


def asks(rig: Rig, number: int = 1, *texts: str, **more: Any) -> list[str]:
    """The customer asks for the hours; what is sent."""
    responses = {HOURS: [{"text": text} for text in texts or ("From 9 to 5.",)], **more}
    command = call(
        "customer-A",
        action=ActionKind.ASSIST,
        number=number,
        intent="ask_hours",
        at=rig.clock.now(),
        responses=responses,
    )
    before = len(rig.all())
    rig.do(command)
    sent = rig.all()[before:]
    assert all(item.origin is Origin.AUTO for item in sent)
    return [item.draft.content for item in sent]


@pytest.mark.parametrize(
    ("text", "hosts", "sent"),
    [
        ("From 9 to 5.", [], True),
        ("See https://shop.example/hours", [], False),
        ("See https://shop.example/hours", ["shop.example"], True),
        ("See https://www.shop.example/hours", ["shop.example"], True),
        ("See https://Shop.EXAMPLE./hours", ["shop.example"], True),
        ("See https://notshop.example/hours", ["shop.example"], False),
        ("See https://shop.example.evil.example/", ["shop.example"], False),
        ("See https://shop.example@evil.example/", ["shop.example"], False),
        ("See [our page](https://evil.example)", ["shop.example"], False),
        ("See shop.example for more", [], False),
        ("See //evil.example/x", [], False),
        ("Siehe яндекс.рф/x", ["shop.example"], False),
        ("Siehe яндекс.рф/x", ["яндекс.рф"], True),
        ("Go to evil.xn--p1ai/x now", ["shop.example"], False),
        ("See https://evil.example\\@shop.example", ["shop.example"], False),
        ("See evil\u3002example/x", ["shop.example"], False),
        ("See shop\uff0eexample/x", ["shop.example"], True),
        ("Visit 10.0.0.1/pay", ["shop.example"], False),
        ("Visit 10.0.0.1.", ["shop.example"], False),
        ("九点到五点\u3002谢谢", [], True),
        ("Version 1.2.3 of 24.12.2026.", [], True),
        ("It is 24.50, or 3.5 hours.", [], True),
        ("Your card 4111 1111 1111 1111 was charged.", [], False),
    ],
)
def test_a_reply_with_an_unknown_host_or_a_card_number_is_offered(
    make: Making, text: str, hosts: list[str], *, sent: bool
) -> None:
    rig = automatic(make, hosts=hosts)
    assert bool(asks(rig, 1, text)) is sent
    offered = rig.store.read(lambda tx: lists.suggestions(tx, call_id="A", limit=10))
    state = SuggestionState.ACCEPTED if sent else SuggestionState.OFFERED
    assert [item.state for _, item in offered] == [state]


def test_so_many_a_minute_are_sent_on_a_call_and_the_rest_is_offered(make: Making) -> None:
    rig = automatic(make, per_minute=2)
    assert [bool(asks(rig, number)) for number in (1, 2, 3)] == [True, True, False]
    rig.clock.move(59.0)
    assert not asks(rig, 4)
    rig.clock.move(2.0)
    assert asks(rig, 5)


def test_a_response_says_that_a_machine_wrote_it(make: Making) -> None:
    rig = automatic(make, disclose="utter_machine")
    said = asks(rig, 1, utter_machine=[{"text": "A machine wrote this."}])
    assert [text.removeprefix("<p>").removesuffix("</p>") for text in said] == [
        "From 9 to 5.",
        "A machine wrote this.",
    ]


@pytest.mark.parametrize("machine", [{}, {"utter_machine": []}, {"utter_machine": [{"text": " "}]}])
def test_where_it_cannot_be_said_nothing_is_sent(make: Making, machine: dict[str, Any]) -> None:
    rig = automatic(make, disclose="utter_machine")
    assert asks(rig, 1, **machine) == []

"""A command that is put twice under one key has one outcome, whichever core takes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.errors import FinalError, RefusedError
from bridge.model import Suggestion
from bridge.planners import Rules
from bridge.state.commands import (
    AcceptSuggestion,
    ActionKind,
    Command,
    DiscardDelivery,
    EndCall,
    HandBackCall,
    RejectSuggestion,
    RetryDelivery,
)
from bridge.store import Store, lists
from tests.core.rig import Making, Rig, call, reply, rules

KEY = "the-same-key"


@pytest.fixture
def chosen() -> Rules:
    """Assist for one intent, and a Rasa that can be told to go on."""
    return rules(
        {"assist": {"when": [{"intent": "ask_hours", "reply": "utter_hours"}]}},
        rasa={"url": "http://127.0.0.1:9"},
    )


def suggested(rig: Rig) -> Suggestion:
    """What is offered on call A."""
    rig.do(call("customer-A", action=ActionKind.ASSIST, intent="ask_hours", number=9))
    found = rig.store.read(lambda tx: lists.suggestions(tx, call_id="A", limit=10))
    return found[-1][1]


def failed(rig: Rig) -> int:
    """A delivery that was refused for good."""
    rig.do(reply("A"))
    rig.complete(FinalError("refused", retcode="106-001"))
    return rig.all()[-1].seq


def accept(rig: Rig, key: str) -> Command:
    return AcceptSuggestion(key=key, suggestion_id=suggested(rig).id, agent_id="291")


def reject(rig: Rig, key: str) -> Command:
    return RejectSuggestion(key=key, suggestion_id=suggested(rig).id, agent_id="291")


def retry(rig: Rig, key: str) -> Command:
    return RetryDelivery(key=key, delivery_id=failed(rig), agent_id="291")


def discard(rig: Rig, key: str) -> Command:
    return DiscardDelivery(key=key, delivery_id=failed(rig), agent_id="291")


def hand_back(_rig: Rig, key: str) -> Command:
    return HandBackCall(key=key, call_id="A", agent_id="291")


def end(_rig: Rig, key: str) -> Command:
    return EndCall(key=key, sender_id="customer-A")


DECISIONS = (accept, reject, retry, discard, hand_back, end)
Decision = Callable[[Rig, str], Command]


def outcome(value: object) -> object:
    """What is the same for both: a delivery goes its way meanwhile."""
    if isinstance(value, tuple):
        return [outcome(item) for item in value]
    if isinstance(value, list):
        return [outcome(item) for item in value]
    return getattr(value, "seq", value)


def another(command: Command) -> Command:
    """The same decision by somebody who does not know of the first."""
    fields = {name: getattr(command, name) for name in command.__dataclass_fields__}
    return type(command)(**{**fields, "key": "another-key"})


@pytest.mark.parametrize("decide", DECISIONS)
@pytest.mark.parametrize("together", [True, False])
def test_the_same_key_has_one_outcome(
    make: Making, chosen: Rules, decide: Decision, *, together: bool
) -> None:
    rig = make(chosen=chosen)
    rig.assign("A")
    command = decide(rig, KEY)
    asked = rig.submit(command, command) if together else [rig.ask(command), rig.ask(command)]
    rig.step()
    first, second = (outcome(each.value) for each in asked)
    assert first == second
    assert len({item.message_code for item in rig.all()}) == len(rig.all()) <= 1
    assert len(rig.senders.sent) <= 1


@pytest.mark.parametrize("decide", DECISIONS)
def test_whoever_takes_the_second_one_gives_the_firsts_answer(
    make: Making, chosen: Rules, store_url: str, decide: Decision
) -> None:
    elsewhere = Store(store_url)
    try:
        one, two = make(chosen=chosen), make(chosen=chosen, on=elsewhere)
        one.assign("A")
        command = decide(one, KEY)
        first = one.do(command)
        assert outcome(two.do(command)) == outcome(first)
        assert two.senders.sent == []
    finally:
        elsewhere.close()


@pytest.mark.parametrize("decide", DECISIONS)
def test_another_key_finds_that_it_was_decided(
    make: Making, chosen: Rules, decide: Decision
) -> None:
    rig = make(chosen=chosen)
    rig.assign("A")
    command = decide(rig, KEY)
    rig.do(command)
    if decide is end:
        assert rig.do(another(command)) is False
    elif decide is discard:
        rig.do(another(command))  # it is off the list, as was asked
    else:
        with pytest.raises(RefusedError) as refused:
            rig.do(another(command))
        assert refused.value.status == 409

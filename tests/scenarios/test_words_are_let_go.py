"""A month later the words are gone; what was done is known, and is not done again."""

from __future__ import annotations

import pytest

from bridge.errors import RefusedError
from bridge.model import Mode
from bridge.web import serializers
from tests.scenarios.office import ASSIGNMENT, Office, message
from tests.simulator.harness import Simulator
from tests.store.people import written

pytestmark = pytest.mark.both_engines

CALL = ASSIGNMENT["call_id"]
WORDS = "my order is lost"


def a_month_later(office: Office) -> None:
    """Words are kept for thirty days where nothing else is said."""
    office.clock.ahead += 31 * 86400
    assert office.service.retention.round().done


def test_the_words_are_gone_and_a_repeated_request_says_nothing_twice(
    office: Office, gateway: Simulator
) -> None:
    asked = message(WORDS)
    first = office.call(asked)
    office.reply("Hello Maria")
    gateway.wait_for(messages=2)
    office.end()
    assert WORDS in written(office.service.store)
    a_month_later(office)
    kept = written(office.service.store)
    assert WORDS not in kept
    assert "Maria" not in kept
    # What was answered is every repeat's, and nothing is said again.
    assert office.call(asked).slots == first.slots
    assert len(gateway.messages()) == 2


def test_the_api_says_that_they_were_erased(office: Office, gateway: Simulator) -> None:
    office.call(message(WORDS))
    gateway.wait_for(messages=1)
    office.end()
    a_month_later(office)
    view = office.runtime.calls.call(CALL)
    shown = serializers.call_detail(view, [], Mode.SUGGEST).dump()
    assert shown["card"] is None
    assert shown["card_erased_at"]
    asked, said = shown["history"]
    assert (asked["from"], said["from"]) == ("customer", "agent")
    for line in (asked, said):
        assert line["erased_at"], line
        assert not line.get("text"), line
    assert (said["content"], said["delivery"]["state"]) == ("", "delivered")
    (delivery,) = office.deliveries()
    assert serializers.delivery(delivery).dump()["erased_at"]


def test_a_new_handoff_of_the_same_call_has_a_card_that_is_not_erased(
    office: Office, gateway: Simulator
) -> None:
    office.call(message(WORDS))
    gateway.wait_for(messages=1)
    office.call(message(number=2), "action_handback")
    a_month_later(office)
    assert office.runtime.calls.call(CALL).record.card_erased_at is not None
    office.call(message("a person, please", number=3))
    view = office.runtime.calls.call(CALL)
    assert view.card is not None
    assert view.record.card_erased_at is None


def test_what_has_no_words_any_more_cannot_be_sent_again(
    office: Office, gateway: Simulator
) -> None:
    office.call(message(WORDS))
    gateway.wait_for(messages=1)
    gateway.fault("retcode", path="*sendmessage", retcode="106-001", times=None)
    (delivery,) = office.reply("Hello")
    gateway.wait_for(requests=2, operation="send_message")
    a_month_later(office)
    with pytest.raises(RefusedError, match="erased"):
        office.retry(delivery)
    # The same reply once more: known, though nobody knows its words any more.
    again = office.reply("Hello")
    assert [item.id for item in again] == [delivery.id]

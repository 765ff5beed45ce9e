"""A message's metadata brings the assignment, signed by whoever may give one."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e

UNAVAILABLE = ["Nobody can take over just now. Let us go on here."]
ASK = "I want to talk to a human"


def refused(customer: Customer) -> None:
    assert customer.slots()["error"] == "untrusted"
    assert customer.messages() == []
    assert customer.tracker()["paused"] is False


def test_a_signed_assignment_is_accepted(customer: Customer) -> None:
    assert customer.says(ASK, assignment=customer.token()) == []
    assert [one["agent"] for one in customer.messages()] == [customer.bridge.agent]
    assert customer.slots()["call_id"] == customer.call_id


def test_it_may_come_with_the_first_message_alone(customer: Customer) -> None:
    customer.says("Hello", assignment=customer.token())
    assert customer.says(ASK) == []
    assert len(customer.messages()) == 1


def test_a_forged_one_is_refused(customer: Customer) -> None:
    forged = customer.token(secret="another-secret-that-a-stranger-made-up-01")
    assert customer.says(ASK, assignment=forged) == UNAVAILABLE
    refused(customer)


def test_one_without_a_signature_is_refused(customer: Customer) -> None:
    header = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    unsigned = f"{header}.{customer.token().split('.')[1]}."
    assert customer.says(ASK, assignment=unsigned) == UNAVAILABLE
    refused(customer)


def test_one_that_has_expired_is_refused(customer: Customer) -> None:
    assert customer.says(ASK, assignment=customer.token(age=3600)) == UNAVAILABLE
    refused(customer)


def test_another_conversations_is_refused(customer: Customer) -> None:
    other = customer.stage.customer()
    assert customer.says(ASK, assignment=other.token()) == UNAVAILABLE
    refused(customer)
    assert other.messages() == []


def test_plain_metadata_is_refused(customer: Customer) -> None:
    agent = customer.bridge.agent
    plain = {"agent_id": agent, "call_id": customer.call_id, "user_id": "40001"}
    assert customer.says(ASK, **plain) == UNAVAILABLE
    refused(customer)


def test_a_customer_cannot_speak_into_anothers_call(assigned: Customer) -> None:
    """The sender of a public REST channel is the client's own choice."""
    stranger = assigned.stage.customer()
    agent = assigned.bridge.agent
    plain = {"agent_id": agent, "call_id": assigned.call_id, "user_id": assigned.sender_id}
    assert stranger.says(ASK, **plain) == UNAVAILABLE
    assert assigned.messages() == []

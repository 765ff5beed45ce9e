"""The agent's call is over while the bot is paused: the bot goes on by itself."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e


def test_after_the_call_ended_the_bot_answers_again(assigned: Customer) -> None:
    assigned.says("a human, please")
    assigned.bridge.ask("DELETE", f"/assignments/{assigned.sender_id}")
    assigned.is_the_bots_again()
    assert assigned.says("Hello") != []


def test_after_a_new_call_was_assigned_the_bot_answers_again(assigned: Customer) -> None:
    assigned.says("a human, please")
    assigned.is_assigned(call_id=assigned.call_id + "9")
    assigned.is_the_bots_again()
    assert assigned.says("Hello") != []

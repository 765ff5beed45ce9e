"""What the action server's log keeps to itself, at the level that operators run it."""

from __future__ import annotations

import pytest

from tests.e2e.bridges import (
    API_TOKEN,
    INBOX_SECRET,
    PASSWORD,
    RASA_TOKEN,
    SECRET,
    WEBHOOK_TOKEN,
)
from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e


def test_it_names_the_call_and_holds_no_word_and_no_secret(assigned: Customer) -> None:
    assigned.says("I need a human, my card is 4111-1111")
    forged = assigned.stage.customer()
    token = forged.token(secret="another-secret-that-a-stranger-made-up-01")
    forged.says("a human, please", assignment=token)
    log = assigned.bridge.program.log()
    assert f"call_id={assigned.call_id}" in log
    guid = assigned.stage.gateway.agent(assigned.bridge.agent)["session"]["guid"]
    secrets = [guid, token, PASSWORD, API_TOKEN, RASA_TOKEN, SECRET, WEBHOOK_TOKEN, INBOX_SECRET]
    words = ["4111-1111", "This is Anna"]
    assert [each for each in (*secrets, *words) if each in log] == []

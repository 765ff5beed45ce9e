"""``kill -9`` twenty times during 2,000 messages: none lost, none doubled, each call in order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.campaign.power_cuts import Campaign
from tests.simulator.harness import Simulator


def seed() -> int:
    """Another one each time; it is printed."""
    return random.randrange(1 << 32)  # noqa: S311 - dice


def survive(campaign: Campaign, gateway: Simulator) -> None:
    """Run it with a gateway that takes a moment, so that a kill finds messages on their way."""
    gateway.settings(delay_ms=10, record="summary")
    found = campaign.run(gateway)
    print(campaign.told(found))  # noqa: T201 - the figure that the campaign is about
    assert found.count == campaign.messages
    for number in range(campaign.messages // campaign.each):
        assert found.words(f"call-{number}") == campaign.said(number)
    state = gateway.state()
    assert state["violations"] == []
    assert state["agents"]["291"]["sign_ins"] <= 1 + campaign.kills


@pytest.mark.timeout(180)
def test_some_power_cuts(store_url: str, gateway: Simulator, tmp_path: Path) -> None:
    survive(Campaign(tmp_path, store_url, 300, 3, seed()), gateway)


@pytest.mark.full
@pytest.mark.timeout(600)
def test_twenty_power_cuts_in_2000_messages(
    store_url: str, gateway: Simulator, tmp_path: Path
) -> None:
    survive(Campaign(tmp_path, store_url, 2000, 20, seed()), gateway)

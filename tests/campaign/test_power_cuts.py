"""``kill -9`` twenty times during 2,000 messages: none lost, none doubled, each call in order.

Of the core, of its sender process, of a worker, of the main process, and of all of them at once.
And fifty times a signal that tells the server to stop, to the main process and to the whole group.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.campaign.power_cuts import KILLS, STOPS, Campaign
from tests.simulator.harness import Simulator

WAIT = 2.0  # seconds, the campaign's delivery.wait


def seed() -> int:
    """Another one each time; it is printed."""
    return random.randrange(1 << 32)  # noqa: S311 - dice


def survive(campaign: Campaign, gateway: Simulator) -> None:
    """Run it with a gateway that takes a moment, so that a blow finds messages on their way."""
    gateway.settings(delay_ms=10, record="summary")
    found = campaign.run(gateway)
    print(campaign.told(found))  # noqa: T201 - the figure that the campaign is about
    assert found.count == campaign.messages
    for number in range(campaign.messages // campaign.each):
        assert found.words(f"call-{number}") == campaign.said(number)
    state = gateway.state()
    assert state["violations"] == []
    assert state["agents"]["291"]["sign_ins"] <= 1 + campaign.blows
    assert len(campaign.struck) == campaign.blows


@pytest.mark.timeout(180)
def test_each_process_is_killed_once(store_url: str, gateway: Simulator, tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, store_url, 300, len(KILLS), seed())
    survive(campaign, gateway)
    assert campaign.longest_end < 2.0


@pytest.mark.full
@pytest.mark.timeout(600)
def test_twenty_kills_in_2000_messages(store_url: str, gateway: Simulator, tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, store_url, 2000, 20, seed())
    survive(campaign, gateway)
    assert campaign.longest_end < 2.0


@pytest.mark.timeout(180)
def test_each_way_to_stop_it_under_load(store_url: str, gateway: Simulator, tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, store_url, 300, len(STOPS), seed(), tuple(STOPS))
    survive(campaign, gateway)
    assert campaign.longest_stop < 5 * WAIT


@pytest.mark.full
@pytest.mark.timeout(900)
def test_fifty_stops_under_load(store_url: str, gateway: Simulator, tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, store_url, 3000, 50, seed(), tuple(STOPS))
    survive(campaign, gateway)
    assert campaign.longest_stop < 5 * WAIT

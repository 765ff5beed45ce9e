"""An agent in a terminal, at a real bridge and simulator; the customer is another terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from bridge.cli import app
from tests.browser.office import HOURS, PRICE, Customer, Office
from tests.browser.readers import opened_readers, ring
from tests.chat.terminals import Terminal
from tests.web.serving import API_TOKEN


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened_readers(tmp_path_factory.mktemp("office") / "server", auto_answer=False) as started:
        yield started


@pytest.fixture(autouse=True)
def _no_calls_are_left(office: Office) -> Iterator[None]:
    yield
    calls = office.gateway.state()["calls"].values()
    for call in [call["id"] for call in calls if call["state"] in ("ringing", "talking")]:
        office.gateway.leave(call)
    office.server.until(lambda: office.server.get("/bridge/calls").json()["items"] == [])


def agent(office: Office, agent_id: str = "305", *, token: str = API_TOKEN) -> Terminal:
    url = office.server.url
    return Terminal("--as", "agent", "--bridge", url, "--agent", agent_id, token=token)


def customer(office: Office, *options: str) -> Terminal:
    return Terminal("--gateway", office.gateway.url, *options)


def test_a_customer_and_an_agent_in_two_terminals(office: Office) -> None:
    with (
        agent(office, token=office.token("305")["token"]) as anna,
        customer(office, "--user", "4711") as maria,
    ):
        anna.shows("You are agent 305.")
        anna.shows("4711 rings on WEB: /answer")
        maria.types("Hello?")
        anna.shows("4711: Hello?")
        anna.types("/answer")
        anna.shows("You have 4711, in call")
        maria.shows("Agent 305 has answered.")
        anna.types("Good morning, this is <Anna>.")
        anna.shows("You to 4711: Good morning, this is <Anna>.")
        maria.shows("Agent 305: Good morning, this is <Anna>.")
        anna.types("/say /answer")
        maria.shows("Agent 305: /answer")
        maria.types("Thank you, bye.")
        anna.shows("4711: Thank you, bye.")
        maria.types("/leave")
        anna.shows("The call of 4711 has ended.")
        anna.types("too late")
        anna.shows("You have no call.")
        assert (maria.ended(), anna.ends()) == (0, 0)
        assert (maria.complaint(), anna.complaint()) == ("", "")


def talking(office: Office, terminal: Terminal, user_id: str) -> Customer:
    """A customer whose call the agent has answered in the terminal."""
    found = ring(office, user_id)
    terminal.shows(f"{user_id} rings")
    terminal.types("/answer")
    terminal.shows(f"You have {user_id}")
    return found


def test_suggestions_by_their_numbers(office: Office) -> None:
    with agent(office) as terminal:
        found = talking(office, terminal, "4712")
        found.writes("What does it cost?")
        terminal.shows("[1] Suggestion for 4712", PRICE)
        terminal.types("2")
        terminal.shows("There is no suggestion 2. Nothing was sent.")
        terminal.types("1")
        terminal.shows("You to 4712", PRICE)
        assert found.received(1) == [PRICE]
        found.writes("And when are you open?", "ask_hours")
        terminal.shows("[1] Suggestion for 4712", HOURS)
        terminal.types("/reject 1")
        terminal.shows("Suggestion 1 for 4712: rejected.")
        assert sorted(item["state"] for item in found.suggestions()) == ["accepted", "rejected"]
        assert found.received(1) == [PRICE]


def test_rejected_and_transferred(office: Office) -> None:
    with agent(office) as anna, agent(office, "306") as ben:
        ben.shows("You are agent 306.")
        ring(office, "4713")
        anna.shows("4713 rings")
        anna.types("/reject")
        anna.shows("The call of 4713 has ended.")
        talking(office, anna, "4714")
        anna.types("/transfer")
        anna.shows("Say where to")
        anna.types("/transfer Ben")
        anna.shows("agent_id")
        anna.types("/transfer 306")
        anna.shows("4714 is transferred to 306.")
        ben.shows("4714 rings")
        ben.types("/answer")
        ben.shows("You have 4714")


def test_handed_back_and_hung_up(office: Office) -> None:
    with agent(office) as terminal:
        found = talking(office, terminal, "4715")
        terminal.types("/handback")
        terminal.shows("The bot answers 4715 now.")
        terminal.types("/leave")
        terminal.shows("The call of 4715 has ended.")
        assert office.gateway.state()["calls"][found.call_id]["state"] == "released"


def test_several_calls(office: Office) -> None:
    with agent(office) as terminal:
        first = talking(office, terminal, "4716")
        second = talking(office, terminal, "4717")
        terminal.types("to the second")
        assert second.received(1) == ["to the second"]
        terminal.types("/calls")
        terminal.shows("1. 4716: talking, with the agent")
        terminal.shows("2. 4717: talking, with the agent (current)")
        terminal.types("/open 3")
        terminal.shows("There is no call 3")
        terminal.types("/open 1")
        terminal.shows("You write to 4716.")
        terminal.types("to the first")
        assert first.received(1) == ["to the first"]
        terminal.types("/sing")
        terminal.shows("There is no /sing.")


def test_what_a_customer_sends_is_shown_as_what_it_is(office: Office) -> None:
    with agent(office) as terminal:
        found = talking(office, terminal, "4718")
        picture = {"mediaType": "FILE_IMAGE", "fileId": "f-1", "fileName": "cat.jpg"}
        office.gateway.write(found.call_id, picture)
        terminal.shows("4718: [picture] cat.jpg")
        office.gateway.write(found.call_id, "\x1b]0;title\x07one\n* The call of 4718 has ended.")
        terminal.shows("4718: \\x1b]0;title\\x07one")
        terminal.shows("      * The call of 4718 has ended.")


def test_a_call_that_was_there_before(office: Office) -> None:
    with agent(office) as terminal:
        found = talking(office, terminal, "4719")
        office.gateway.write(found.call_id, "Are you still there?")
        terminal.shows("Are you still there?")
    with agent(office) as again:
        again.shows("You have 4719")
        again.shows("4719: Are you still there?")
        again.types("Yes.")
        assert found.received(1) == ["Yes."]


@pytest.mark.parametrize(
    ("token", "said"),
    [(None, "A token is missing"), ("wrong", "the access token is missing or invalid")],
)
def test_a_token_that_does_not_do(office: Office, token: str | None, said: str) -> None:
    with Terminal("--as", "agent", "--bridge", office.server.url, token=token) as terminal:
        assert terminal.ended() == 2
        assert said in terminal.complaint()


def test_no_bridge_is_told_with_the_way_to_start_one(office: Office) -> None:
    address = office.gateway.url.replace("http://127.0.0.1", "http://127.0.0.2")
    options = ["simulate", "chat", "--as", "agent", "--bridge", address, "--token", "x"]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 2
    assert f"There is no bridge at {address}" in done.stderr
    assert "python -m rasa_sdk --actions actions" in done.stderr

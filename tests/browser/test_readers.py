"""Calls of agents whose events the bridge reads: on a real server with a simulated gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.office import HOURS, PRICE, Office
from tests.browser.panel import Panel, until
from tests.browser.readers import opened_readers, ring


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


def at_work(office: Office, opened: Open, agent: str = "305", **options: object) -> Panel:
    """The panel of a reader."""
    token = office.token(agent)["token"]
    return opened(office.server.url, token=token, **options).connected()


def talking(office: Office, panel: Panel, user_id: str) -> str:
    """Answer a customer's call in the panel; its ID."""
    call_id = ring(office, user_id).call_id
    panel.choose(user_id)
    panel.button("Answer").click()
    expect(panel.button("Send message")).to_be_enabled()
    return call_id


def test_rung_answered_written_and_transferred(office: Office, opened: Open) -> None:
    panel = at_work(office, opened)
    colleague = at_work(office, opened, "306")
    customer = ring(office, "4711")
    panel.choose("4711")
    expect(panel.waiting.first).to_contain_text("rings")
    expect(panel.conversation).to_contain_text("Answer the call to write to the customer.")
    expect(panel.button("Transfer")).to_be_hidden()
    office.gateway.write(customer.call_id, "Is anybody there?")
    expect(panel.log).to_contain_text("Is anybody there?")
    panel.button("Answer").click()
    expect(panel.button("Answer")).to_be_hidden()
    expect(panel.button("Reject call")).to_be_hidden()
    expect(panel.log.get_by_text("Is anybody there?")).to_have_count(1)
    panel.message.fill("Yes. What can I do for you?")
    panel.look()
    panel.button("Send message").click()
    assert customer.received(1) == ["Yes. What can I do for you?"]
    customer.writes("What does express delivery cost?")
    expect(panel.suggestions).to_contain_text(PRICE)
    panel.look()
    panel.of(panel.suggestions, "Send").click()
    assert customer.received(2)[1] == PRICE
    panel.button("Transfer").click()
    panel.role("textbox", "Agent or skill ID").fill("306")
    panel.button("Transfer now").click()
    expect(panel.log).to_contain_text("Transferred to 306")
    expect(panel.button("Send message")).to_be_disabled()
    colleague.choose("4711")
    expect(colleague.button("Send message")).to_be_disabled()
    expect(colleague.conversation).to_contain_text("Answer the call to write to the customer.")
    colleague.button("Answer").click()
    expect(colleague.button("Send message")).to_be_enabled()


def test_a_call_that_rings_is_at_the_top(office: Office, opened: Open) -> None:
    panel = at_work(office, opened)
    talking(office, panel, "4712")
    panel.message.click()
    panel.page.mouse.move(700, 300)
    customer = ring(office, "4713")
    expect(panel.calls.first).to_have_text("4713")
    expect(panel.calls.first).to_have_accessible_description(re.compile("^rings, waiting 0:"))
    customer.office.gateway.leave(customer.call_id)
    expect(panel.calls).to_have_count(1)


def test_rejected(office: Office, opened: Open) -> None:
    panel = at_work(office, opened)
    customer = ring(office, "4714")
    panel.choose("4714")
    panel.button("Reject call").click()
    expect(panel.role("list", "Calls").get_by_role("button", name="4714")).to_have_count(0)
    assert office.gateway.state()["calls"][customer.call_id]["state"] == "rejected"


def test_a_transfer_that_fails_leaves_the_call_here(office: Office, opened: Open) -> None:
    panel = at_work(office, opened)
    talking(office, panel, "4715")
    panel.button("Transfer").click()
    panel.role("textbox", "Agent or skill ID").fill("399")
    panel.button("Transfer now").click()
    expect(panel.log).to_contain_text("Problem: ")
    expect(panel.log).not_to_contain_text("Transferred")
    expect(panel.button("Send message")).to_be_enabled()
    panel.button("Transfer").click()
    panel.role("combobox", "Transfer to an agent or a skill").select_option("Skill")
    panel.role("textbox", "Agent or skill ID").fill("12")
    panel.button("Transfer now").click()
    expect(panel.log).to_contain_text("Transferred to skill 12")
    expect(panel.button("Send message")).to_be_disabled()


def test_hung_up(office: Office, opened: Open) -> None:
    panel = at_work(office, opened)
    call_id = talking(office, panel, "4716")
    panel.button("Hang up").click()
    expect(panel.log).to_contain_text("Customer left")
    expect(panel.button("Hang up")).to_be_hidden()
    assert office.gateway.state()["calls"][call_id]["state"] == "released"


def test_what_the_gateway_refuses_is_said(office: Office, opened: Open) -> None:
    panel = at_work(office, opened)
    customer = ring(office, "4717")
    panel.choose("4717")
    office.gateway.fault("retcode", path="*answer*", retcode="106-004")
    panel.button("Answer").click()
    expect(panel.view.get_by_role("alert")).to_contain_text("106-004")
    office.gateway.leave(customer.call_id)


def test_files_and_places_are_shown_as_what_they_are(office: Office, opened: Open) -> None:
    panel = at_work(office, opened)
    call_id = talking(office, panel, "4718")
    picture = {"mediaType": "FILE_IMAGE", "fileId": "f-1", "fileName": "cat.jpg"}
    office.gateway.write(call_id, picture)
    line = panel.log.locator(".line", has_text="cat.jpg")
    expect(line).to_contain_text("Picture")
    expect(line).not_to_contain_text("f-1")
    line.get_by_role("button", name="Show").click()
    expect(line).to_contain_text("f-1")
    place = {"mediaType": "LOCATE", "content": {"latitude": 52.5, "longitude": 13.4}}
    office.gateway.write(call_id, place)
    where = panel.log.locator(".line", has_text="Location")
    address = "https://www.openstreetmap.org/?mlat=52.5&mlon=13.4"
    expect(where.get_by_role("button", name="Show")).to_have_attribute("title", address)


def test_the_agents_state(office: Office, opened: Open) -> None:
    panel = at_work(office, opened, "306")
    state = panel.role("combobox", "State")
    expect(state.locator("option")).to_have_text(["Choose", "Ready", "Busy", "Wrap-up"])
    for name, known in (("Busy", "busy"), ("Wrap-up", "wrap_up"), ("Ready", "ready")):
        state.select_option(name)
        until(lambda known=known: agent_state(office) == known)
    other = at_work(office, opened, "306")
    expect(other.role("combobox", "State")).to_have_value("ready")
    office.gateway.fault("retcode", path="*saybusy*", retcode="100-001")
    state.select_option("Busy")
    expect(panel.view.get_by_role("alert")).to_contain_text("100-001")
    expect(state).to_have_value("ready")


def test_how_many_chats_an_agent_has_at_a_time(office: Office, opened: Open) -> None:
    panel = at_work(office, opened, "306")
    chats = panel.role("spinbutton", "Chats at a time")
    chats.fill("4")
    chats.press("Enter")
    until(lambda: office.server.get("/bridge/agents/306").json()["chats"] == 4)
    numbers = office.gateway.state()["chats"]["306"]
    assert {int(number) for number in numbers.values()} == {4}
    chats.fill("61")
    chats.press("Enter")
    expect(chats).to_have_value("4")


def agent_state(office: Office) -> str:
    return str(office.server.get("/bridge/agents/306").json()["state"])


def test_a_desktops_agent_has_no_state_here(office: Office, opened: Open) -> None:
    panel = at_work(office, opened, "291")
    expect(panel.role("combobox", "State")).to_be_hidden()
    expect(panel.role("spinbutton", "Chats at a time")).to_be_hidden()


def test_in_chinese(office: Office, opened: Open) -> None:
    panel = opened(office.server.url, token=office.token("305")["token"], locale="zh-CN")
    customer = ring(office, "4719")
    panel.view.get_by_role("button", name="4719").click()
    expect(panel.button("应答")).to_be_visible()
    expect(panel.view.get_by_text("请先接听会话").first).to_be_visible()
    office.gateway.leave(customer.call_id)


def understands(office: Office, texts: dict[str, str]) -> None:
    """Let the bot know what customers mean, and what it does for an order."""
    office.rasa.understood = {
        text: {"intent": (found := {"name": intent, "confidence": 0.95}), "intent_ranking": [found]}
        for text, intent in texts.items()
    }
    office.rasa.rules = {
        "ask_price": ["utter_price"],
        "ask_hours": ["utter_hours"],
        "order": ["action_order"],
    }


def test_a_whole_chat_from_the_panel_alone(office: Office, opened: Open) -> None:
    understands(office, {"What is the price?": "ask_price", "When are you open?": "ask_hours"})
    panel = at_work(office, opened)
    customer = ring(office, "4720")
    panel.choose("4720")
    panel.button("Answer").click()
    expect(panel.button("Transfer")).to_be_visible()

    office.gateway.write(customer.call_id, "What is the price?")
    expect(panel.suggestions).to_contain_text(PRICE)
    panel.look()
    panel.of(panel.suggestions, "Send").click()
    assert customer.received(1) == [PRICE]

    office.gateway.write(customer.call_id, "When are you open?")
    panel.of(panel.suggestions.filter(has_text=HOURS), "Edit").click()
    panel.editor.fill("From 9 to 17.")
    panel.look()
    panel.button("Send edited").click()
    assert customer.received(2)[1] == "From 9 to 17."

    office.gateway.write(customer.call_id, "What is the price?")
    panel.of(panel.suggestions.filter(has_text=PRICE), "Reject").click()
    panel.message.fill("As I said: 10 EUR.")
    panel.look()
    panel.button("Send message").click()
    assert customer.received(3)[2] == "As I said: 10 EUR."
    states = sorted(each["state"] for each in customer.suggestions())
    assert states == ["accepted", "edited", "rejected"]

    panel.button("Hand back").click()
    expect(panel.conversation).to_contain_text("with the bot")
    office.gateway.write(customer.call_id, "When are you open?")
    assert customer.received(4)[3] == HOURS
    expect(panel.log.locator(".line", has_text=HOURS)).to_contain_text("Bot")


def test_what_the_bot_would_do_is_said_and_cannot_be_sent(office: Office, opened: Open) -> None:
    understands(office, {"I want two": "order", "What is the price?": "ask_price"})
    panel = at_work(office, opened)
    call_id = talking(office, panel, "4721")
    office.gateway.write(call_id, "I want two")
    side = panel.role("complementary", "Assistance")
    expect(side).to_contain_text("The bot would now run action_order.")
    expect(panel.suggestions).to_have_count(0)
    office.gateway.write(call_id, "What is the price?")
    expect(panel.suggestions).to_contain_text(PRICE)
    expect(side).not_to_contain_text("action_order")

"""Stories of agents and customers, on a real server with a simulated gateway."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Open
from tests.browser.office import HOURS, PRICE, Office, opened_office
from tests.browser.panel import Panel, until
from tests.browser.relay import Relay
from tests.browser.site import Site


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened_office(tmp_path_factory.mktemp("office") / "server") as started:
        yield started


def at_work(office: Office, opened: Open, call_id: str, **options: object) -> Panel:
    """The panel of agent 291, with a call open."""
    token = office.token()["token"]
    path = f"/inbox?callid={call_id}"
    panel = opened(office.server.url, token=token, path=path, **options).connected()
    expect(panel.conversation).to_contain_text(f"to {call_id}")
    return panel


def test_from_offered_to_delivered_in_two_keys(office: Office, opened: Open) -> None:
    customer = office.customer("anna")
    panel = at_work(office, opened, customer.call_id)
    customer.writes("What does express delivery cost?")
    expect(panel.suggestions).to_contain_text(PRICE)
    expect(panel.suggestions).to_contain_text("What does express delivery cost?")
    expect(panel.suggestions).to_contain_text("ask_price 0.87, next ask_hours 0.41")
    panel.look()
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press("1")
    expect(panel.log.locator(".line", has_text=PRICE)).to_contain_text("Delivered")
    assert customer.received(1) == [PRICE]
    expect(panel.message).to_be_focused()
    assert [each["state"] for each in customer.suggestions()] == ["accepted"]


def test_edited(office: Office, opened: Open) -> None:
    customer = office.customer("ben")
    panel = at_work(office, opened, customer.call_id)
    customer.writes("What does it cost?")
    panel.of(panel.suggestions, "Edit").click()
    panel.look()
    panel.editor.fill("For you it is free.")
    panel.button("Send edited").click()
    expect(panel.log.locator(".line", has_text="For you it is free.")).to_contain_text("Delivered")
    assert customer.received(1) == ["For you it is free."]
    (found,) = customer.suggestions()
    assert (found["state"], found["edited_text"]) == ("edited", "For you it is free.")


def test_rejected(office: Office, opened: Open) -> None:
    customer = office.customer("carla")
    panel = at_work(office, opened, customer.call_id)
    customer.writes("What does it cost?")
    panel.of(panel.suggestions, "Reject").click()
    until(lambda: [each["state"] for each in customer.suggestions()] == ["rejected"])
    panel.message.click()
    expect(panel.suggestions).to_have_count(0)
    assert office.gateway.messages(call=customer.call_id) == []


def test_copied(office: Office, opened: Open) -> None:
    customer = office.customer("david")
    rights = ["clipboard-read", "clipboard-write"]
    panel = at_work(office, opened, customer.call_id, permissions=rights)
    customer.writes("What does it cost?")
    panel.of(panel.suggestions, "Copy").click()
    until(lambda: [each["state"] for each in customer.suggestions()] == ["copied"])
    assert panel.page.evaluate("navigator.clipboard.readText()") == PRICE
    assert office.gateway.messages(call=customer.call_id) == []


def test_superseded_while_the_agent_types(office: Office, opened: Open) -> None:
    customer = office.customer("eve")
    panel = at_work(office, opened, customer.call_id)
    customer.writes("What does it cost?", ago=5)
    panel.of(panel.suggestions, "Edit").click()
    panel.editor.fill("It costs 12 EUR.")
    customer.writes("And when are you open?", "ask_hours")
    expect(panel.button("Send anyway")).to_be_visible()
    expect(panel.editor).to_have_value("It costs 12 EUR.")
    expect(panel.editor).to_be_focused()
    expect(panel.suggestions).to_have_count(2)
    panel.look()
    panel.button("Send anyway").click()
    expect(panel.suggestions).to_have_count(1)
    expect(panel.suggestions).to_contain_text(HOURS)
    assert customer.received(1) == ["It costs 12 EUR."]


def test_discarded_after_the_customer_wrote(office: Office, opened: Open) -> None:
    customer = office.customer("eva")
    panel = at_work(office, opened, customer.call_id)
    customer.writes("What does it cost?", ago=5)
    panel.of(panel.suggestions, "Edit").click()
    panel.editor.fill("It costs 12 EUR.")
    customer.writes("And when are you open?", "ask_hours")
    panel.button("Discard").click()
    expect(panel.suggestions.filter(has_text=HOURS)).to_be_visible()
    expect(panel.editor).to_have_count(0)
    assert sorted(each["state"] for each in customer.suggestions()) == ["offered", "superseded"]
    assert office.gateway.messages(call=customer.call_id) == []


def test_a_hostile_name_and_words(office: Office, opened: Open) -> None:
    hostile = '<img src=x onerror="window.hacked=1">'
    customer = office.customer(hostile)
    panel = at_work(office, opened, customer.call_id)
    customer.writes(f"{hostile}<script>window.hacked=1</script>")
    expect(panel.calls.filter(has_text=hostile)).to_be_visible()
    expect(panel.log).to_contain_text(hostile)
    panel.of(panel.suggestions, "Edit").click()
    panel.look()
    panel.editor.fill(f"You wrote {hostile}")
    panel.button("Send edited").click()
    expect(panel.log.locator(".line", has_text="You wrote")).to_contain_text(hostile)
    assert [html.unescape(each) for each in customer.received(1)] == [f"You wrote {hostile}"]
    assert "<img" not in customer.received(1)[0]
    assert panel.page.evaluate("window.hacked") is None


def test_embedded_in_a_listed_page_and_refused_elsewhere(
    tmp_path_factory: pytest.TempPathFactory, desk: Site, sso: Site, browser: Browser
) -> None:
    folder = tmp_path_factory.mktemp("embedded") / "server"
    with opened_office(folder, frame_ancestors=[desk.origin]) as office:
        customer = office.customer("kim")
        customer.writes("What does it cost?")
        token = office.token()["token"]
        address = f"{office.server.url}/inbox?embed=1&callid={customer.call_id}#token={token}"
        page = f"<h1>Desk</h1><iframe width=900 height=700 src='{address}'></iframe>"
        refused = browser.new_context().new_page()
        refused.goto(sso.put("/desk", page))
        listed = browser.new_context().new_page()
        listed.goto(desk.put("/desk", page))
        panel = Panel(listed, listed.frame_locator("iframe")).connected()
        expect(panel.suggestions).to_contain_text(PRICE)
        panel.message.click()  # the panel is in front now
        panel.look()
        panel.of(panel.suggestions, "Send").click()
        assert customer.received(1) == [PRICE]
        elsewhere = Panel(refused, refused.frame_locator("iframe"))
        expect(elsewhere.connection).to_have_count(0)
        for each in (refused, listed):
            each.context.close()


def test_handed_over_and_handed_back(office: Office, opened: Open) -> None:
    customer = office.customer("fay", owner=None)
    panel = at_work(office, opened, customer.call_id)
    expect(panel.button("Send message")).to_be_disabled()
    customer.writes("A person, please", "human_handoff", action="action_human_handoff")
    card = panel.role("region", "Handoff card")
    expect(card).to_contain_text("Thank you for waiting. Anna is with you now.")
    expect(card).to_contain_text("human_handoff")
    panel.message.fill("Hello, how can I help?")
    panel.button("Send message").click()
    line = panel.log.locator(".line", has_text="Hello, how can I help?")
    expect(line).to_contain_text("Delivered")
    panel.button("Hand back").click()
    expect(panel.button("Send message")).to_be_disabled()


def test_two_windows(office: Office, opened: Open) -> None:
    customer = office.customer("gil")
    one = at_work(office, opened, customer.call_id)
    other = at_work(office, opened, customer.call_id, beside=one)
    customer.writes("What does it cost?")
    for panel in (one, other):
        expect(panel.suggestions).to_contain_text(PRICE)
    one.page.bring_to_front()
    one.look()
    one.of(one.suggestions, "Send").click()
    for panel in (one, other):
        expect(panel.log.locator(".line", has_text=PRICE)).to_contain_text("Delivered")
        expect(panel.suggestions).to_have_count(0)
    assert customer.received(1) == [PRICE]


def test_five_chats(office: Office, opened: Open) -> None:
    customers = [office.customer(f"customer-{number}") for number in range(5)]
    panel = at_work(office, opened, customers[0].call_id)
    for customer in customers:
        panel.choose(customer.user_id)
        panel.message.fill(f"For {customer.user_id}")
        for other in customers:
            other.writes(f"{other.user_id} asks while {customer.user_id} is open")
        expect(panel.log).to_contain_text(f"asks while {customer.user_id} is open")
        expect(panel.message).to_have_value(f"For {customer.user_id}")
        expect(panel.message).to_be_focused()
    for customer in customers:
        panel.choose(customer.user_id)
        panel.button("Send message").click()
        expect(panel.log.locator(".line", has_text="For ")).to_contain_text("Delivered")
    for customer in customers:
        assert customer.received(1) == [f"For {customer.user_id}"]


def test_a_text_over_the_cap_goes_out_as_the_panel_shows_it(office: Office, opened: Open) -> None:
    customer = office.customer("hana")
    panel = at_work(office, opened, customer.call_id)
    customer.writes("What does it cost?")
    panel.of(panel.suggestions, "Edit").click()
    panel.look()
    panel.editor.fill("Here is one sentence of a long answer, and it has <html> in it.\n" * 60)
    parts = panel.suggestions.get_by_role("list", name="Messages").get_by_role("listitem")
    shown = [text.strip() for text in parts.all_text_contents()]
    assert len(shown) > 1
    panel.button("Send edited").click()
    received = customer.received(len(shown))
    plain = [html.unescape(each.replace(" <br>\n", "\n")) for each in received]
    assert plain == shown


def test_the_server_starts_anew_in_between(
    tmp_path_factory: pytest.TempPathFactory, opened: Open
) -> None:
    with opened_office(tmp_path_factory.mktemp("restarted") / "server") as office:
        customer = office.customer("ida")
        with Relay(office.server.port) as relay:
            token = office.token()["token"]
            panel = opened(relay.url, token=token).connected()
            panel.message.fill("half a sentence")
            office.server.stop()
            expect(panel.connection).to_have_text("Reconnecting")
            panel.message.press("Enter")
            expect(panel.view.get_by_role("alert")).to_contain_text("cannot be reached")
            expect(panel.message).to_have_value("half a sentence")
            office.server.start()
            relay.port = office.server.port
            panel.connected()
            customer.writes("Are you there?")
            expect(panel.suggestions).to_contain_text(PRICE)
            panel.message.press("Enter")
            line = panel.log.locator(".line", has_text="half a sentence")
            expect(line).to_contain_text("Delivered")
        assert customer.received(1) == ["half a sentence"]


def test_a_token_is_revoked(office: Office, opened: Open) -> None:
    customer = office.customer("jan")
    token = office.token()
    panel = opened(office.server.url, token=token["token"]).connected()
    panel.choose("jan")
    panel.message.fill("half a sentence")
    office.server.delete(f"/bridge/tokens/{token['token_id']}")
    expect(panel.connection).to_have_text("Signed out")
    expect(panel.button("Sign in")).to_be_visible()
    expect(panel.message).to_have_value("half a sentence")
    panel.button("Sign in").click()
    panel.view.get_by_label("Access token").fill(office.token()["token"])
    panel.button("Use this token").click()
    panel.connected()
    panel.button("Send message").click()
    assert customer.received(1) == ["half a sentence"]

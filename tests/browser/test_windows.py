"""Windows, connections, tokens: nothing that was typed is lost, nothing goes to another call."""

from __future__ import annotations

import base64
import json
import time

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Open
from tests.browser.fake import TOKEN, FakeBridge, iso
from tests.browser.panel import until
from tests.browser.site import Site

NAMES = ("Anna", "Ben", "Carla", "David", "Eve")


@pytest.fixture
def five(fake: FakeBridge) -> FakeBridge:
    """Five calls; who comes later in the alphabet has waited longer."""
    for number, name in enumerate(NAMES):
        fake.call(f"c-{name}", nickname=name, waiting_since=iso(time.time() - 10 * number))
    return fake


# The list


def test_who_waits_longest_comes_first(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    expect(panel.calls).to_have_text([*reversed(NAMES)])
    expect(panel.page).to_have_title("(5) Inbox")
    expect(panel.waiting.nth(0)).to_have_attribute("data-waiting", "amber")
    expect(panel.waiting.nth(4)).to_have_attribute("data-waiting", "green")
    five.call("c-Anna", waiting_since=iso(time.time() - 100))
    expect(panel.calls.nth(0)).to_have_text("Anna")
    expect(panel.waiting.nth(0)).to_have_attribute("data-waiting", "red")


def test_nothing_moves_while_the_agent_is_at_the_list(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    expect(panel.calls).to_have_text([*reversed(NAMES)])
    five.call("c-Eve", waiting_since=None)  # the order is no longer that of the beginning
    now = ["David", "Carla", "Ben", "Anna", "Eve"]
    expect(panel.calls).to_have_text(now)
    panel.calls.nth(1).focus()
    five.call("c-Anna", waiting_since=iso(time.time() - 500))
    five.call("c-Fay", nickname="Fay", waiting_since=iso(time.time() - 900))
    expect(panel.calls).to_have_text([*now, "Fay"])
    expect(panel.calls.nth(1)).to_be_focused()
    panel.message.focus()
    expect(panel.calls).to_have_text(["Fay", "Anna", "David", "Carla", "Ben", "Eve"])


def test_five_chats_with_messages_in_all(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    for name in NAMES:
        panel.choose(name)
        panel.message.fill(f"for {name}")
        for other in NAMES:
            five.message(f"c-{other}", f"{other} says something about {name}")
        expect(panel.log).to_contain_text(f"{name} says something about {name}")
        expect(panel.message).to_have_value(f"for {name}")
        expect(panel.message).to_be_focused()
    for name in NAMES:
        panel.choose(name)
        expect(panel.message).to_have_value(f"for {name}")
        expect(panel.conversation).to_contain_text(f"to c-{name}")
        panel.button("Send message").click()
        expect(panel.log).to_contain_text("Delivered")
    sent = [(path, body["text"]) for _, path, body in five.requests if path.endswith("/replies")]
    assert sent == [(f"/bridge/calls/c-{name}/replies", f"for {name}") for name in NAMES]


def test_the_next_waiting_call_leaves_the_text_box(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    expect(panel.conversation).to_contain_text("c-Eve")
    panel.message.click()
    panel.page.keyboard.type("for Eve")
    panel.page.keyboard.press("F4")
    panel.page.keyboard.press("Enter")
    panel.page.keyboard.type("more")
    expect(panel.conversation).to_contain_text("to c-David")
    expect(panel.message).to_have_value("")
    panel.message.fill("too soon")
    panel.message.press("Enter")
    assert five.asked("/replies") == []
    panel.look()
    panel.message.press("Enter")
    until(lambda: len(five.asked("/replies")) == 1)
    panel.choose("Eve")
    expect(panel.message).to_have_value("for Eve")


def test_the_next_waiting_call_goes_round_all_of_them(five: FakeBridge, opened: Open) -> None:
    five.call("c-Ben", waiting_since=None)
    panel = opened(five.url).connected()
    panel.choose("Ben")  # who does not wait
    for name in ("Eve", "David", "Carla", "Anna", "Eve"):
        panel.page.keyboard.press("F4")
        expect(panel.conversation.get_by_role("heading", name=name, exact=True)).to_be_visible()
    for name in NAMES[1:]:
        five.call(f"c-{name}", waiting_since=None)
    panel.choose("Anna")
    panel.page.keyboard.press("F4")
    expect(panel.view.get_by_role("alert")).to_have_text("No other customer is waiting.")


@pytest.mark.parametrize("off", [300, -300, 90_000])
def test_a_browser_whose_clock_is_wrong(five: FakeBridge, opened: Open, off: int) -> None:
    """Waiting times, and the end of the token, are by the server's clock."""
    claims = {"aud": "agent", "sub": "291", "exp": int(time.time()) + 3600}
    token = f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()}.c2ln"
    five.tokens.add(token)
    first = opened(five.url, token=None)
    first.page.context.add_init_script(
        f"const real = Date.now.bind(Date); Date.now = () => real() + {off * 1000};"
    )
    panel = opened(five.url, token=token, beside=first).connected()
    expect(panel.waiting.nth(0)).to_have_attribute("data-waiting", "amber")  # for 40 seconds
    expect(panel.waiting.nth(4)).to_have_attribute("data-waiting", "green")
    panel.choose("Anna")
    five.message("c-Anna", "before")
    panel.message.fill("mine")
    panel.button("Send message").click()
    expect(panel.log).to_contain_text("Delivered")
    five.message("c-Anna", "after")
    expect(panel.log.locator(".bubble")).to_have_text(["before", "mine", "after"])
    panel.connected()


# Agents


def test_what_another_agent_said_is_not_said_to_be_yours(fake: FakeBridge, opened: Open) -> None:
    now = time.time()
    fake.call("c-1", nickname="Anna", given_at=iso(now - 60))
    fake.details["c-1"]["card"] = {"reason": "asked", "slots": {}, "turns": []}
    sent = {"origin": "handoff", "delivery": {"id": "71", "state": "delivered"}}
    fake.message("c-1", "I am 306", "agent", agent_id="306", at=iso(now - 90), **sent)
    fake.message("c-1", "Written elsewhere by 306", "agent", at=iso(now - 80))
    fake.message("c-1", "Written elsewhere by 291", "agent", at=iso(now - 40))
    panel = opened(fake.url).connected()
    expect(panel.log.locator(".author")).to_have_text(["Agent 306", "Agent", "You"])
    card = panel.role("region", "Handoff card")
    expect(card).to_contain_text("Nothing was said in your name yet.")
    panel.message.fill("I am 291")
    panel.button("Send message").click()
    expect(panel.log.locator(".line").last).to_contain_text("Delivered")
    expect(panel.log.locator(".line").last).to_contain_text("You")
    sent["delivery"] = {"id": "72", "state": "delivered"}
    fake.message("c-1", "Hello, this is 291", "agent", agent_id="291", **sent)
    panel.page.reload()
    expect(card).to_contain_text("Hello, this is 291")
    expect(card).not_to_contain_text("306")


# Windows


def test_several_windows_share_one_stream(five: FakeBridge, opened: Open) -> None:
    first = opened(five.url).connected()
    others = [opened(five.url, beside=first).connected() for _ in range(3)]
    assert (five.streams, five.opened) == (1, 1)
    five.message("c-Eve", "Hello to all windows")
    for panel in (first, *others):
        expect(panel.log).to_contain_text("Hello to all windows")
    first.page.close()
    until(lambda: five.opened == 2)
    five.message("c-Eve", "Hello again")
    for panel in others:
        expect(panel.log).to_contain_text("Hello again")
        expect(panel.connection).to_have_text("Connected")
    until(lambda: five.streams == 1)


def test_two_windows_see_the_same_suggestion_decided(five: FakeBridge, opened: Open) -> None:
    one = opened(five.url).connected()
    other = opened(five.url, beside=one).connected()
    five.suggest("c-Eve", "It costs 10 EUR.")
    for panel in (one, other):
        expect(panel.suggestions).to_have_count(1)
    one.page.bring_to_front()
    one.look()
    one.of(one.suggestions, "Send").click()
    expect(one.log).to_contain_text("Delivered")
    expect(other.log).to_contain_text("Delivered")
    expect(other.suggestions).to_have_count(0)
    assert len(five.asked("/accept")) == 1


# Connections


def test_a_list_that_is_older_than_an_event_does_not_undo_it(
    five: FakeBridge, opened: Open
) -> None:
    panel = opened(five.url, token=None)

    def late(route: Route) -> None:
        answer = route.fetch()
        five.call("c-Eve", nickname="Eve, who was renamed")
        panel.page.wait_for_timeout(300)
        route.fulfill(response=answer)

    panel.page.route("**/bridge/calls?*", late, times=1)
    panel.page.goto(f"{five.url}/inbox?x=1#token={TOKEN}")
    panel.connected()
    expect(panel.calls).to_have_count(5)
    expect(panel.calls.first).to_have_text("Eve, who was renamed")


def test_a_broken_stream_comes_back_and_nothing_is_missing(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    panel.message.fill("half a sentence")
    five.deaf = True
    five.drop()
    expect(panel.connection).to_have_text("Reconnecting")
    five.message("c-Eve", "Are you there?")
    five.suggest("c-Eve", "Yes.")
    five.deaf = False
    expect(panel.connection).to_have_text("Connected")
    expect(panel.log).to_contain_text("Are you there?")
    assert panel.log.get_by_text("Are you there?").count() == 1
    expect(panel.suggestions).to_have_count(1)
    expect(panel.message).to_have_value("half a sentence")


def test_what_was_decided_meanwhile_is_not_offered(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    offered = five.suggest("c-Eve", "Yes.")
    expect(panel.suggestions).to_have_count(1)
    five.deaf = True
    five.drop()
    expect(panel.connection).to_have_text("Reconnecting")
    five.suggestions[offered["id"]]["state"] = "superseded"
    five.deaf = False
    expect(panel.suggestions).to_have_count(0)


def test_a_reload_keeps_what_was_typed(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    five.suggest("c-Eve", "It costs 10 EUR.")
    panel.message.fill("half a sentence")
    panel.of(panel.suggestions, "Edit").click()
    panel.editor.fill("It costs 12 EUR.")
    panel.page.reload()
    panel.connected()
    expect(panel.message).to_have_value("half a sentence")
    expect(panel.editor).to_have_value("It costs 12 EUR.")


# Tokens


def test_the_token_leaves_the_address_at_once(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url).connected()
    assert panel.page.url == f"{five.url}/inbox"
    assert panel.page.evaluate("history.length") <= 2
    panel.page.reload()
    panel.connected()
    other = opened(five.url, beside=panel, token=None)
    expect(other.connection).to_have_text("Signed out")  # each tab has its own


def test_without_a_token_nothing_is_asked(five: FakeBridge, opened: Open) -> None:
    panel = opened(five.url, token=None)
    expect(panel.connection).to_have_text("Signed out")
    assert five.requests == []
    words = "Sign in to see your calls."
    expect(panel.conversation).to_have_text(words, use_inner_text=True)
    for words in ("No open calls", "No suggestion is open"):
        expect(panel.view.get_by_text(words)).to_be_hidden()
    panel.button("Sign in").click()
    panel.view.get_by_label("Access token").fill(TOKEN)
    panel.button("Use this token").click()
    panel.connected()


def test_a_token_that_ends_and_signing_in_again(
    framed: FakeBridge, sso: Site, opened: Open
) -> None:
    framed.call("c-1", nickname="Anna")
    panel = opened(framed.url).connected()
    panel.message.fill("half a sentence")
    framed.tokens.clear()
    framed.drop()
    expect(panel.connection).to_have_text("Signed out")
    expect(panel.button("Send message")).to_be_disabled()
    expect(panel.message).to_have_value("half a sentence")
    panel.message.press("Enter")
    assert framed.asked("/replies") == []
    renewed = TOKEN + "-renewed"
    framed.tokens.add(renewed)
    script = f"window.opener.postMessage({{token: '{renewed}'}}, '{framed.url}');"
    sso.put("/login", f"<title>Sign in</title><script>{script}</script>")
    with panel.page.expect_popup():
        panel.button("Sign in").click()
    panel.connected()
    expect(panel.button("Sign in")).to_have_count(0)
    expect(panel.message).to_have_value("half a sentence")
    panel.button("Send message").click()
    expect(panel.log).to_contain_text("Delivered")


def test_a_token_from_anywhere_else_is_not_taken(
    framed: FakeBridge, desk: Site, sso: Site, opened: Open
) -> None:
    panel = opened(framed.url, token=None)
    expect(panel.connection).to_have_text("Signed out")
    panel.page.evaluate("token => window.postMessage({token}, '*')", TOKEN)
    elsewhere = desk.put(
        "/evil", f"<script>window.opener.postMessage({{token: '{TOKEN}'}}, '*')</script>"
    )
    sso.put("/login", f"<script>location.href = '{elsewhere}'</script>")
    with panel.page.expect_popup() as popup:
        panel.button("Sign in").click()
    popup.value.wait_for_url(elsewhere)
    panel.page.wait_for_timeout(300)
    expect(panel.connection).to_have_text("Signed out")

"""Working with suggestions and messages: what is sent, and what is not."""

from __future__ import annotations

import re
import threading
import time

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Open
from tests.browser.fake import TOKEN, FakeBridge, iso
from tests.browser.panel import Panel, configure, until

PRICE = "It costs 10 EUR."
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def anna(fake: FakeBridge) -> FakeBridge:
    fake.call("c-1", nickname="Anna", waiting_since=iso(time.time()))
    fake.message("c-1", "What does it cost?", message_id="q1")
    return fake


def asked(fake: FakeBridge, text: str, call: str = "c-1") -> dict[str, str]:
    """The customer's words, as a suggestion that answers them refers to them."""
    said = fake.message(call, text, message_id=f"of {text}")
    return {"question": text, "message_id": said["message_id"]}


# Sending


def test_offered_to_sent_in_two_keys(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    panel.message.focus()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.look()
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press("1")
    expect(panel.log).to_contain_text("Delivered")
    expect(panel.log).to_contain_text(PRICE)
    assert anna.asked("/accept") == [{}]
    expect(panel.suggestions).to_have_count(0)
    expect(panel.message).to_be_focused()


def test_a_suggestion_that_has_only_just_come_is_not_sent(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    panel.of(panel.suggestions, "Send").click()
    panel.page.wait_for_timeout(200)
    assert anna.asked("/accept") == []
    panel.look()
    panel.of(panel.suggestions, "Send").click()
    until(lambda: anna.asked("/accept") == [{}])


def test_a_double_click_sends_one_suggestion(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    for number in range(3):
        anna.suggest("c-1", f"Answer {number}")
    expect(panel.suggestions).to_have_count(3)
    panel.look()
    panel.of(panel.suggestions.first, "Send").dblclick()
    panel.page.wait_for_timeout(300)
    assert len(anna.asked("/accept")) == 1


@pytest.mark.parametrize("key", ["2", "Numpad2"])
def test_the_keys_1_to_3_send_the_one_with_that_number(
    anna: FakeBridge, opened: Open, key: str
) -> None:
    panel = opened(anna.url).connected()
    for number in (1, 2, 3, 4):
        anna.suggest("c-1", f"Answer {number}")
    expect(panel.suggestions).to_have_count(4)
    panel.look()
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press(key)
    expect(panel.log).to_contain_text("Answer 2")


def test_a_number_is_of_the_suggestion_that_shows_it(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    for number in (1, 2):
        anna.suggest("c-1", f"Answer {number}")
    expect(panel.suggestions).to_have_count(2)
    panel.of(panel.suggestions.first, "Edit").click()
    panel.look()
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press("1")
    panel.page.keyboard.press("2")
    expect(panel.log).to_contain_text("Answer 2")
    assert len(anna.asked("/accept")) == 1
    expect(panel.editor).to_have_value("Answer 1")


@pytest.mark.parametrize("key", ["Control+1", "Alt+1", "Shift+1", "Meta+1", "4", "x", "Enter"])
def test_no_other_key_does(anna: FakeBridge, opened: Open, key: str) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.look()
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press(key)
    panel.page.wait_for_timeout(150)
    assert anna.asked("/accept") == anna.asked("/reject") == []


def test_a_letter_types_where_text_is_typed(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.message.click()
    panel.page.keyboard.type("recce 123")
    expect(panel.message).to_have_value("recce 123")
    assert anna.asked("/reject") == []


def test_a_letter_of_another_script_works_by_its_place(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.page.keyboard.press("F2")
    panel.page.evaluate(
        """() => {
          const root = document.querySelector('cc-suggestions').shadowRoot;
          root.activeElement.dispatchEvent(new KeyboardEvent('keydown', {
            key: 'к', code: 'KeyR', bubbles: true, composed: true, cancelable: true}));
        }"""
    )
    until(lambda: len(anna.asked("/reject")) == 1)


@pytest.mark.parametrize(
    ("key", "code", "name"),
    [
        ("e", "KeyD", "e"),  # Dvorak
        (".", "KeyE", None),
        ("E", "KeyE", "e"),
        ("у", "KeyE", "e"),  # noqa: RUF001 - Cyrillic
        ("ק", "KeyE", "e"),
        ("ı", "KeyI", None),  # noqa: RUF001 - Turkish
        ("é", "Digit2", "2"),  # French
        ("&", "Digit1", "1"),
        ("End", "Numpad1", "1"),
        ("Enter", "Enter", None),
        ("F2", "F2", "F2"),
    ],
)
def test_the_name_of_a_key(
    anna: FakeBridge, opened: Open, key: str, code: str, name: str | None
) -> None:
    panel = opened(anna.url)
    found = panel.page.evaluate(
        "async (event) => (await import('/inbox/keys.js')).keyName(event)",
        {"key": key, "code": code},
    )
    assert found == name


def test_a_key_that_types_types_where_text_is_typed(anna: FakeBridge, browser: Browser) -> None:
    page = browser.new_context().new_page()
    configure(page, keys={"suggestions": "a", "next_call": "n", "send_1": "1"})
    page.goto(f"{anna.url}/inbox#token={TOKEN}")
    panel = Panel(page, page).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.message.click()
    page.keyboard.type("banana a day")
    expect(panel.message).to_have_value("banana a day")
    panel.log.focus()
    page.keyboard.press("a")
    expect(panel.suggestions).to_be_focused()
    page.context.close()


def test_keys_are_changed_and_switched_off(anna: FakeBridge, browser: Browser) -> None:
    page = browser.new_context().new_page()
    keys = {"suggestions": "F8", "send_1": "x", "edit": None, "reject": "r", "next_call": "F4"}
    configure(page, keys=keys)
    page.goto(f"{anna.url}/inbox#token={TOKEN}")
    panel = Panel(page, page).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.look()
    panel.button("Keys").click()
    expect(panel.role("dialog", "Keys")).to_contain_text("F8")
    page.keyboard.press("Escape")
    for key in ("F2", "F8", "e", "1"):
        page.keyboard.press(key)
    expect(panel.editor).to_have_count(0)
    assert anna.asked("/accept") == []
    page.keyboard.press("x")
    until(lambda: anna.asked("/accept") == [{}])
    page.context.close()


def test_a_supervisor_reads_and_does_nothing(anna: FakeBridge, opened: Open) -> None:
    token = "e30.eyJhdWQiOiJzdXBlcnZpc29yIiwic3ViIjoiYm9zcyJ9.c2ln"
    anna.tokens.add(token)
    anna.suggest("c-1", PRICE)
    panel = opened(anna.url, token=token).connected()
    expect(panel.suggestions).to_have_count(1)
    for name in ("Send", "Edit", "Reject", "Copy"):
        expect(panel.of(panel.suggestions, name)).to_be_disabled()
    expect(panel.message).to_have_count(0)
    expect(panel.button("Hand back")).to_be_disabled()
    panel.look()
    assert [each for each in anna.requests if each[0] != "GET"] == []


def test_the_agent_writes_freely(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    expect(panel.conversation).to_contain_text("to c-1")
    panel.message.click()
    panel.page.keyboard.type("First line")
    panel.page.keyboard.press("Shift+Enter")
    panel.page.keyboard.type("second line")
    panel.page.keyboard.press("Enter")
    expect(panel.log).to_contain_text("second line")
    expect(panel.log).to_contain_text("Delivered")
    (body,) = anna.asked("/replies")
    assert body["text"] == "First line\nsecond line"
    assert body["client_id"]
    expect(panel.message).to_have_value("")
    expect(panel.message).to_be_focused()
    assert anna.asked("/typing")


def test_a_growing_text_box_leaves_the_newest_message_in_view(
    anna: FakeBridge, opened: Open
) -> None:
    for number in range(30):
        anna.message("c-1", f"Message {number}")
    panel = opened(anna.url, viewport={"width": 1280, "height": 800}).connected()
    newest = panel.log.get_by_text("Message 29", exact=True)
    expect(newest).to_be_in_viewport(ratio=1)
    panel.message.fill("A long answer. " * 300)
    expect(newest).to_be_in_viewport(ratio=1)
    oldest = panel.log.get_by_text("Message 0", exact=True)
    panel.log.evaluate("log => { log.scrollTop = 0; }")  # the agent reads what was said before
    expect(oldest).to_be_in_viewport(ratio=1)
    panel.message.fill("")
    anna.message("c-1", "Message 30")
    expect(panel.button("New messages below")).to_be_visible()
    expect(oldest).to_be_in_viewport(ratio=1)
    panel.button("New messages below").click()
    expect(panel.log.get_by_text("Message 30", exact=True)).to_be_in_viewport(ratio=1)


def test_enter_that_ends_a_composition_does_not_send(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    panel.message.fill("你好")
    for options in ("isComposing: true", "keyCode: 229", "repeat: true"):
        panel.message.evaluate(
            f"""(box) => box.dispatchEvent(new KeyboardEvent('keydown', {{
              key: 'Enter', code: 'Enter', bubbles: true, composed: true, {options}}}))"""
        )
    panel.page.wait_for_timeout(150)
    assert anna.asked("/replies") == []


def test_a_message_that_did_not_arrive_is_kept_and_sent_once(
    anna: FakeBridge, opened: Open
) -> None:
    panel = opened(anna.url).connected()
    anna.failing["/replies"] = 503
    panel.message.fill("Hello")
    panel.button("Send message").click()
    expect(panel.view.get_by_role("alert")).to_contain_text("it failed")
    expect(panel.message).to_have_value("Hello")
    anna.failing.clear()
    panel.button("Send message").click()
    expect(panel.log).to_contain_text("Delivered")
    first, second = anna.asked("/replies")
    assert first == second


# Editing


def test_edited_in_place(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    panel.of(panel.suggestions, "Edit").click()
    expect(panel.editor).to_be_focused()
    expect(panel.editor).to_have_value(PRICE)
    panel.look()
    panel.editor.fill("It costs 12 EUR.")
    panel.button("Send edited").click()
    expect(panel.log).to_contain_text("It costs 12 EUR.")
    assert anna.asked("/accept") == [{"text": "It costs 12 EUR."}]
    expect(panel.message).to_be_focused()


def test_escape_cancels_and_then_gives_the_focus_back(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    panel.message.fill("half a sentence")
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press("e")
    panel.editor.fill("changed")
    panel.page.keyboard.press("Escape")
    expect(panel.editor).to_have_count(0)
    expect(panel.of(panel.suggestions, "Edit")).to_be_focused()
    panel.page.keyboard.press("Escape")
    expect(panel.message).to_be_focused()
    expect(panel.message).to_have_value("half a sentence")
    panel.page.keyboard.press("Escape")
    expect(panel.message).to_have_value("half a sentence")
    assert anna.asked("/accept") == anna.asked("/reject") == []


def test_when_the_customer_writes_while_the_agent_edits(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    offered = anna.suggest("c-1", PRICE, **asked(anna, "What does it cost?"))
    panel.of(panel.suggestions, "Edit").click()
    panel.editor.fill("It costs 12 EUR.")
    anna.message("c-1", "And when do you open?", at=iso(time.time() + 5))
    anna.settle(offered["id"], "superseded")
    expect(panel.button("Send anyway")).to_be_visible()
    expect(panel.button("Discard")).to_be_visible()
    expect(panel.button("Send edited")).to_have_count(0)
    expect(panel.editor).to_be_focused()
    expect(panel.editor).to_have_value("It costs 12 EUR.")
    panel.page.keyboard.press("Enter")
    assert anna.asked("/replies") == []
    panel.look()
    panel.button("Send anyway").click()
    expect(panel.log).to_contain_text("It costs 12 EUR.")
    (body,) = anna.asked("/replies")
    assert body["text"] == "It costs 12 EUR."
    expect(panel.suggestions).to_have_count(0)


def test_an_edit_on_a_call_that_moved_cannot_be_sent(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    offered = anna.suggest("c-1", PRICE)
    panel.of(panel.suggestions, "Edit").click()
    panel.editor.fill("It costs 12 EUR.")
    anna.call("c-1", moved_to="305", owner="bot", state="ended", ended_at=iso(time.time()))
    anna.settle(offered["id"], "expired")
    expect(panel.button("Send anyway")).to_be_disabled()
    expect(panel.editor).to_have_value("It costs 12 EUR.")
    panel.look()
    panel.page.keyboard.press("Enter")
    panel.button("Discard").click()
    assert anna.asked("/accept") == anna.asked("/replies") == []


def test_what_was_edited_can_be_discarded(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    offered = anna.suggest("c-1", PRICE)
    panel.of(panel.suggestions, "Edit").click()
    anna.settle(offered["id"], "superseded")
    panel.button("Discard").click()
    panel.message.click()
    expect(panel.suggestions).to_have_count(0)
    assert anna.asked("/accept") == anna.asked("/replies") == []


def test_messages_within_a_moment_are_one_block(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE, **asked(anna, "What does it cost?"))
    panel.of(panel.suggestions, "Edit").click()
    anna.message("c-1", "the big one", at=iso(time.time() + 0.3))
    expect(panel.log).to_contain_text("the big one")
    expect(panel.button("Send edited")).to_be_visible()
    expect(panel.button("Send anyway")).to_have_count(0)
    joined = panel.log.locator("[data-joined]")
    expect(joined.last).to_contain_text("the big one")


def test_an_edit_outlives_the_rest_of_its_block(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    offered = anna.suggest("c-1", PRICE, **asked(anna, "What does it cost?"))
    panel.of(panel.suggestions, "Edit").click()
    panel.editor.fill("The big one costs 12 EUR.")
    anna.message("c-1", "the big one", at=iso(time.time() + 0.3))
    anna.settle(offered["id"], "superseded")
    expect(panel.suggestions).to_have_attribute("data-state", "superseded")
    expect(panel.button("Send edited")).to_be_visible()
    expect(panel.button("Send anyway")).to_have_count(0)
    panel.look()
    panel.editor.press("Enter")
    expect(panel.log).to_contain_text("The big one costs 12 EUR.")
    assert [body["text"] for body in anna.asked("/replies")] == ["The big one costs 12 EUR."]
    assert anna.asked("/accept") == []
    expect(panel.suggestions).to_have_count(0)


def test_an_edit_after_another_answer_asks(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    offered = anna.suggest("c-1", PRICE, **asked(anna, "What does it cost?"))
    panel.of(panel.suggestions, "Edit").click()
    anna.message("c-1", "the big one", at=iso(time.time() + 0.3))
    anna.deliver("c-1", "It costs 11 EUR.", created_at=iso(time.time() + 0.5))
    anna.settle(offered["id"], "superseded")
    expect(panel.button("Send anyway")).to_be_visible()


def test_the_split_of_an_edit_over_the_cap(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    panel.of(panel.suggestions, "Edit").click()
    item = panel.suggestions
    expect(item).to_contain_text(re.compile(r"16 of 1,\d{3} bytes"))
    panel.editor.fill("This is a sentence of the answer. " * 80)
    expect(item).to_contain_text("Goes out as 2 messages")
    parts = item.get_by_role("list", name="Messages").get_by_role("listitem")
    expect(parts).to_have_count(2)
    expect(parts.first).to_contain_text("This is a sentence of the answer.")


# Rejecting, copying


def test_rejected_at_once_and_the_reason_may_follow(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    panel.of(panel.suggestions, "Reject").click()
    until(lambda: anna.asked("/reject") == [{}])
    expect(panel.suggestions).to_contain_text("Rejected")
    expect(panel.of(panel.suggestions, "Send")).to_be_disabled()
    panel.role("textbox", "Reason").fill("out of date")
    panel.button("Add reason").click()
    until(lambda: anna.asked("/reject") == [{}, {"reason": "out of date"}])
    panel.message.click()
    expect(panel.suggestions).to_have_count(0)


def test_what_was_rejected_does_not_move_from_under_a_press(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    _, second, _ = [anna.suggest("c-1", text) for text in ("first", "second", "third")]
    expect(panel.suggestions).to_have_count(3)
    panel.look()
    panel.of(panel.suggestions.first, "Reject").click()
    expect(panel.suggestions.first).to_contain_text("Rejected")
    panel.look()
    panel.of(panel.suggestions.nth(1), "Send").hover()
    panel.page.mouse.down()  # a press of an agent takes a tenth of a second
    panel.page.wait_for_timeout(150)
    panel.page.mouse.up()
    until(lambda: anna.suggestions[second["id"]]["state"] == "accepted")


def test_a_suggestion_that_has_only_just_moved_is_not_sent(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    first, second = anna.suggest("c-1", "first"), anna.suggest("c-1", "second")
    expect(panel.suggestions).to_have_count(2)
    panel.look()
    panel.page.keyboard.press("F2")
    anna.settle(first["id"], "superseded")
    second_item = panel.suggestions.nth(1)
    expect(panel.of(second_item, "Send")).to_have_attribute("aria-keyshortcuts", "1")
    panel.page.keyboard.press("1")  # meant for the other one
    assert anna.asked("/accept") == []
    panel.look()
    panel.page.keyboard.press("1")
    until(lambda: anna.suggestions[second["id"]]["state"] == "accepted")


def test_a_notice_moves_nothing(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    before = panel.button("Send message").bounding_box()
    panel.page.keyboard.press("F2")
    expect(panel.view.get_by_role("alert")).to_have_text("No suggestion is open.")
    assert panel.button("Send message").bounding_box() == before


def test_copied_by_the_clipboard(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url, permissions=["clipboard-read", "clipboard-write"]).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press("c")
    until(lambda: anna.asked("/copy") == [{}])
    assert panel.page.evaluate("navigator.clipboard.readText()") == PRICE


@pytest.mark.parametrize("command", [True, False])
def test_copied_without_the_clipboard(anna: FakeBridge, opened: Open, *, command: bool) -> None:
    panel = opened(anna.url).connected()
    panel.page.evaluate(
        """(works) => {
          const clipboard = {writeText: () => Promise.reject()};
          Object.defineProperty(navigator, 'clipboard', {value: clipboard});
          if (!works) document.execCommand = () => false;
        }""",
        command,
    )
    anna.suggest("c-1", PRICE)
    panel.of(panel.suggestions, "Copy").click()
    if command:
        until(lambda: anna.asked("/copy") == [{}])
    else:
        expect(panel.suggestions).to_contain_text("press Ctrl+C")
        assert anna.asked("/copy") == []


# What others do


def test_a_retired_suggestion_stays_until_the_focus_leaves(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    first, second = anna.suggest("c-1", "One"), anna.suggest("c-1", "Two")
    expect(panel.suggestions).to_have_count(2)
    panel.of(panel.suggestions.nth(1), "Send").focus()
    anna.settle(first["id"], "superseded")
    anna.settle(second["id"], "superseded")
    for item in (panel.suggestions.nth(0), panel.suggestions.nth(1)):
        expect(item).to_contain_text("No longer open")
        expect(panel.of(item, "Send")).to_be_disabled()
    expect(panel.of(panel.suggestions.nth(1), "Send")).to_be_focused()
    panel.look()
    panel.page.keyboard.press("Enter")
    assert anna.asked("/accept") == []
    panel.message.focus()
    expect(panel.suggestions).to_have_count(0)


def test_what_is_new_comes_last(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", "One", source={"kind": "assist", "confidence": 0.2})
    expect(panel.suggestions).to_have_count(1)
    panel.of(panel.suggestions.first, "Send").focus()
    anna.suggest("c-1", "Two", source={"kind": "assist", "confidence": 0.9})
    expect(panel.suggestions).to_have_count(2)
    expect(panel.suggestions.first).to_contain_text("One")
    expect(panel.of(panel.suggestions.first, "Send")).to_be_focused()


def test_a_click_on_what_was_superseded_sends_nothing(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    offered = anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.look()
    anna.suggestions[offered["id"]]["state"] = "superseded"  # the window has not heard of it
    panel.of(panel.suggestions, "Send").click()
    expect(panel.suggestions).to_contain_text("nothing was sent")
    expect(panel.of(panel.suggestions, "Send")).to_be_disabled()


def test_why_it_is_offered_and_what_it_answers(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE, question="What does it cost?")
    expect(panel.suggestions).to_contain_text("What does it cost?")
    expect(panel.suggestions).to_contain_text("ask_price 0.87, next ask_hours 0.41")


def test_answers_from_outside_have_a_list_of_their_own(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", "From the knowledge base", source={"kind": "external", "names": ["kb"]})
    others = panel.role("list", "Other answers").locator("> li")
    expect(others).to_have_count(1)
    expect(others).to_contain_text("from kb")
    panel.look()
    panel.of(others, "Send").click()
    expect(panel.log).to_contain_text("From the knowledge base")


def test_the_hosts_of_links_from_outside_are_shown(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    source = {"kind": "external", "names": ["kb", "llm"], "confidence": 0.71}
    anna.suggest("c-1", "Pay there", source=source, hosts=["evil.example", "xn--pypal-4ve.example"])
    anna.suggest("c-1", PRICE, source=source)
    others = panel.role("list", "Other answers").locator("> li")
    expect(others).to_have_count(2)
    expect(others.first).to_contain_text("from kb, llm 0.71")
    links = "Links to evil.example, xn--pypal-4ve.example"
    expect(others.first.get_by_text(links, exact=True)).to_be_visible()
    expect(panel.of(others.first, "Send")).to_have_accessible_description(f"Pay there {links}")
    expect(others.nth(1)).not_to_contain_text("Links to")


def test_who_else_suggests_the_words_of_the_bot_is_named(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    source = {"kind": "assist", "intent": "ask_price", "confidence": 0.87, "names": ["kb"]}
    anna.suggest("c-1", PRICE, source=source)
    expect(panel.suggestions).to_contain_text("ask_price 0.87, also from kb")


def test_a_failure_of_the_connection_goes_with_it(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    panel.look()
    anna.deaf = True
    anna.drop()
    expect(panel.connection).to_have_text("Reconnecting")
    panel.page.route("**/accept", lambda route: route.abort())
    panel.of(panel.suggestions, "Send").click()
    expect(panel.suggestions).to_contain_text("the bridge cannot be reached")
    anna.deaf = False
    panel.connected()
    expect(panel.suggestions).not_to_contain_text("the bridge cannot be reached")


def test_suggestions_are_hidden_for_a_call(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    expect(panel.suggestions).to_have_count(1)
    switch = panel.role("switch", "Show suggestions")
    expect(switch).to_be_checked()
    expect(panel.waiting).to_contain_text("1 suggestion")
    switch.click()
    expect(switch).not_to_be_checked()
    expect(panel.suggestions).to_have_count(0)
    expect(panel.waiting).not_to_contain_text("suggestion")
    assert anna.asked("/assist") == [{"hidden": True}]
    switch.click()
    expect(panel.suggestions).to_have_count(1)


# Calls and deliveries


def test_why_a_call_cannot_be_handed_back(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.failing["/handback"] = 409
    panel.button("Hand back").click()
    expect(panel.view.get_by_role("alert")).to_have_text("it failed")


def test_handed_back(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    panel.button("Hand back").click()
    until(lambda: anna.asked("/handback") == [{}])
    expect(panel.button("Hand back")).to_have_count(0)
    expect(panel.button("Send message")).to_be_disabled()


def test_what_becomes_of_messages(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    for state in ("waiting", "sending", "delivered", "uncertain", "expired"):
        anna.deliver("c-1", f"This is {state}", state)
    error = {"code": "call_ended", "message": "the call has ended"}
    anna.deliver("c-1", "This is failed", "failed", error=error)
    said = {
        "waiting": "Sending",
        "sending": "Sending",
        "delivered": "Delivered",
        "uncertain": "Not confirmed",
        "failed": "Failed: the call has ended",
        "expired": "Failed: not sent in time",
    }
    for state, words in said.items():
        line = panel.log.locator(".line", has_text=f"This is {state}")
        expect(line).to_contain_text(words)
    waiting = panel.log.locator(".line", has_text="This is waiting")
    panel.message.fill("what comes next")
    waiting.get_by_role("button", name="Take back", exact=True).click()
    until(lambda: anna.asked("/discard") == [{}])
    expect(panel.message).to_have_value("This is waiting\nwhat comes next")
    failed = panel.log.locator(".line", has_text="This is failed")
    failed.get_by_role("button", name="Retry", exact=True).click()
    until(lambda: anna.asked("/retry") == [{}])


def test_what_was_discarded_did_not_fail(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    error = {"code": "discarded", "message": "it was discarded"}
    anna.deliver("c-1", "Never mind", "failed", error=error)
    line = panel.log.locator(".line", has_text="Never mind")
    expect(line.locator(".line-foot")).to_have_text("Discarded")
    expect(line.get_by_role("button")).to_have_count(0)


def test_a_call_that_was_transferred(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.suggest("c-1", PRICE)
    panel.message.fill("half a sentence")
    panel.look()
    anna.call("c-1", moved_to="305", owner="bot", state="ended", ended_at=iso(time.time()))
    expect(panel.log).to_contain_text("Transferred to 305")
    expect(panel.log).not_to_contain_text("Customer left")
    expect(panel.button("Send message")).to_be_disabled()
    expect(panel.of(panel.suggestions, "Send")).to_be_disabled()
    expect(panel.message).to_have_value("half a sentence")
    expect(panel.conversation).to_contain_text("What you typed is kept, and cannot be sent here.")
    panel.message.press("Enter")
    panel.of(panel.suggestions, "Send").click(force=True)
    expect(panel.calls).to_have_count(0)
    assert anna.asked("/replies") + anna.asked("/accept") == []
    anna.call("c-1", moved_to=None, owner="agent", state="open", ended_at=None)  # and back again
    expect(panel.log).not_to_contain_text("Transferred to 305")
    expect(panel.message).to_have_value("half a sentence")
    panel.button("Send message").click()
    until(lambda: [each["text"] for each in anna.asked("/replies")] == ["half a sentence"])


@pytest.mark.parametrize(("target", "said"), [("agent 306", "306"), ("skill 12", "skill 12")])
def test_where_a_transferred_call_went_stays_known(
    anna: FakeBridge, opened: Open, target: str, said: str
) -> None:
    panel = opened(anna.url).connected()
    anna.call("c-1", transfer_to=target)
    expect(panel.log).to_contain_text(f"Being transferred to {said}")
    anna.call("c-1", owner="bot", state="ended", ended_at=iso(time.time()))
    expect(panel.log).to_contain_text(f"Transferred to {said}")
    taken = anna.calls.pop("c-1")  # from now on it is another agent's, and not found
    asked = ("GET", "/bridge/calls/c-1", None)
    before = anna.requests.count(asked)
    anna.drop()
    until(lambda: anna.requests.count(asked) > before)
    panel.connected()
    expect(panel.log).to_contain_text(f"Transferred to {said}")
    expect(panel.log).not_to_contain_text("Another agent has this call now.")
    anna.calls["c-1"] = taken
    anna.call("c-1", transfer_to=None, owner="agent", state="open", ended_at=None)  # and back again
    expect(panel.log).not_to_contain_text("Transferred to")
    expect(panel.button("Send message")).to_be_visible()


def test_a_response_that_is_older_than_an_event(anna: FakeBridge, opened: Open) -> None:
    panel = opened(anna.url).connected()
    anna.slow = threading.Event()
    with panel.page.expect_response("**/bridge/calls/c-1/handback"):
        panel.button("Hand back").click()
        until(lambda: anna.asked("/handback") == [{}])
        anna.call("c-1", moved_to="305", owner="bot", state="ended", ended_at=iso(time.time()))
        expect(panel.log).to_contain_text("Transferred to 305")
        anna.slow.set()  # it says that the bot has the call, as was so before
    panel.page.evaluate(TWO_FRAMES)
    assert "Transferred to 305" in panel.log.inner_text()


def test_a_call_that_ended(anna: FakeBridge, opened: Open) -> None:
    anna.call("c-2", nickname="Ben")
    panel = opened(anna.url).connected()
    panel.choose("Ben")
    anna.deliver("c-2", "too late", "failed", error={"code": "call_ended", "message": "ended"})
    anna.call("c-2", ended_at=iso(time.time()))
    expect(panel.log).to_contain_text(re.compile(r"Customer left .*; 1 message not delivered"))


def test_the_handoff_card_begins_with_what_was_said(anna: FakeBridge, opened: Open) -> None:
    card = {
        "reason": "intent human_handoff at 0.97",
        "slots": {"order_id": "A-1", "email": None, "phone": "", "items": [], "vip": False},
        "turns": [{"id": "1", "from": "customer", "text": "Help", "at": iso(time.time())}],
    }
    anna.details["c-1"]["card"] = card
    anna.message(
        "c-1",
        "Anna is with you.",
        "agent",
        origin="handoff",
        delivery={"id": "9", "state": "delivered"},
    )
    panel = opened(anna.url).connected()
    shown = panel.role("region", "Handoff card")
    expect(shown.locator("dt")).to_have_text(["order_id", "vip"])
    expect(shown.locator("dd")).to_have_text(["A-1", "false"])
    text = shown.inner_text()
    assert text.index("Anna is with you.") < text.index("intent human_handoff")


def test_media_is_shown_when_asked_for(anna: FakeBridge, opened: Open) -> None:
    picture = "https://media.example/parcel.jpg"
    panel = opened(anna.url).connected()
    asked_for: list[str] = []
    panel.page.context.on("request", lambda request: asked_for.append(request.url))
    panel.page.context.route("https://media.example/**", lambda route: route.fulfill(body="x"))
    anna.message("c-1", "", media_type="IMAGE", media_file_type="jpg", content=picture)
    expect(panel.log).to_contain_text("Picture (jpg)")
    assert picture not in asked_for
    with panel.page.context.expect_page() as tab:
        panel.log.get_by_role("button", name="Show", exact=True).click()
    assert tab.value.evaluate("window.opener") is None

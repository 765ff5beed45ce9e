"""In another page: framed by a desk, in the AICC workbench, as an element."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bridge import access_tokens
from bridge.access_tokens import Role
from tests.browser.conftest import Open
from tests.browser.fake import TOKEN, FakeBridge, iso
from tests.browser.panel import Panel, configure, until
from tests.browser.site import Site
from tests.web.serving import INBOX_SECRET, ActionServer

AICC = """
window.handlers = {};
window.AICCSupport = {addHandler(event, callback) { handlers[event] = callback; }};
"""


@pytest.fixture
def calls(framed: FakeBridge) -> FakeBridge:
    framed.call("c-1", nickname="Anna", waiting_since=iso(time.time() - 20))
    framed.call("c-2", nickname="Ben")
    return framed


def in_frame(browser: Browser, desk: Site, url: str) -> Panel:
    """A desk's page with the panel in a frame."""
    page = browser.new_context().new_page()
    page.goto(desk.put("/desk", f"<h1>Desk</h1><iframe width=900 height=700 src='{url}'></iframe>"))
    panel = Panel(page, page.frame_locator("iframe"))
    page.on("pageerror", lambda error: panel.wrong.append(str(error)))
    return panel


def post(page: Page, message: Any) -> None:
    """Send a message to the frame, as the desk's script does."""
    page.evaluate(
        "message => document.querySelector('iframe').contentWindow.postMessage(message, '*')",
        message,
    )


def test_framed_by_a_listed_origin(calls: FakeBridge, desk: Site, browser: Browser) -> None:
    panel = in_frame(browser, desk, f"{calls.url}/inbox?embed=1&callid=c-1#token={TOKEN}")
    panel.connected()
    expect(panel.conversation).to_contain_text("to c-1")
    expect(panel.role("list", "Calls")).to_have_count(0)
    panel.message.fill("half a sentence")
    for message in ({"callid": "<b>"}, {"callid": 1}, "c-2", None, {"token": "x"}):
        post(panel.page, message)
    post(panel.page, {"callid": "c-2"})
    expect(panel.conversation).to_contain_text("to c-2")
    expect(panel.message).to_have_value("")
    expect(panel.message).not_to_be_focused()
    post(panel.page, {"callid": "c-1"})
    expect(panel.message).to_have_value("half a sentence")
    panel.page.context.close()


def test_a_send_needs_the_panel_in_front(calls: FakeBridge, desk: Site, browser: Browser) -> None:
    panel = in_frame(browser, desk, f"{calls.url}/inbox?embed=1&callid=c-1#token={TOKEN}")
    panel.connected()
    calls.suggest("c-1", "It costs 10 EUR.")
    expect(panel.suggestions).to_have_count(1)
    panel.page.locator("h1").click()
    panel.look()
    panel.of(panel.suggestions, "Send").click()  # this click gives the frame its focus
    expect(panel.view.get_by_role("alert")).to_contain_text("Press once more")
    assert calls.asked("/accept") == []
    panel.look()
    panel.of(panel.suggestions, "Send").click()
    until(lambda: calls.asked("/accept") == [{}])
    panel.page.context.close()


def test_a_second_press_where_that_is_configured(
    calls: FakeBridge, desk: Site, browser: Browser
) -> None:
    page = browser.new_context().new_page()
    configure(page, confirm_in_frame=True)
    address = f"{calls.url}/inbox?embed=1&callid=c-1#token={TOKEN}"
    page.goto(desk.put("/desk", f"<iframe width=900 height=700 src='{address}'></iframe>"))
    panel = Panel(page, page.frame_locator("iframe")).connected()
    panel.message.fill("Hello")
    panel.look()
    panel.message.press("Enter")
    expect(panel.view.get_by_role("alert")).to_contain_text("Press once more to send")
    panel.message.press("Enter")  # a double press is one
    assert calls.asked("/replies") == []
    panel.look()
    panel.message.press("Enter")
    expect(panel.log).to_contain_text("Delivered")
    page.context.close()


def test_of_a_call_that_is_not_the_agents_nothing_is_shown(
    calls: FakeBridge, desk: Site, browser: Browser
) -> None:
    panel = in_frame(browser, desk, f"{calls.url}/inbox?embed=1&callid=c-9#token={TOKEN}")
    panel.connected()
    unknown = "The bridge does not know the call c-9."
    expect(panel.conversation).to_have_text(unknown, use_inner_text=True)
    expect(panel.message).to_be_hidden()
    expect(panel.view.get_by_role("switch")).to_be_hidden()
    post(panel.page, {"callid": "c-1"})
    expect(panel.conversation.get_by_role("heading", name="Anna")).to_be_visible()
    post(panel.page, {"callid": "c-9"})
    expect(panel.conversation).to_have_text(unknown, use_inner_text=True)
    calls.call("c-9", nickname="Zoe")  # it is assigned to the agent now
    expect(panel.conversation.get_by_role("heading", name="Zoe")).to_be_visible()
    expect(panel.message).to_be_visible()
    assert calls.asked("/typing") == []
    panel.page.context.close()


def test_refused_without_the_setting(fake: FakeBridge, desk: Site, browser: Browser) -> None:
    fake.call("c-1", nickname="Anna")
    panel = in_frame(browser, desk, f"{fake.url}/inbox?embed=1#token={TOKEN}")
    panel.page.wait_for_timeout(500)
    expect(panel.connection).to_have_count(0)
    assert fake.requests == []
    panel.page.context.close()


def test_messages_of_other_windows_do_not_count(calls: FakeBridge, opened: Open) -> None:
    panel = opened(calls.url).connected()
    expect(panel.conversation).to_contain_text("to c-1")
    panel.page.evaluate("window.postMessage({callid: 'c-2'}, '*')")
    panel.page.wait_for_timeout(200)
    expect(panel.conversation).to_contain_text("to c-1")


def test_in_the_workbench_only_the_call_id_is_handed_over(
    calls: FakeBridge, desk: Site, browser: Browser
) -> None:
    desk.put("/AICCSupport.js", AICC, "text/javascript")
    context = browser.new_context()
    page = context.new_page()
    # As after a sign-in in this tab: the token is the panel's, not this document's.
    page.add_init_script(
        f"if (location.pathname === '/inbox') sessionStorage.setItem('cc-token', '{TOKEN}')"
    )
    page.goto(f"{calls.url}/inbox/aicc")
    panel = Panel(page, page.frame_locator("iframe")).connected()
    expect(panel.conversation).to_contain_text("to c-1")
    page.evaluate(
        """() => {
          const inner = document.querySelector('iframe').contentWindow;
          window.handed = [];
          inner.addEventListener('message', (event) => window.handed.push(event.data));
        }"""
    )
    assert page.evaluate("Object.keys(handlers)") == [
        "Init",
        "Ringing",
        "Talking",
        "Release",
        "Switch",
    ]
    data = {"callid": "c-2", "callerNum": "49170", "calldata": "private", "workNo": "291"}
    page.evaluate("data => handlers.Talking(data)", data)
    expect(panel.conversation).to_contain_text("to c-2")
    assert page.evaluate("window.handed") == [{"callid": "c-2"}]
    assert "token" not in page.url
    context.close()


def test_the_element_in_a_desktop_of_another_origin(
    framed_page: ActionServer, desk: Site, browser: Browser
) -> None:
    now = time.time()
    token, _ = access_tokens.mint(Role.AGENT, "291", secret=INBOX_SECRET, now=now, seconds=600)
    url = framed_page.url
    address = desk.put(
        "/element",
        f"<script type=module src='{url}/inbox/cc-suggestions.js'></script>"
        "<input aria-label='Own field'><cc-suggestions embed lang=zh></cc-suggestions>"
        "<script type=module>await customElements.whenDefined('cc-suggestions');"
        f"document.querySelector('cc-suggestions').token = {json.dumps(token)};</script>",
    )
    page = browser.new_context().new_page()
    with page.expect_response(f"{url}/bridge/assist") as answer:
        page.goto(address)
    assert answer.value.ok
    expect(page.get_by_role("status", name="连接状态")).to_have_text("已连接")
    page.context.close()


def test_the_element_is_not_for_an_origin_that_is_not_listed(
    framed_page: ActionServer, sso: Site, browser: Browser
) -> None:
    address = sso.put(
        "/element",
        f"<script type=module src='{framed_page.url}/inbox/cc-suggestions.js'></script>"
        "<cc-suggestions></cc-suggestions>",
    )
    page = browser.new_context().new_page()
    page.goto(address)
    page.wait_for_timeout(500)
    assert page.evaluate("customElements.get('cc-suggestions') === undefined")
    page.context.close()

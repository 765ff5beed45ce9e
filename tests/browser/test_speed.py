"""A thousand waiting suggestions: the panel stays smooth."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.fake import FakeBridge, iso

MANY = 1000
LONGEST_TASK = 50  # milliseconds that are promised
BOUND = 5 * LONGEST_TASK  # of a test, on a machine that does other things too

OBSERVE = """
  window.tasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.tasks.push(entry.duration);
  }).observe({type: 'longtask', buffered: true});
"""


def test_a_thousand_suggestions(fake: FakeBridge, opened: Open) -> None:
    now = iso(time.time())
    for call in range(5):
        fake.call(f"c-{call}", nickname=f"Customer {call}", waiting_since=now)
    for number in range(MANY // 2):
        fake.suggest(f"c-{number % 5}", f"Answer {number}")
    panel = opened(fake.url, token=None)
    panel.page.add_init_script(OBSERVE)
    panel.page.goto(f"{fake.url}/inbox?x#token=e30.eyJhdWQiOiJhZ2VudCIsInN1YiI6IjI5MSJ9.c2ln")
    panel.connected()
    expect(panel.suggestions).to_have_count(MANY // 10)
    panel.page.evaluate("window.tasks.splice(0)")  # loading the page is not what is measured
    for number in range(MANY // 2):
        fake.suggest("c-0", f"Later answer {number}")
    expect(panel.suggestions).to_have_count(MANY // 10 + MANY // 2, timeout=20_000)
    arriving = panel.page.evaluate("window.tasks.splice(0)")
    panel.message.click()
    panel.page.keyboard.type("Typing goes on while a thousand suggestions wait.")
    panel.page.keyboard.press("F2")
    panel.page.keyboard.press("Escape")
    working = panel.page.evaluate("window.tasks.splice(0)")
    assert max([*arriving, *working], default=0) < BOUND

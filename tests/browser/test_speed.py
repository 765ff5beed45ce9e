"""A thousand waiting suggestions: the panel stays smooth. A new one is on the page at once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.fake import TOKEN, FakeBridge, iso
from tests.browser.office import Office, opened_office
from tests.browser.panel import Panel

MANY = 1000
LATER = 200
FACTOR = 5  # of a test, on a machine that does other things too
LONGEST_TASK = 50  # milliseconds that are promised
ON_THE_PAGE = 100  # milliseconds from stored to painted that are promised

OBSERVE = """
  window.tasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.tasks.push(entry.duration);
  }).observe({type: 'longtask', buffered: true});
"""
# Cheaper than roles, whose evaluation for a thousand elements would be a long task of its own.
SHOWN = """([calls, suggestions]) => {
  const root = document.querySelector('cc-suggestions')?.shadowRoot;
  return root?.querySelectorAll('.calls li').length === calls
    && root.querySelectorAll('li.suggestion').length === suggestions;
}"""
WATCH = """() => {
  const root = document.querySelector('cc-suggestions').shadowRoot;
  window.touched = new Set();
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      for (const node of [target, ...addedNodes]) {
        const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
        const item = element?.closest('li');
        if (item) window.touched.add(item);
      }
    }
  }).observe(root, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
TOUCHED = """[...window.touched].map(
  (item) => item.querySelector('.call-name, .question').textContent)"""
PAINTED = """() => {
  const root = document.querySelector('cc-suggestions').shadowRoot;
  window.painted = {};
  new MutationObserver((records) => {
    for (const node of records.flatMap((record) => [...record.addedNodes])) {
      if (!node.view) continue;
      const { id } = node.view.suggestion;
      requestAnimationFrame(() => setTimeout(() => { window.painted[id] = Date.now(); }));
    }
  }).observe(root, {subtree: true, childList: true});
}"""


def loaded(opened: Open, fake: FakeBridge, *, calls: int) -> Panel:
    """The panel of an agent with so many calls and a thousand suggestions, all of them shown."""
    now = time.time()
    for number in range(calls):
        fake.call(f"c-{number}", nickname=f"Customer {number}", given_at=iso(now + number))
    for number in range(MANY):
        fake.suggest(f"c-{number % calls}", f"Answer {number}", question="What does it cost?")
    panel = opened(fake.url, token=None)
    panel.page.add_init_script(OBSERVE)
    panel.page.goto(f"{fake.url}/inbox?x#token={TOKEN}")
    shown(panel.page, calls, MANY // calls)
    return panel


def shown(page: Page, calls: int, suggestions: int) -> None:
    page.wait_for_function(SHOWN, arg=[calls, suggestions], polling=200, timeout=60_000)


def longest(panel: Panel) -> float:
    """The longest task since the last look, in milliseconds."""
    panel.page.wait_for_timeout(300)
    tasks: list[float] = panel.page.evaluate("window.tasks.splice(0)")
    return max(tasks, default=0.0)


@pytest.mark.parametrize("calls", [1, MANY])
def test_no_task_is_long_with_a_thousand_suggestions(
    fake: FakeBridge, opened: Open, calls: int
) -> None:
    panel = loaded(opened, fake, calls=calls)
    page, found = panel.page, {"loading": longest(panel)}
    for number in range(LATER):
        fake.suggest("c-0", f"Later answer {number}")
        fake.message(f"c-{number % calls}", f"Message {number}")
    shown(page, calls, MANY // calls + LATER)
    found["arriving"] = longest(panel)
    page.mouse.click(640, 690)  # the text box
    page.keyboard.type("Typing goes on while a thousand suggestions wait.")
    found["typing"] = longest(panel)
    panel.look()
    page.keyboard.press("F2")
    page.keyboard.press("1")
    shown(page, calls, MANY // calls + LATER - 1)
    found["sending"] = longest(panel)
    for suggestion in list(fake.suggestions)[MANY:]:
        fake.settle(suggestion, "superseded")
    shown(page, calls, MANY // calls - 1)
    found["settling"] = longest(panel)
    assert len(fake.asked("/accept")) == 1
    assert {name: each for name, each in found.items() if each > FACTOR * LONGEST_TASK} == {}


def test_what_arrives_touches_only_what_changed(fake: FakeBridge, opened: Open) -> None:
    page = loaded(opened, fake, calls=MANY).page
    page.wait_for_timeout(300)
    page.evaluate(WATCH)
    fake.suggest("c-500", "Later answer")
    page.wait_for_function("() => window.touched.size > 0")
    assert page.evaluate(TOUCHED) == ["Customer 500"]


def test_a_suggestion_touches_no_other_one(fake: FakeBridge, opened: Open) -> None:
    page = loaded(opened, fake, calls=1).page
    page.wait_for_timeout(300)
    page.evaluate(WATCH)
    fake.suggest("c-0", "Later answer", question="Is it far?")
    page.wait_for_function("() => window.touched.size > 1")
    touched = page.evaluate(TOUCHED)
    assert sorted(touched) == ["Customer 0", "Is it far?"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened_office(tmp_path_factory.mktemp("office") / "server") as started:
        yield started


def test_a_suggestion_is_on_the_page_at_once(office: Office, opened: Open) -> None:
    customer = office.customer("anna")
    path = f"/inbox?callid={customer.call_id}"
    panel = opened(office.server.url, token=office.token()["token"], path=path).connected()
    expect(panel.conversation).to_contain_text(f"to {customer.call_id}")
    panel.page.evaluate(PAINTED)
    for number in range(10):
        customer.writes(f"What does it cost, asked {number}?")
        expect(panel.suggestions).to_contain_text(f"asked {number}?")
    panel.page.wait_for_function("() => Object.keys(window.painted).length === 10")
    painted: dict[str, float] = panel.page.evaluate("window.painted")
    delays = [painted[each["id"]] - _milliseconds(each) for each in customer.suggestions()]
    assert statistics.median(delays) < FACTOR * ON_THE_PAGE, delays


def _milliseconds(suggestion: dict[str, Any]) -> float:
    return (
        datetime.fromisoformat(suggestion["created_at"].replace("Z", "+00:00")).timestamp() * 1000
    )

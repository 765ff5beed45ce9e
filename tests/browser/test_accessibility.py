"""Barriers that a program can find: axe-core's rules for WCAG 2.2 AA, sizes, widths, languages.

Finding none proves no conformance.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.fake import FakeBridge, iso
from tests.browser.panel import Panel

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALLEST = 24  # pixels of a target
NARROW = 320


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        pytest.fail("axe-core is missing; `make browser` installs it", pytrace=False)
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def busy(fake: FakeBridge) -> FakeBridge:
    """A call in which there is something of everything."""
    now = time.time()
    for number, ago in enumerate((90, 45, 5)):
        fake.call(f"c-{number}", nickname=f"Customer {number}", waiting_since=iso(now - ago))
    fake.call("c-9", nickname="Nobody waits", owner="bot")
    fake.details["c-0"]["card"] = {
        "reason": "3 fallbacks in a row",
        "slots": {"order_id": "A-1"},
        "turns": [{"id": "1", "from": "bot", "text": "Sorry?", "at": iso(now)}],
    }
    fake.message("c-0", "What does it cost?")
    fake.message("c-0", "", media_type="IMAGE", content="https://media.example/a.jpg")
    fake.message("c-0", "It costs 10 EUR.", "bot")
    for state in ("waiting", "delivered", "uncertain", "failed"):
        fake.deliver("c-0", f"It is {state}", state)
    question = "What does it cost?"
    fake.suggest("c-0", "It costs 10 EUR.", question=question)
    fake.suggest("c-0", "It costs a bit.", question=question)
    fake.suggest("c-0", "Look it up.", source={"kind": "external", "names": ["kb"]})
    return fake


def violations(panel: Panel, axe: str) -> list[str]:
    """The rules that are broken, and where."""
    panel.page.evaluate(axe)
    found: dict[str, Any] = panel.page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    return [
        f"{each['id']}: {node['html'][:120]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, 900, 1440])
def test_no_barrier_is_found(
    busy: FakeBridge, opened: Open, axe: str, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 900}
    panel = opened(busy.url, color_scheme=scheme, viewport=size, bypass_csp=True).connected()
    expect(panel.suggestions).to_have_count(2)
    assert violations(panel, axe) == []
    panel.of(panel.suggestions.first, "Edit").click()
    panel.editor.fill("A long answer. " * 300)
    panel.of(panel.suggestions.nth(1), "Reject").click()
    expect(panel.suggestions.nth(1)).to_contain_text("Rejected")
    assert violations(panel, axe) == []


def test_no_barrier_is_found_in_the_sheet_or_signed_out(
    busy: FakeBridge, opened: Open, axe: str
) -> None:
    panel = opened(busy.url, bypass_csp=True).connected()
    panel.button("Keys").click()
    expect(panel.role("dialog", "Keys")).to_be_visible()
    assert violations(panel, axe) == []
    panel.page.keyboard.press("Escape")
    expect(panel.button("Keys")).to_be_focused()
    out = opened(busy.url, token=None, bypass_csp=True)
    out.button("Sign in").click()
    assert violations(out, axe) == []


@pytest.mark.parametrize("width", [NARROW, 640, 1440])
def test_targets_are_large_enough_and_nothing_is_cut_off(
    busy: FakeBridge, opened: Open, width: int
) -> None:
    panel = opened(busy.url, viewport={"width": width, "height": 800}).connected()
    expect(panel.suggestions).to_have_count(2)
    panel.of(panel.suggestions.first, "Edit").click()
    small = panel.page.evaluate(
        """(least) => {
          const root = document.querySelector('cc-suggestions').shadowRoot;
          return [...root.querySelectorAll('button, input, select, textarea, summary')]
            .map((element) => [element.textContent, element.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.width < least || box.height < least))
            .map(([text, box]) => `${text} ${box.width} ${box.height}`);
        }""",
        SMALLEST,
    )
    assert small == []
    wide = panel.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_text_twice_as_large_is_not_cut_off(busy: FakeBridge, opened: Open) -> None:
    panel = opened(busy.url, viewport={"width": 1280, "height": 900}).connected()
    panel.page.evaluate("document.documentElement.style.fontSize = '200%'")
    expect(panel.suggestions).to_have_count(2)
    assert panel.page.evaluate("document.documentElement.scrollWidth") <= 1280
    for name in ("Send message", "Hand back"):
        box = panel.button(name).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1280


@pytest.mark.parametrize("query", ["", "?embed=1"])
@pytest.mark.parametrize("size", [(1280, 720), (1000, 640), (720, 640)])
def test_the_panes_fill_the_window(
    busy: FakeBridge, opened: Open, query: str, size: tuple[int, int]
) -> None:
    width, height = size
    viewport = {"width": width, "height": height}
    panel = opened(busy.url, path=f"/inbox{query}", viewport=viewport).connected()
    expect(panel.suggestions).to_have_count(2)
    boxes = [
        panel.conversation.bounding_box(),
        panel.role("complementary", "Assistance").bounding_box(),
    ]
    assert max(box["y"] + box["height"] for box in boxes if box) == height
    assert max(box["x"] + box["width"] for box in boxes if box) == width
    log = panel.log.bounding_box()
    assert log is not None
    assert log["height"] > 100
    if query:
        assert all(box and box["height"] > height * 0.8 for box in boxes)


def test_a_switch_shows_its_state_in_forced_colours(busy: FakeBridge, opened: Open) -> None:
    panel = opened(busy.url, forced_colors="active").connected()
    switch = panel.role("switch", "Show suggestions")
    on = switch.screenshot()
    switch.evaluate("element => element.setAttribute('aria-checked', 'false')")
    assert switch.screenshot() != on


def test_everything_is_reached_by_the_keyboard(busy: FakeBridge, opened: Open) -> None:
    panel = opened(busy.url).connected()
    expect(panel.suggestions).to_have_count(2)
    reached = set()
    for _ in range(60):
        panel.page.keyboard.press("Tab")
        reached.add(panel.focused())
    for name in ("Customer 1", "Hand back", "Show suggestions", "message", "Send message", "Keys"):
        assert name in reached, reached
    assert {"Send", "Edit", "Reject", "Copy"} <= reached


def test_what_a_screen_reader_is_told(busy: FakeBridge, opened: Open) -> None:
    panel = opened(busy.url).connected()
    expect(panel.calls.first).to_have_accessible_name("Customer 0")
    description = panel.calls.first.evaluate(
        "button => button.getRootNode().getElementById(button.getAttribute('aria-describedby'))"
        ".textContent"
    )
    assert description.startswith("waiting 1:")
    expect(panel.calls.first).to_have_attribute("aria-current", "true")
    expect(panel.log).to_have_attribute("aria-live", "polite")
    expect(panel.connection).to_have_text("Connected")
    expect(panel.of(panel.suggestions.first, "Send")).to_have_accessible_description(
        "It costs 10 EUR."
    )
    for text in panel.log.locator("p").all():
        expect(text).to_have_attribute("dir", "auto")


def test_in_chinese(busy: FakeBridge, opened: Open) -> None:
    panel = opened(busy.url, locale="zh-CN")
    expect(panel.role("status", "连接状态")).to_have_text("已连接")
    expect(panel.role("list", "建议回复").locator("> li")).to_have_count(2)
    assert panel.page.evaluate("document.documentElement.lang") == "zh"
    panel.page.get_by_role("button", name="交还机器人").click()


def test_what_the_api_says_in_english_is_chinese_too(busy: FakeBridge, opened: Open) -> None:
    busy.details["c-0"]["card"] |= {
        "reason": "intent human_handoff at 0.97 and slot vip is true (handoff.when[0])",
        "because": [
            {"code": "intent_at", "values": {"name": "human_handoff", "confidence": "0.97"}},
            {"code": "slot_is", "values": {"name": "vip", "value": "true"}},
        ],
    }
    error = {"code": "106-001", "message": "multimedia is switched off for this tenant"}
    busy.deliver("c-0", "A picture", "failed", error=error)
    note = {"kind": "empty", "text": "The bot has no answer to this message."}
    busy.call("c-0", bot_note={**note, "message_id": "1", "at": iso(time.time())})
    busy.failing["/handback"] = 409
    busy.failing_code = "rasa_url_missing"
    panel = opened(busy.url, locale="zh-CN")
    card = panel.role("region", "转接卡片")
    for words in ("识别出意图 human_handoff", "置信度 0.97", "并且槽位 vip 为 true"):
        expect(card).to_contain_text(words)
    expect(card).not_to_contain_text("handoff.when")
    expect(panel.page.get_by_role("log")).to_contain_text("该租户未开通多媒体功能")
    expect(panel.page.get_by_text("机器人对此消息没有答案。")).to_be_visible()
    panel.button("交还机器人").click()
    expect(panel.page.get_by_role("alert")).to_contain_text("此处无法将会话交还机器人")
    busy.details["c-0"]["card"]["because"].append({"code": "of_later", "values": {}})
    panel.page.reload()
    expect(card).to_contain_text("intent human_handoff at 0.97")


def test_another_language_falls_to_the_first(busy: FakeBridge, opened: Open) -> None:
    opened(busy.url, locale="fr-FR").connected()


@pytest.mark.parametrize(("locale", "time_of_day"), [("en-GB", "14:05"), ("en-US", "02:05 PM")])
def test_times_are_written_as_in_the_agents_country(
    fake: FakeBridge, opened: Open, locale: str, time_of_day: str
) -> None:
    fake.call("c-1", nickname="Anna")
    fake.message("c-1", "Hello", at="2026-03-01T14:05:00.000Z")
    panel = opened(fake.url, locale=locale, timezone_id="UTC").connected()
    expect(panel.log.get_by_role("time")).to_have_text(time_of_day)

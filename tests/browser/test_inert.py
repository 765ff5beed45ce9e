"""What others wrote is text: names, messages, addresses, file names, whatever is in them."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Open
from tests.browser.fake import FakeBridge, iso
from tests.browser.site import Site

MARK = "window.hacked = true"
HOSTILE = [
    f"<script>{MARK}</script>",
    f'<img src=x onerror="{MARK}">',
    f'"><svg onload="{MARK}">',
    f"<iframe srcdoc='<script>parent.{MARK}</script>'></iframe>",
    f"javascript:{MARK}",
    "{{constructor.constructor('window.hacked=true')()}}",
    "\u202eevil\u202c <b>bold</b> & \u0000 \ud83d\ude00",
]


def everywhere(fake: FakeBridge, text: str) -> None:
    """Put a text into every place that others fill."""
    now = time.time()
    fake.call("c-1", nickname=text, user_id=text, channel=text, waiting_since=iso(now))
    fake.details["c-1"]["card"] = {
        "reason": text,
        "slots": {text: text, "nested": {"a": [text]}},
        "turns": [{"id": "1", "from": "customer", "text": text, "at": iso(now)}],
    }
    fake.message("c-1", text)
    fake.message("c-1", text, "bot")
    fake.message("c-1", text, "agent", origin="handoff", delivery={"id": "7", "state": "delivered"})
    error = {"code": text, "message": text}
    fake.deliver("c-1", text, "failed", error=error, media_type="RICHTEXT")
    for kind in ("IMAGE", "DOCUMENT", "CARD", "RICHTEXT", text):
        for content in (
            text,
            json.dumps({"title": text, "url": text, "buttons": [{"title": text}]}),
        ):
            fake.message("c-1", text, media_type=kind, media_file_type=text, content=content)
    source = {"kind": "assist", "intent": text, "confidence": 0.5, "response": text}
    drafts = [{"media_type": "CARD", "media_file_type": text, "content": text}]
    fake.suggest("c-1", text, source=source, question=text, drafts=drafts)
    fake.suggest("c-1", text, source={"kind": "external", "names": [text]})


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(fake: FakeBridge, opened: Open, text: str) -> None:
    everywhere(fake, text)
    panel = opened(fake.url).connected()
    expect(panel.suggestions).to_have_count(1)
    expect(panel.log.locator(".line").first).to_be_visible()
    panel.of(panel.suggestions, "Edit").click()
    panel.page.wait_for_timeout(200)
    assert panel.page.evaluate("window.hacked") is None
    found = panel.page.evaluate(
        """() => {
          const root = document.querySelector('cc-suggestions').shadowRoot;
          const names = 'script, iframe, svg, img, object, embed, b, a';
          const handlers = [...root.querySelectorAll('*')]
            .flatMap((element) => [...element.attributes])
            .filter((attribute) => /^on/.test(attribute.name));
          return [root.querySelectorAll(names).length, handlers.length, document.scripts.length];
        }"""
    )
    assert found == [0, 0, 1]
    if "\0" not in text:
        assert text in panel.log.inner_text()
    assert (
        panel.log.get_by_role("button", name="Show").count() == 0
    )  # none of these is an address that may be opened


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,<b>x",
        "file:///etc/passwd",
        "//x",
        "blob:x",
        " jAvA:x",
    ],
)
def test_what_is_no_web_address_is_no_link(fake: FakeBridge, opened: Open, address: str) -> None:
    fake.call("c-1", nickname="Anna")
    fake.message("c-1", "", media_type="DOCUMENT", content=address)
    panel = opened(fake.url).connected()
    expect(panel.log).to_contain_text("Document")
    assert panel.log.get_by_role("button", name="Show").count() == 0


def test_pictures_are_shown_in_place_only_from_listed_hosts(
    framed: FakeBridge, desk: Site, opened: Open
) -> None:
    framed.call("c-1", nickname="Anna")
    own = desk.put("/parcel.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")
    framed.message("c-1", "", media_type="IMAGE", content=own)
    panel = opened(framed.url).connected()
    button = panel.log.get_by_role("button", name="Show", exact=True)
    expect(button).to_be_visible()
    assert "/parcel.svg" not in desk.asked
    button.click()
    expect(panel.log.get_by_role("img")).to_be_visible()
    assert "/parcel.svg" in desk.asked


def test_the_policy_stops_what_the_page_would_not_do(fake: FakeBridge, opened: Open) -> None:
    fake.call("c-1", nickname="Anna")
    panel = opened(fake.url).connected()
    found = panel.page.evaluate(
        """async () => {
          const outcomes = [];
          try { document.body.innerHTML = '<b>x</b>'; outcomes.push('html'); } catch { }
          const script = document.createElement('script');
          try { script.textContent = 'window.inline = 1'; document.head.append(script); } catch { }
          if (window.inline) outcomes.push('inline');
          try { await fetch('http://127.0.0.1:1/'); } catch { }
          return outcomes;
        }"""
    )
    assert found == []
    panel.wrong.clear()  # the policy's complaints


def test_the_page_asks_nobody_else(fake: FakeBridge, opened: Open) -> None:
    everywhere(fake, "https://tracker.example/pixel.gif")
    panel = opened(fake.url, token=None)
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    panel.page.route(lambda url: not url.startswith(fake.url), refuse)
    panel.page.goto(f"{fake.url}/inbox?x=1#token=e30.eyJhdWQiOiJhZ2VudCIsInN1YiI6IjI5MSJ9.c2ln")
    panel.connected()
    expect(panel.suggestions).to_have_count(1)
    assert asked == []

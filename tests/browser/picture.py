"""Takes the pictures of the pages: ``python -m tests.browser.picture``.

What is shown is a real server with a simulated gateway, as agents see it.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import chromium
from tests.browser.office import Customer, Office, opened_office

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES: dict[str, dict[str, Any]] = {
    "inbox.png": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "inbox-dark.png": {"viewport": {"width": 1000, "height": 800}, "color_scheme": "dark"},
}
NAMES = ("Anna Meyer", "Jonas Weber", "maria.haddad", "+49 170 5550143", "Li Wei")
WAITED = 31  # seconds that the customer of the picture has waited


def main() -> None:
    """Play a short scene and photograph it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        opened_office(Path(folder) / "server") as office,
        sync_playwright() as playwright,
    ):
        first = scene(office)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        IMAGES.mkdir(parents=True, exist_ok=True)
        for name, options in PICTURES.items():
            page = browser.new_context(
                locale="en-GB", device_scale_factor=1.5, **options
            ).new_page()
            token = office.token()["token"]
            page.goto(f"{office.server.url}/inbox?callid={first.call_id}#token={token}")
            expect(page.get_by_role("status", name="Connection")).to_have_text("Connected")
            expect(page.get_by_role("list", name="Suggestions").locator("> li")).to_have_count(1)
            _settle(page)
            page.screenshot(path=IMAGES / name)
        browser.close()


def scene(office: Office) -> Customer:
    """Play it: a handoff, an exchange, questions; the customer who is in the picture."""
    others = [office.customer(name) for name in NAMES[1:]]
    first = office.customer(NAMES[0], owner=None)
    before = [
        ("user", "Where is my order A-20391?"),
        ("bot", "It is on its way and should arrive tomorrow."),
        ("user", "That is what you said yesterday."),
    ]
    words, intent = "I want to talk to a person", "human_handoff"
    first.writes(words, intent, action="action_human_handoff", after=before)
    first.received(1)
    body = {"text": "Hello, I am looking into your order right now.", "client_id": "1"}
    answer = office.server.post(f"/bridge/calls/{first.call_id}/replies", json=body)
    assert answer.ok, answer.text
    first.received(2)
    first.writes("What does express delivery cost?")
    time.sleep(WAITED)
    others[0].writes("When are you open tomorrow?", "ask_hours")
    others[1].writes("What does it cost?")
    return first


def _settle(page: Page) -> None:
    page.wait_for_timeout(1500)  # for the fonts and the clock


if __name__ == "__main__":
    main()

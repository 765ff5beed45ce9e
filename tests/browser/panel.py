"""The panel as a test sees it: by roles and names, as an agent does."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Browser, FrameLocator, Locator, Page, Route, expect
from typing_extensions import Self

from tests.browser.fake import TOKEN

PAUSE = 800  # milliseconds after which a press counts


class Panel:
    """One window.

    Attributes:
        view: the page, or the frame in which the panel is.
        wrong: what the browser complained of.
    """

    def __init__(self, page: Page, view: Page | FrameLocator) -> None:
        self.page = page
        self.view = view
        self.wrong: list[str] = []

    @classmethod
    def open(
        cls,
        browser: Browser,
        url: str,
        *,
        token: str | None = TOKEN,
        beside: Panel | None = None,
        path: str = "/inbox",
        **options: Any,
    ) -> Self:
        """Open the page; ``beside`` another window of the same browser."""
        context = beside.page.context if beside else browser.new_context(**options)
        page = context.new_page()
        panel = cls(page, page)
        page.on("pageerror", lambda error: panel.wrong.append(str(error)))
        page.on("console", lambda said: panel.hear(said.type, said.text))
        page.goto(f"{url}{path}" + (f"#token={token}" if token else ""))
        return panel

    def hear(self, kind: str, text: str) -> None:
        """Keep complaints, but for requests that tests let fail."""
        if kind == "error" and "Failed to load resource" not in text and "ERR_" not in text:
            self.wrong.append(text)

    def role(self, role: Any, name: str, **options: Any) -> Locator:
        return self.view.get_by_role(role, name=name, exact=True, **options)

    @property
    def connection(self) -> Locator:
        return self.role("status", "Connection")

    @property
    def calls(self) -> Locator:
        return self.role("list", "Calls").get_by_role("button")

    @property
    def waiting(self) -> Locator:
        """The items of the list of calls, which show how long each waits."""
        return self.role("list", "Calls").get_by_role("listitem")

    @property
    def conversation(self) -> Locator:
        return self.role("region", "Conversation")

    @property
    def log(self) -> Locator:
        return self.conversation.get_by_role("log")

    @property
    def message(self) -> Locator:
        return self.role("textbox", "Message")

    @property
    def suggestions(self) -> Locator:
        return self.role("list", "Suggestions").locator("> li")

    @property
    def editor(self) -> Locator:
        return self.role("textbox", "Suggestion text")

    def button(self, name: str) -> Locator:
        return self.role("button", name)

    def of(self, suggestion: Locator, name: str) -> Locator:
        """A button of one suggestion."""
        return suggestion.get_by_role("button", name=name, exact=True)

    def connected(self) -> Self:
        expect(self.connection).to_have_text("Connected")
        return self

    def choose(self, name: str) -> None:
        """Open a call from the list."""
        self.role("list", "Calls").get_by_role("button", name=name, exact=True).click()
        expect(self.conversation.get_by_role("heading", name=name, exact=True)).to_be_visible()

    def look(self) -> None:
        """Look at what is shown until a press counts."""
        self.page.wait_for_timeout(PAUSE)

    def focused(self) -> str:
        """The name of what has the focus."""
        found = self.page.evaluate(
            """() => {
              let active = document.activeElement;
              while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
              return active?.id || active?.getAttribute('aria-label') || active?.textContent || '';
            }"""
        )
        return str(found)


def until(met: Any, seconds: float = 30.0) -> None:
    """Wait until what the server knows is so."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def configure(page: Page, **changes: Any) -> None:
    """Let the server's settings of the panel be others; before the page is opened."""

    def changed(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), **changes})

    page.route("**/inbox/settings.json", changed)

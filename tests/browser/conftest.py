"""A browser, the real page, and an API that the test plays or a real one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.fake import FakeBridge
from tests.browser.panel import Panel
from tests.browser.site import Site
from tests.web.serving import API_TOKEN, INBOX_SECRET, ActionServer

CREDENTIALS = {"token": API_TOKEN, "inbox_secret": INBOX_SECRET}
Open = Callable[..., Panel]
TIMEOUT = 30_000  # milliseconds: a machine that does other things too

expect.set_options(timeout=TIMEOUT)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: ``make browser`` runs them."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium() -> str:
    """The browser of the system."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail("no chromium on the path; on Debian: apt-get install chromium", pytrace=False)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = playwright.chromium.launch(executable_path=chromium(), args=options)
        yield started
        started.close()


@pytest.fixture(scope="session")
def plain_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActionServer]:
    """A server whose page is as by default."""
    folder = tmp_path_factory.mktemp("plain")
    with ActionServer(folder, bridge={"api": CREDENTIALS}) as started:
        yield started


@pytest.fixture(scope="session")
def desk() -> Iterator[Site]:
    """A desktop's web server: another origin."""
    with Site() as started:
        yield started


@pytest.fixture(scope="session")
def sso() -> Iterator[Site]:
    """The single sign-on: a third origin."""
    with Site() as started:
        yield started


@pytest.fixture(scope="session")
def framed_page(
    tmp_path_factory: pytest.TempPathFactory, desk: Site, sso: Site
) -> Iterator[ActionServer]:
    """A server whose page the desk may frame, with a single sign-on and the workbench's script."""
    folder = tmp_path_factory.mktemp("framed")
    page = {
        "frame_ancestors": [desk.origin],
        "element_origins": [desk.origin],
        "media_hosts": [desk.origin],
        "login_url": f"{sso.origin}/login",
        "aicc_script": f"{desk.origin}/AICCSupport.js",
    }
    with ActionServer(folder, bridge={"api": CREDENTIALS, "page": page}) as started:
        yield started


@pytest.fixture
def fake(plain_page: ActionServer) -> Iterator[FakeBridge]:
    with FakeBridge(plain_page.url) as started:
        yield started


@pytest.fixture
def framed(framed_page: ActionServer) -> Iterator[FakeBridge]:
    with FakeBridge(framed_page.url) as started:
        yield started


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens panels in contexts of their own; nothing may go wrong in any of them."""
    panels: list[Panel] = []

    def make(url: str, **options: Any) -> Panel:
        panels.append(Panel.open(browser, url, **options))
        return panels[-1]

    yield make
    wrong = [each for panel in panels for each in panel.wrong]
    for panel in panels:
        panel.page.context.close()
    assert wrong == []

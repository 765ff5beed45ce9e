"""README and docs: every link leads somewhere, every diagram shows the states there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.model import DeliveryState
from tests.core.diagram import BORN, arrows
from tests.core.diagram import PAGES as PAGES_WITH_DIAGRAM

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    prose = CODE.sub("", page.read_text(encoding="utf-8"))
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(prose))
    return {title.replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES_WITH_DIAGRAM)
def test_the_diagram_shows_the_states_of_a_delivery(page: str) -> None:
    found = {end for arrow in arrows(page) for end in arrow}
    assert found == {BORN, *(each.value for each in DeliveryState)}
    assert arrows(page) == arrows(PAGES_WITH_DIAGRAM[0])

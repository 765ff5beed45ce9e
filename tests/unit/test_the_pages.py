"""The pages: every link leads somewhere, and what they list is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sanic import Sanic

from bridge.config.settings import Condition
from bridge.model import DeliveryState
from bridge.triggers.conditions import CHECKS
from bridge.web.api import blueprint
from tests.core.diagram import BORN, arrows

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
LINK = re.compile(r"(?:\]\(|src(?:set)?=\")([^)\s\"]+)[)\"]")
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


def test_the_diagram_shows_the_states_of_a_delivery() -> None:
    found = {end for arrow in arrows() for end in arrow}
    assert found == {BORN, *(each.value for each in DeliveryState)}


def test_the_api_page_names_every_route() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").replace("$BRIDGE", "/bridge")
    app = Sanic("routes", configure_logging=False)
    app.blueprint(blueprint())
    app.router.finalize()
    for route in app.router.routes:
        path = re.sub(r"<\w+:\w+>", r"[^\\s/`'\"?]+", f"/{route.path}")
        assert re.search(rf"{path}(?![\w/])", page), path


def test_every_condition_is_checked_and_described() -> None:
    assert {key for key, _ in CHECKS} == set(Condition.tests())
    keys = [field.alias or name for name, field in Condition.model_fields.items()]
    table = (ROOT / "docs" / "designer.md").read_text(encoding="utf-8")
    shipped = (ROOT / "config" / "handoff.yml").read_text(encoding="utf-8")
    for key in keys:
        assert f"| `{key}: " in table, key
        assert re.search(rf"#.*\b{key}\b", shipped), key

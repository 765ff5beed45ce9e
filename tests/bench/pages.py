"""The figures on the pages: what is between two marks is made of docs/figures.json.

docs/figures.md has all of them, the README a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figures, markdown, summary

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Place:
    """The part of a page that shows figures.

    Attributes:
        begin: the mark before it.
        end: the mark after it.
        shown: what it shows.
    """

    begin: str
    end: str
    shown: Callable[[Figures], str]


PLACES: Mapping[Path, Place] = {
    ROOT / "docs" / "figures.md": Place(
        "<!-- figures: make bench KEEP=1 -->", "<!-- figures end -->", markdown
    ),
    ROOT / "README.md": Place(
        "<!-- summary: make bench KEEP=1 -->", "<!-- summary end -->", summary
    ),
}


def parts(page: Path) -> tuple[str, str, str]:
    """Return the page before the figures, the figures, and what follows."""
    place = PLACES[page]
    before, begin, rest = page.read_text(encoding="utf-8").partition(place.begin)
    shown, end, after = rest.partition(place.end)
    assert begin, f"{page} has lost the mark before the figures"
    assert end, f"{page} has lost the mark after the figures"
    return before, shown.strip(), after


def write(figures: Figures) -> None:
    """Put these figures into each page."""
    for page, place in PLACES.items():
        before, _, after = parts(page)
        text = f"{before}{place.begin}\n{place.shown(figures)}\n{place.end}{after}"
        page.write_text(text, encoding="utf-8")

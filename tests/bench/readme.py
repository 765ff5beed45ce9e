"""The README's figures: the lines between two marks are those of docs/figures.json."""

from __future__ import annotations

from pathlib import Path

from tests.bench.figures import Figures, markdown

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- figures: make bench KEEP=1 -->", "<!-- figures end -->"


def parts() -> tuple[str, str, str]:
    """The README before the figures, the figures, and what follows."""
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    shown, end, after = rest.partition(END)
    assert begin, "README.md has lost the mark before the figures"
    assert end, "README.md has lost the mark after the figures"
    return before, shown.strip(), after


def write(figures: Figures) -> None:
    """Put these figures in."""
    before, _, after = parts()
    text = f"{before}{BEGIN}\n{markdown(figures)}\n{END}{after}"
    README.write_text(text, encoding="utf-8")

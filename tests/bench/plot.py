"""Draws docs/figures.svg from docs/figures.json: ``python -m tests.bench.plot``.

Two panels: handoffs a second by the gateway's delay, and what an idle turn waits while the gateway
hangs. Every bar says what it is and how much; the colours hold on a light page and on a dark one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.figures import Figures, milliseconds

DOCS = Path(__file__).parents[2] / "docs"
KEPT = DOCS / "figures.json"
PICTURE = DOCS / "figures.svg"
HANDOFF = {"put": "bridge, PUT", "token": "bridge, token", "pooled": "pooled", "plain": "plain"}
HANGING = ("bridge", "pooled", "plain")
MANY = "64"
WIDTH, LEFT, RIGHT = 840, 64, 280  # the whole; for a group's name; for a bar's words
BAR, GAP, GROUP, TITLE = 16, 3, 14, 34  # heights
SLOW = 2000.0  # milliseconds; longer bars end here
_STYLE = """
text { font: 12px ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; fill: #6e7781 }
.title { font-weight: 600; font-size: 13px }
.caption { font-size: 11px }
.bridge { fill: #2f81f7 } .pooled { fill: #8b949e } .plain { fill: #c4a15a }
text.bridge { font-weight: 600 }
@media (prefers-color-scheme: dark) { text { fill: #adb5bd } text.bridge { fill: #58a6ff } }
"""


def drawn(figures: Figures) -> str:
    """The picture as SVG."""
    body = list(_body(figures))
    height = int(max(y for y, _ in body) + BAR + GROUP)
    shapes = "\n".join(shape for _, shape in body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(_told(figures))}</title>\n<style>{_STYLE}</style>\n{shapes}\n</svg>\n"
    )


def _told(figures: Figures) -> str:
    """The picture in words."""
    ratios = [
        f"{found[MANY]['put/pooled']['rate']:.2f} (PUT) and"
        f" {found[MANY]['token/pooled']['rate']:.2f} (token) at {delay} ms"
        for delay, found in figures["handoff"].items()
    ]
    hanging = figures["hanging"]["bridge"]["ratio"]
    return (
        f"Durable handoffs beside a pooled session that stores nothing: {', '.join(ratios)};"
        f" an idle turn while the gateway hangs takes {hanging:.2f} times as long"
    )


def _body(figures: Figures) -> Iterator[tuple[float, str]]:
    y: float = 16
    yield y, _text(0, y, "Handoffs a second, by how long the gateway takes", "title")
    y += GROUP
    handoff = {delay: found[MANY] for delay, found in figures["handoff"].items()}
    longest = max(found[name]["rate"] for found in handoff.values() for name in HANDOFF)
    for delay, found in handoff.items():
        for index, (name, said) in enumerate(HANDOFF.items()):
            rate = found[name]["rate"]
            words = f"{said} {rate:,.0f}"
            if f"{name}/pooled" in found:
                words += f", {found[f'{name}/pooled']['rate']:.2f} of pooled"
            label = f"{delay} ms" if index == 0 else ""
            colour = "bridge" if said.startswith("bridge") else name
            yield from _bar(y, colour, rate / longest, words, label)
            y += BAR + GAP
        y += GROUP
    y += TITLE - GROUP
    yield y, _text(0, y, "An idle turn while the gateway hangs, p99", "title")
    y += GROUP
    for name in HANGING:
        found = figures["hanging"][name]
        words = f"{name} {milliseconds(found['hanging p99'])}"
        quiet = milliseconds(found["answering p99"])
        words += f", {quiet} while it answers"
        yield from _bar(y, name, min(1.0, found["hanging p99"] / SLOW), words, "")
        y += BAR + GAP
    y += TITLE
    machine = figures["machine"]
    where = f"{machine['cores']} cores, {machine['cpu']}, Python {machine['python']}, SQLite"
    yield y, _text(0, y, f"64 conversations at a time; {where}; make bench", "caption")


def _bar(y: float, name: str, share: float, words: str, label: str) -> Iterator[tuple[float, str]]:
    width = max(2.0, share * (WIDTH - LEFT - RIGHT))
    if label:
        yield y, _text(LEFT - 10, y + 12, label, "label", anchor="end")
    yield y, f'<rect class="{name}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>'
    yield y, _text(LEFT + width + 6, y + 12, words, name if name == "bridge" else "words")


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def kept() -> dict[str, Any]:
    """What the last kept run measured."""
    figures: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return figures


if __name__ == "__main__":
    PICTURE.write_text(drawn(kept()), encoding="utf-8")

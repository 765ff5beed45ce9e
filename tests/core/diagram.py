"""The state diagram as docs/delivery.md prints it: the one table of how a delivery may move."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "delivery.md"
BORN = "[*]"

Arrow = tuple[str, str]


def arrows() -> set[Arrow]:
    """Return the moves that the diagram shows, from one state to another."""
    text = PAGE.read_text(encoding="utf-8")
    lines = text.split("```mermaid\nstateDiagram-v2\n")[1].split("```")[0].splitlines()
    moves = (line.split(":")[0].split(" --> ") for line in lines)
    return {(start.strip(), end.strip()) for start, end in moves}


def reached(start: str, moves: set[Arrow]) -> set[str]:
    """Where one transaction can bring a delivery that is at ``start``, itself included.

    What waits or is being sent may move more than once in it.
    """
    found = {start}
    new = {start}
    while new:
        new = {
            end
            for begin, end in moves
            if begin in new and (begin == start or begin in ("waiting", "sending"))
        } - found
        found |= new
    return found

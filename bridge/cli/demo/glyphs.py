"""The symbols used on the screen, and short forms of GUIDs and long values."""

from __future__ import annotations

from dataclasses import dataclass

_LONG = 200  # characters


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A set of symbols; ``ASCII`` is for terminals without Unicode."""

    bar: str = "┃"
    there: str = "→"
    back: str = "←"
    met: str = "✓"
    missed: str = "✗"
    more: str = "…"
    mask: str = "••••••"
    dot: str = "·"

    def masked(self, guid: str) -> str:
        """Mask a GUID, so that two can still be compared."""
        secret, dot, suffix = guid.partition(".")
        return f"{secret[:4]}{self.more}{dot}{suffix}"

    def brief(self, name: str) -> str:
        """Shorten a UUID, so that two can still be compared."""
        return f"{name[:8]}{self.more}"

    def cut(self, text: str) -> str:
        """Return a text, or the beginning of a long one."""
        return text if len(text) <= _LONG else f"{text[:_LONG]} {self.more}"


ASCII = Glyphs("|", ">", "<", "ok", "NO", "...", "******", "-")

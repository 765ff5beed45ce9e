"""The signs that are drawn, and how a GUID and a long value look. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_LONG = 200  # characters


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One sign each; another set for terminals that know ASCII only."""

    bar: str = "┃"
    there: str = "→"
    back: str = "←"
    met: str = "✓"
    missed: str = "✗"
    more: str = "…"
    mask: str = "••••••"
    dot: str = "·"

    def masked(self, guid: str) -> str:
        """A GUID as it may be shown: enough to see whether two are the same."""
        secret, dot, suffix = guid.partition(".")
        return f"{secret[:4]}{self.more}{dot}{suffix}"

    def brief(self, name: str) -> str:
        """How a UUID begins: enough to see whether two are the same."""
        return f"{name[:8]}{self.more}"

    def cut(self, text: str) -> str:
        """A text, or how a long one begins."""
        return text if len(text) <= _LONG else f"{text[:_LONG]} {self.more}"


ASCII = Glyphs("|", ">", "<", "ok", "NO", "...", "******", "-")

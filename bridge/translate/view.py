"""How one channel shows text: its own markup, its addresses and its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from bridge.config.media import MediaSettings
from bridge.translate.blocks import Block
from bridge.translate.files import Files
from bridge.translate.parts import Form


class Style(Enum):
    """How emphasis is written in plain text."""

    PLAIN = "plain"  # not at all
    WHATSAPP = "whatsapp"  # *bold*, _italic_, ~struck~, `code`


@dataclass(slots=True)
class View:
    """How a channel shows the parts of one reply.

    It also keeps what was parsed, because a part is rendered once for each media type that is
    tried.
    """

    files: Files
    style: Style = Style.PLAIN
    first: int = 1  # the number of the next choice
    parsed: dict[tuple[str, Form], tuple[Block, ...]] | None = field(default_factory=dict)

    def shown(self, address: str) -> str:
        """Return the address to show to a customer, or ``""`` if it is not an address."""
        return self.files.shown(address)


# For text outside a reply: relative addresses stay relative, and nothing is kept.
PLAIN = View(Files(MediaSettings()), parsed=None)

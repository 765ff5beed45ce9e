"""The shape of a row of the table in ``kinds.py``, and the context that renderers work in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bridge.config.media import Kind
from bridge.model import Channel, MediaType
from bridge.translate.blocks import Block
from bridge.translate.files import Files
from bridge.translate.parts import Part, RichCard
from bridge.translate.view import View
from bridge.translate.writer import Writer

BUTTON = "BUTTON"  # the template of one item of {{buttons}}

Why = str  # why the media type could not be built; "" if it was written
AsText = Callable[[Part, View], str]
AsHtml = Callable[[Part, View], tuple[Block, ...]]
AsCards = Callable[[Part], tuple[RichCard, ...]]


def no_html(_part: Part, _view: View) -> tuple[Block, ...]:
    """Render nothing: HTML would add nothing to the text."""
    return ()


def no_cards(_part: Part) -> tuple[RichCard, ...]:
    """Return no cards: the part cannot be a card."""
    return ()


@dataclass(frozen=True, slots=True)
class RenderContext:
    """The settings that are the same for every reply."""

    rows: Mapping[Kind, KindRow]
    files: Files
    on_unknown_file: Literal["link", "url", "refuse"]
    max_items: int


Render = Callable[[Part, Writer, RenderContext], Why]


@dataclass(frozen=True, slots=True)
class Native:
    """A media type of the gateway, in the row of the kind that it is made for."""

    media_type: MediaType
    render: Render
    on: frozenset[Channel]  # the channels that take it by default
    templates: Mapping[str, str] = field(default_factory=dict)  # of its content, by name


@dataclass(frozen=True, slots=True)
class KindRow:
    """All that the translation knows of a kind of message."""

    becomes: tuple[MediaType, ...]  # the fallback chain; empty: the part is skipped and counted
    text: AsText
    html: AsHtml = no_html
    cards: AsCards = no_cards
    native: tuple[Native, ...] = ()
    with_markup: Kind | None = None  # the kind of the same part if its text has markup
    skipped: str = ""  # the note on a part that is skipped

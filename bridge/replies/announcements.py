"""Announcements to customers: the designer's response, or the bridge's own text in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.config.settings import HandoffSettings, ResponseName
from bridge.language import codes_of, language_of
from bridge.model import Reply
from bridge.replies.rendering import has_content, render
from bridge.replies.texts import OwnText, own_text

_CLOSED_HOURS = "closed_hours"  # the value of handoff_error outside the opening hours


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a customer is told; ``own`` if it is the bridge's own text."""

    reply: Reply
    own: bool


def announce(
    name: str,
    text: OwnText,
    responses: Mapping[str, Any] | None,
    slots: Mapping[str, Any],
    designer: HandoffSettings,
    *,
    channels: Sequence[str],
    seed: str,
    quote: Callable[[str], str] = str,
) -> Announcement:
    """Render the response ``name``, or the bridge's own text if nothing of the response fits.

    Args:
        name: ``utter_x``.
        text: the bridge's own text for the same occasion.
        responses: the domain's responses; None if they are unknown.
        slots: the conversation's slots, with those that the action sets.
        designer: the contents of handoff.yml.
        channels: see ``render``.
        seed: see ``render``.
        quote: see ``render``.
    """
    reply = render(
        responses or {},
        name,
        slots,
        channels=channels,
        seed=seed,
        codes=codes_of(slots, designer),
        quote=quote,
    )
    if reply is not None and has_content(reply):
        return Announcement(reply, own=False)
    return Announcement(in_own_words(text, slots, designer, quote=quote), own=True)


def refusal(error: str | None, designer: HandoffSettings) -> tuple[ResponseName, OwnText]:
    """Return the response, and the bridge's own text, for a handoff that is not made.

    Args:
        error: the value of ``handoff_error``.
        designer: the contents of handoff.yml.
    """
    if error == _CLOSED_HOURS:
        return designer.handoff.closed, OwnText.CLOSED
    return designer.handoff.unavailable, OwnText.UNAVAILABLE


def in_own_words(
    text: OwnText,
    slots: Mapping[str, Any],
    designer: HandoffSettings,
    *,
    quote: Callable[[str], str] = str,
) -> Reply:
    """Return a text of the bridge's own as a reply; ``quote``: see ``render``."""
    return {"text": own_text(text, designer, language_of(slots, designer), slots, quote=quote)}

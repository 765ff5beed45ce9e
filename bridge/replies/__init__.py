"""Replies: render the domain's responses as Rasa does, and collect candidates for suggestions.

Pure: no I/O, no clock and no randomness (a hash of a seed chooses the variation). Translating
replies to gateway messages belongs to ``translate``. Read ``rendering`` first.
"""

from bridge.replies.announcements import Announcement, announce, in_own_words, refusal
from bridge.replies.candidates import Candidate, bot_replies, selector_replies
from bridge.replies.rendering import has_content, is_filled, render
from bridge.replies.texts import OwnText, own_text

__all__ = [
    "Announcement",
    "Candidate",
    "OwnText",
    "announce",
    "bot_replies",
    "has_content",
    "in_own_words",
    "is_filled",
    "own_text",
    "refusal",
    "render",
    "selector_replies",
]

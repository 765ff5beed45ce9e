"""Replies: render the domain's responses as Rasa does, and collect candidates for suggestions.

Pure: no I/O, no clock and no randomness (a hash of a seed chooses the variation). Translating
replies to gateway messages belongs to ``translate``. Read ``rendering`` first.
"""

from bridge.replies.candidates import Candidate, bot_replies, selector_replies
from bridge.replies.rendering import channel_names, render
from bridge.replies.translation import languages

__all__ = ["Candidate", "bot_replies", "channel_names", "languages", "render", "selector_replies"]

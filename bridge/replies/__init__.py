"""Which replies: the domain's responses as Rasa would say them, and candidates for suggestions.

Pure: no I/O, no clock, no chance: a variation is chosen by a hash of a seed. Making gateway
messages of a reply belongs to ``translate``.
"""

from bridge.replies.candidates import Candidate, bot_replies, selector_replies
from bridge.replies.rendering import channel_names, render

__all__ = ["Candidate", "bot_replies", "channel_names", "render", "selector_replies"]

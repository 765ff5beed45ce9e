"""Work out what the bot would say to a message, from what Rasa's HTTP API returns. Pure.

``conversation`` reads Rasa's tracker, ``prediction`` takes the bot's next actions one by one, and
``selecting`` returns the replies that rules name. ``senders/questions.py`` makes the requests.
"""

from bridge.dialogue.conversation import (
    Conversation,
    Message,
    last_turn,
    neutralised,
    read,
    said_since,
    said_to,
    turn_of,
    user_event,
)
from bridge.dialogue.prediction import Move, Prediction, Rendering
from bridge.dialogue.selecting import candidates_of, is_calm

__all__ = [
    "Conversation",
    "Message",
    "Move",
    "Prediction",
    "Rendering",
    "candidates_of",
    "is_calm",
    "last_turn",
    "neutralised",
    "read",
    "said_since",
    "said_to",
    "turn_of",
    "user_event",
]

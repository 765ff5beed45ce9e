"""What Rasa sent, read into a Turn: one customer message and what Rasa did with it.

Pure: no I/O, no clock, no settings, no rasa_sdk. ``fault`` is strict and in words, for the edge;
``read`` is lenient and never raises. Which triggers a turn meets is not decided here.
"""

from bridge.turn.check import fault
from bridge.turn.events import OWN_ACTIONS, WRITTEN_BACK
from bridge.turn.message import Command, Ranked, Selected
from bridge.turn.reading import Turn, kept_name, read
from bridge.turn.spoken import Said

__all__ = [
    "OWN_ACTIONS",
    "WRITTEN_BACK",
    "Command",
    "Ranked",
    "Said",
    "Selected",
    "Turn",
    "fault",
    "kept_name",
    "read",
]

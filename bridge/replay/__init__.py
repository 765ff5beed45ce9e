"""Replay a conversation turn by turn, and say what the triggers call for and why.

``history.py`` restores the state of the tracker at each message; ``judging.py`` decides as an
action server with today's configuration would. Both are pure. ``reading.py`` reads a tracker from
a file or from Rasa.
"""

from bridge.replay.judging import Explained, Near, replay
from bridge.replay.reading import Recording, fetch, load

__all__ = ["Explained", "Near", "Recording", "fetch", "load", "replay"]

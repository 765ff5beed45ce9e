"""Parse what Rasa sent into a Turn: one customer message and what Rasa did with it.

Pure: no I/O, clock, settings or rasa_sdk, and no triggers. Read ``reading`` first: ``read`` is
lenient and never raises, whereas ``fault`` (``check``) validates strictly for the edge.
"""

from bridge.turn.check import fault
from bridge.turn.events import OWN_ACTIONS, WRITTEN_BACK
from bridge.turn.message import CalmCommand, Ranked, Selected
from bridge.turn.reading import Turn, kept_name, read
from bridge.turn.spoken import Said

__all__ = [
    "OWN_ACTIONS",
    "WRITTEN_BACK",
    "CalmCommand",
    "Ranked",
    "Said",
    "Selected",
    "Turn",
    "fault",
    "kept_name",
    "read",
]

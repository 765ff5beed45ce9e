"""Converts each table's rows to values and back. Runs no statements.

Every row is converted: one that cannot be read as it is stored is read with replacements, see
``repair``. There is one module for each group of tables, and other modules import from here.
"""

from bridge.store.rows.agents import SESSION, event, presence, session, signed
from bridge.store.rows.assignments import ASSIGNMENT, ASSIGNMENT_READ, assigned, assignment, card
from bridge.store.rows.calls import (
    CALL,
    CALL_REQUEST,
    CALL_REQUEST_MOVED,
    CALL_REQUEST_WRITTEN,
    call,
    call_request,
    called,
    requested,
)
from bridge.store.rows.converting import Row, listed, names
from bridge.store.rows.deliveries import (
    DELIVERY,
    DELIVERY_MOVED,
    DELIVERY_NEW,
    delivery,
    moved_delivery,
    new_delivery,
)
from bridge.store.rows.messages import MESSAGE, MESSAGE_WRITTEN, message, messaged
from bridge.store.rows.processes import leader, switch
from bridge.store.rows.suggestions import (
    SUGGESTION,
    SUGGESTION_MOVED,
    SUGGESTION_WRITTEN,
    suggested,
    suggestion,
)
from bridge.store.rows.turns import TURN, answer, turn, turned
from bridge.store.rows.updates import UPDATE, UPDATE_MOVED, UPDATE_WRITTEN, update, updated

__all__ = [
    "ASSIGNMENT",
    "ASSIGNMENT_READ",
    "CALL",
    "CALL_REQUEST",
    "CALL_REQUEST_MOVED",
    "CALL_REQUEST_WRITTEN",
    "DELIVERY",
    "DELIVERY_MOVED",
    "DELIVERY_NEW",
    "MESSAGE",
    "MESSAGE_WRITTEN",
    "SESSION",
    "SUGGESTION",
    "SUGGESTION_MOVED",
    "SUGGESTION_WRITTEN",
    "TURN",
    "UPDATE",
    "UPDATE_MOVED",
    "UPDATE_WRITTEN",
    "Row",
    "answer",
    "assigned",
    "assignment",
    "call",
    "call_request",
    "called",
    "card",
    "delivery",
    "event",
    "leader",
    "listed",
    "message",
    "messaged",
    "moved_delivery",
    "names",
    "new_delivery",
    "presence",
    "requested",
    "session",
    "signed",
    "suggested",
    "suggestion",
    "switch",
    "turn",
    "turned",
    "update",
    "updated",
]

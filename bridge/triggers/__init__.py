"""Triggers: evaluate a Turn against the designer's rules; return a Decision with its reason.

Pure: no I/O and no clock (the time is an argument), and no action on a decision; that is up to the
planners. It knows only the turn: ``planners/actions.py`` passes in stored data. Read ``deciding``
first, then ``CHECKS`` in ``conditions``.
"""

from bridge.triggers.deciding import (
    Decision,
    DecisionKind,
    assist_rule,
    decide,
    handoff_reason,
    in_cooldown,
)
from bridge.triggers.hours import opening

__all__ = [
    "Decision",
    "DecisionKind",
    "assist_rule",
    "decide",
    "handoff_reason",
    "in_cooldown",
    "opening",
]

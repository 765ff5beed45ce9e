"""A Turn and the designer's rules become a Decision, and why, in words a designer understands.

Pure: no I/O and no clock; the time is given. What is done about a decision is not decided here.
"""

from bridge.triggers.deciding import (
    Decision,
    Kind,
    assist_rule,
    decide,
    handoff_reason,
    in_cooldown,
)

__all__ = ["Decision", "Kind", "assist_rule", "decide", "handoff_reason", "in_cooldown"]

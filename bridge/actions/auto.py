"""``action_bridge``: reads the turn and does what the designer's triggers call for."""

from __future__ import annotations

from bridge.actions.base import BridgeAction
from bridge.desk import Desk, Step
from bridge.turn import Turn


class ActionBridge(BridgeAction):
    """Hand off, suggest, or do nothing."""

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_bridge"

    def step(self, desk: Desk, turn: Turn) -> Step:
        """Store what the turn calls for."""
        return desk.act(turn)

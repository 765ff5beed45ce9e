"""``action_bridge``: reads the turn and does what the designer's triggers call for."""

from __future__ import annotations

from bridge.actions.base import BridgeAction
from bridge.desk import Desk, Quick, Step
from bridge.turn import Turn


class ActionBridge(BridgeAction):
    """Hand off, suggest, or do nothing."""

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_bridge"

    def step(self, desk: Desk, turn: Turn) -> Step:
        """Store what the turn calls for."""
        return desk.act(turn)

    def quick(self, desk: Desk) -> Quick:
        """Do nothing, or store a handoff in one go with others."""
        return desk.act_quickly

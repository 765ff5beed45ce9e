"""``action_bridge``: reads the turn and does what the designer's triggers call for."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionBridge(BridgeAction):
    """Hand off, suggest, or do nothing."""

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_bridge"

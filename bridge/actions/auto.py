"""``action_bridge``: applies the designer's triggers to the turn."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionBridge(BridgeAction):
    """Hand off, suggest, or do nothing."""

    def name(self) -> str:
        """Return the action's name in stories, rules and flows."""
        return "action_bridge"

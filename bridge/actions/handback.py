"""``action_handback``: returns the conversation to the bot."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionHandback(BridgeAction):
    """Hand the conversation back to the bot."""

    def name(self) -> str:
        """Return the action's name in stories, rules and flows."""
        return "action_handback"

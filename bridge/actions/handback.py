"""``action_handback``: the bot has the conversation again."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionHandback(BridgeAction):
    """Give the conversation back to the bot."""

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_handback"

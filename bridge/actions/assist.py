"""``action_agent_assist``: sends the bot's reply to the agent, or to the customer."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionAgentAssist(BridgeAction):
    """Suggest a reply while an agent owns the conversation; answer while the bot owns it."""

    def name(self) -> str:
        """Return the action's name in stories, rules and flows."""
        return "action_agent_assist"

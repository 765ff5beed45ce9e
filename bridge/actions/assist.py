"""``action_agent_assist``: what the bot would say goes to the agent, or to the customer."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionAgentAssist(BridgeAction):
    """Suggest while an agent has the conversation; answer while the bot has it."""

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_agent_assist"

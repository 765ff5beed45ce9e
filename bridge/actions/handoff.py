"""``action_human_handoff``: hands the conversation to the agent unconditionally."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionHumanHandoff(BridgeAction):
    """Hand the conversation to the agent."""

    promises = True

    def name(self) -> str:
        """Return the action's name in stories, rules and flows."""
        return "action_human_handoff"

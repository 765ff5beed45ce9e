"""``action_human_handoff``: the conversation goes to the agent whenever it is called."""

from __future__ import annotations

from bridge.actions.base import BridgeAction


class ActionHumanHandoff(BridgeAction):
    """Hand the conversation over."""

    promises = True

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_human_handoff"

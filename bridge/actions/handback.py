"""``action_handback``: the bot has the conversation again."""

from __future__ import annotations

from bridge.actions.base import BridgeAction
from bridge.desk import Desk, Step
from bridge.turn import Turn


class ActionHandback(BridgeAction):
    """Give the conversation back to the bot."""

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_handback"

    def step(self, desk: Desk, turn: Turn) -> Step:
        """Store the handback."""
        return desk.hand_back(turn)

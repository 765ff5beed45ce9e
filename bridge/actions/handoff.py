"""``action_human_handoff``: the conversation goes to the agent whenever it is called."""

from __future__ import annotations

from bridge.actions.base import BridgeAction
from bridge.desk import Desk, Quick, Step
from bridge.turn import Turn


class ActionHumanHandoff(BridgeAction):
    """Hand the conversation over."""

    promises = True

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return "action_human_handoff"

    def step(self, desk: Desk, turn: Turn) -> Step:
        """Store the handoff."""
        return desk.hand_off(turn)

    def quick(self, desk: Desk) -> Quick:
        """Store it in one go with others."""
        return desk.hand_off_quickly

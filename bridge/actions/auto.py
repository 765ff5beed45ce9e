"""``action_bridge``: reads the turn and does what the designer's triggers call for."""

from __future__ import annotations

from bridge.actions.base import BridgeAction
from bridge.state.commands import ActionKind


class ActionBridge(BridgeAction):
    """Hand off, suggest, or do nothing."""

    kind = ActionKind.BRIDGE

    def name(self) -> str:
        """The action's name in stories, rules and flows."""
        return self.kind.value

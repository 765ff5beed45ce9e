"""The custom actions that Rasa calls, and the registration of the web edge with rasa_sdk.

Importing this package registers both and nothing more: it may not read files or open connections.
Read ``base`` first, then ``answering``.
"""

from bridge.actions.assist import ActionAgentAssist
from bridge.actions.auto import ActionBridge
from bridge.actions.handback import ActionHandback
from bridge.actions.handoff import ActionHumanHandoff
from bridge.actions.plugin import register

__all__ = ["ActionAgentAssist", "ActionBridge", "ActionHandback", "ActionHumanHandoff"]

register()

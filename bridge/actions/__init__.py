"""The actions that Rasa calls, and the registration of the web edge with rasa_sdk.

Importing this package registers both and does nothing else: no file is read, nothing is opened.
"""

from bridge.actions.auto import ActionBridge
from bridge.actions.handoff import ActionHumanHandoff
from bridge.actions.plugin import register

__all__ = ["ActionBridge", "ActionHumanHandoff"]

register()

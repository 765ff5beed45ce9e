"""Re-exports the bridge's actions for ``python -m rasa_sdk --actions actions``."""

from bridge.actions import *  # noqa: F403 - the purpose of this package

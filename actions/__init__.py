"""Hands the bridge's actions on, for ``python -m rasa_sdk --actions actions``."""

from bridge.actions import *  # noqa: F403 - that is what this package is for

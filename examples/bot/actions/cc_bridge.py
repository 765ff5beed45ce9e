"""The actions of rasa-cc-bridge."""

from bridge.actions import *  # noqa: F403 - the actions of rasa-cc-bridge

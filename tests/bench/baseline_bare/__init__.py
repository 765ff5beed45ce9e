"""Rasa's SDK by itself: an action server with one action that does nothing."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict


class Nothing(Action):
    def name(self) -> str:
        return "action_human_handoff"

    async def run(
        self, _dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        return []

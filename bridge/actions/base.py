"""The base class of the actions.

Instances are pickled to worker processes, so they have no attributes. The main process imports
them only for their names, so only the workers import ``answering``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict


class BridgeAction(Action, ABC):
    """An action of the bridge. rasa_sdk registers every class that is not abstract."""

    promises = False  # the customer expects an agent, so a failure must say that none is available

    @abstractmethod
    def name(self) -> str:
        """Return the action's name in stories, rules and flows."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Run the action and return its events, also when it fails."""
        from bridge.actions import answering  # noqa: PLC0415 - not in the main process

        return await answering.answer(
            self.name(), dispatcher, tracker, domain, promises=self.promises
        )

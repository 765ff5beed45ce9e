"""What the action classes share.

Instances are pickled to worker processes: they hold nothing. The main process imports them only to
learn their names, so that what answers is imported by those who answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict


class BridgeAction(Action, ABC):
    """An action of the bridge. rasa_sdk registers every class that is not abstract."""

    promises = False  # whether the customer is waiting for a person when this action fails

    @abstractmethod
    def name(self) -> str:
        """The action's name in stories, rules and flows."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Answer Rasa; whatever happens, with events."""
        from bridge.actions import answering  # noqa: PLC0415 - see above

        return await answering.answer(
            self.name(), dispatcher, tracker, domain, promises=self.promises
        )

"""Renting a bicycle: the language of the customer, the number of days, and the price."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

_EUROS_A_DAY = 18
_MOST_DAYS = 30


class ActionChooseLanguage(Action):
    """Sets the slot ``language`` by the intent."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_choose_language"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Set the slot."""
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        return [SlotSet("language", "de" if intent == "choose_german" else "en")]


class ValidateRentalForm(FormValidationAction):
    """Accepts a number of days from 1 to 30."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "validate_rental_form"

    def validate_days(
        self,
        value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Read the number, or ask again."""
        digits = "".join(char for char in str(value) if char.isdigit())
        if digits and 1 <= int(digits[:4]) <= _MOST_DAYS:
            return {"days": float(digits)}
        dispatcher.utter_message(response="utter_wrong_days")
        return {"days": None}


class ActionQuote(Action):
    """Calculates the price of the rental."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_quote"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Set the slot ``price``, and empty the form for the next rental."""
        days = tracker.get_slot("days") or 1.0
        return [SlotSet("price", f"{days * _EUROS_A_DAY:g}"), SlotSet("days", None)]

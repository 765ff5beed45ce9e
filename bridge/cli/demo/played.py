"""What happened in a scene: the answers of the servers and the gateway's record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.cli.peers import JsonObject


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click by the agent and its result.

    Attributes:
        path: the request to the API.
        text: the agent's own words, if any.
        status, answer: the API's answer.
        wire, got: as in ``Played``, since the click.
    """

    path: str
    text: str | None
    status: int
    answer: JsonObject
    wire: tuple[JsonObject, ...]
    got: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """The record of one scene.

    Attributes:
        said: the speaker (``user`` or ``bot``) and text of each line when Rasa called the action.
        status, events, responses: the action server's answer to Rasa.
        uttered: the texts that Rasa then sends on its own channel.
        reason: the reason for the bridge's decision, in words.
        wire: the requests that reached the gateway meanwhile, without event polls.
        got: the messages that the gateway accepted for this customer meanwhile.
        offered: the suggestions shown to the agent afterwards.
        clicks: the agent's clicks on suggestions, by the scene that offered them.
        owner: the call's owner at the end, if there is a call.
        deliveries: the API's list of the call's deliveries at the end.
        seconds: how long Rasa waited.
    """

    key: str
    said: tuple[tuple[str, str], ...]
    status: int
    events: tuple[JsonObject, ...]
    responses: tuple[JsonObject, ...]
    uttered: tuple[str, ...]
    reason: str
    wire: tuple[JsonObject, ...]
    got: tuple[JsonObject, ...]
    offered: tuple[JsonObject, ...]
    clicks: Mapping[str, Clicked]
    owner: str | None
    deliveries: tuple[JsonObject, ...]
    seconds: float

    @property
    def slots(self) -> Mapping[str, Any]:
        """Return the slots that Rasa was told to set."""
        slots = (event for event in self.events if event["event"] == "slot")
        return {slot["name"]: slot.get("value") for slot in slots}

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the other events in order, an action by its name."""
        return tuple(
            event["name"] if event["event"] == "action" else event["event"]
            for event in self.events
            if event["event"] != "slot"
        )

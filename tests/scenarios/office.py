"""A whole bridge in one process, spoken to as Rasa and a routing system speak to it."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, cast

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict, TrackerState
from typing_extensions import Self

from bridge import runtime
from bridge.actions import (
    ActionAgentAssist,
    ActionBridge,
    ActionHandback,
    ActionHumanHandoff,
)
from bridge.actions.base import BridgeAction
from bridge.config.media import MediaSettings
from bridge.config.settings import BridgeSettings, HandoffSettings, Settings
from bridge.context import Context
from bridge.core.clock import Clock
from bridge.model import Delivery, Guid, Mode, Suggestion
from bridge.planners import Rules
from bridge.planners.offering import SWITCH
from bridge.runtime import Runtime
from bridge.service import Service
from bridge.state.commands import (
    AcceptSuggestion,
    Command,
    DiscardDelivery,
    EndCall,
    HandBackCall,
    PushGuid,
    RejectSuggestion,
    RetryDelivery,
    SendReply,
    SetSwitch,
)
from bridge.state.records import AssignmentRecord, Stored
from bridge.store import lists
from bridge.web.api import assignments, parameters
from bridge.web.requests import AssignmentRequest

ASSIGNMENT = {"agent_id": "291", "call_id": "1552524689-16797284", "user_id": "40001"}
SECRET = "0123456789abcdef0123456789abcdef"
RESPONSES: dict[str, Any] = {
    "utter_handoff_started": [{"text": "{name}, Anna takes over now."}],
    "utter_handoff_unavailable": [{"text": "Nobody is there."}],
}
_ACTIONS: dict[str, Callable[[], BridgeAction]] = {
    "action_human_handoff": ActionHumanHandoff,
    "action_bridge": ActionBridge,
    "action_agent_assist": ActionAgentAssist,
    "action_handback": ActionHandback,
}


@dataclass(frozen=True)
class Answered:
    """What an action answered Rasa."""

    events: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    @property
    def slots(self) -> dict[str, Any]:
        return {item["name"]: item["value"] for item in self.events if item["event"] == "slot"}

    @property
    def kinds(self) -> list[str]:
        """The events without the slots: ``action_listen`` by its name."""
        return [
            item["name"] if item["event"] == "action" else item["event"]
            for item in self.events
            if item["event"] != "slot"
        ]


def message(
    text: str = "I want a human",
    *,
    intent: str | None = "human_handoff",
    confidence: float = 0.9,
    sender: str = "sender",
    number: int = 1,
    metadata: dict[str, Any] | None = None,
    at: float | None = None,
    channel: str = "rest",
) -> dict[str, Any]:
    """A tracker whose newest event is this customer message."""
    heard = {
        "intent": {"name": intent, "confidence": confidence},
        "intent_ranking": [
            {"name": intent, "confidence": confidence},
            {"name": "another", "confidence": 1 - confidence},
        ],
        "entities": [],
        "text": text,
        "message_id": f"{sender}-{number}",
        "metadata": metadata or {},
    }
    said = {
        "event": "user",
        "timestamp": at or time.time(),
        "text": text,
        "parse_data": heard,
        "input_channel": channel,
        "message_id": heard["message_id"],
        "metadata": metadata or {},
    }
    return {
        "sender_id": sender,
        "slots": {"name": "Maria"},
        "latest_message": heard,
        "events": [{"event": "action", "name": "action_listen", "timestamp": 1.0}, said],
        "paused": False,
        "active_loop": {},
        "latest_action_name": "action_listen",
    }


class Calendar(Clock):
    """The machine's clock, or one that is ahead of it by some seconds."""

    ahead = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return super().now() + self.ahead


class Office:
    """The bridge at work; a context manager.

    Args:
        url: the gateway's.
        database: ``storage.url``.
        designer: handoff.yml as a value.
        changes: of bridge.yml, by section.
        media: media.yml as a value.
        rules: what the planners decide by, made of the settings where it is to be another.
    """

    def __init__(
        self,
        url: str,
        database: str,
        designer: dict[str, Any],
        changes: dict[str, Any],
        *,
        rules: Callable[[Settings], Rules] | None = None,
        media: dict[str, Any] | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "gateway": {"url": url, "poll_pause": 0.05},
            "agents": {
                "291": {
                    "session": "sign_in",
                    "password": "secret-password",
                    "phone": "40038",
                    "nickname": "Anna",
                },
                "*": {},
            },
            "channel_config_ids": {"WEB": "202301032048582419"},
            "storage": {"url": database},
            "assignment": {"metadata": "signed", "secret": SECRET},
        }
        for key, value in changes.items():
            given[key] = {**given.get(key, {}), **value}
        settings = Settings(
            bridge=BridgeSettings.model_validate(given),
            designer=HandoffSettings.model_validate(designer),
            media=MediaSettings.model_validate(media or {}),
        )
        self.clock = Calendar()
        context = replace(Context.of(settings), clock=self.clock)
        if rules is not None:
            context = replace(context, rules=rules(settings))
        self.runtime = Runtime(context)

    def __enter__(self) -> Self:
        runtime.use(self.runtime)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        runtime.use(None)
        self.runtime.close()

    @property
    def service(self) -> Service:
        """The core of this process, and what it works with."""
        assert self.runtime.service is not None
        return self.runtime.service

    # What Rasa calls

    def call(
        self,
        state: dict[str, Any],
        action: str = "action_bridge",
        *,
        domain: dict[str, Any] | None = None,
    ) -> Answered:
        """What Rasa's webhook does, with a domain that has our responses."""
        return asyncio.run(self.call_async(state, action, domain=domain))

    async def call_async(
        self,
        state: dict[str, Any],
        action: str = "action_bridge",
        *,
        domain: dict[str, Any] | None = None,
    ) -> Answered:
        """The same within a running loop."""
        dispatcher = CollectingDispatcher()
        tracker = Tracker.from_dict(cast("TrackerState", copy.deepcopy(state)))
        whole = cast("DomainDict", {"responses": RESPONSES} if domain is None else domain)
        events = await _ACTIONS[action]().run(dispatcher, tracker, whole)
        return Answered(events, dispatcher.messages)

    # What the API's routes put

    def put(self, command: Command) -> Any:
        """Put a command; its answer."""
        return self.runtime.core.call(command)

    def assign(self, sender: str = "sender", **changes: Any) -> AssignmentRecord:
        """What ``PUT /bridge/assignments/{sender_id}`` does."""
        body = parameters.parsed(AssignmentRequest, {**ASSIGNMENT, **changes})
        command, _ = assignments.command_of(sender, body, self.runtime.settings.bridge)
        stored: Stored[AssignmentRecord] = self.put(command)
        return stored.value

    def end(self, sender: str = "sender") -> bool:
        """The call ended; False where none was open."""
        return bool(self.put(EndCall(sender_id=sender)))

    def hand_back(self, *, agent_id: str | None = "291") -> AssignmentRecord:
        """The agent gives the call back to the bot."""
        call_id = ASSIGNMENT["call_id"]
        found: AssignmentRecord = self.put(HandBackCall(call_id=call_id, agent_id=agent_id))
        return found

    def push_guid(self, agent_id: str, guid: str) -> None:
        """A desktop hands its GUID over."""
        self.put(PushGuid(agent_id=agent_id, guid=Guid(guid)))

    def reply(self, text: str, client_id: str = "c-1", *, agent_id: str = "291") -> list[Delivery]:
        """The agent writes freely."""
        call_id = ASSIGNMENT["call_id"]
        stored: Stored[list[Delivery]] = self.put(
            SendReply(call_id=call_id, text=text, client_id=client_id, agent_id=agent_id)
        )
        return stored.value

    def accept(
        self, suggestion: Suggestion, *, agent_id: str = "291", text: str | None = None
    ) -> tuple[Suggestion, list[Delivery]]:
        """The agent sends a suggestion, in words of its own where ``text`` is given."""
        decided: tuple[Suggestion, list[Delivery]] = self.put(
            AcceptSuggestion(suggestion_id=suggestion.id, agent_id=agent_id, text=text)
        )
        return decided

    def reject(self, suggestion: Suggestion, *, reason: str | None = None) -> Suggestion:
        """The agent does not want a suggestion."""
        decided: Suggestion = self.put(
            RejectSuggestion(suggestion_id=suggestion.id, agent_id="291", reason=reason)
        )
        return decided

    def retry(self, delivery: Delivery) -> Delivery:
        """The agent has a delivery sent once more."""
        moved: Delivery = self.put(RetryDelivery(delivery_id=delivery.seq, agent_id="291"))
        return moved

    def discard(self, delivery: Delivery) -> Delivery:
        """The agent takes a delivery off the list."""
        moved: Delivery = self.put(DiscardDelivery(delivery_id=delivery.seq, agent_id="291"))
        return moved

    def put_ceiling(self, mode: Mode | None) -> None:
        """How far assist may go at most, for all; None lifts that."""
        suspends = mode in (Mode.OFF, Mode.SUGGEST)
        value = mode.value if mode is not None else None
        self.put(SetSwitch(name=SWITCH, value=value, withdraws_auto=suspends))

    # What is in the store

    def record(self, sender: str = "sender") -> AssignmentRecord:
        """The conversation's newest assignment."""
        found = self.runtime.store.read(lambda tx: lists.latest_assignment(tx, sender))
        assert found is not None
        return found

    def deliveries(self) -> list[Delivery]:
        """Everything in the outbox."""
        return self.runtime.store.read(lambda tx: lists.deliveries(tx, limit=10_000))

"""A whole bridge in one process, spoken to as Rasa and a routing system speak to it."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict, TrackerState
from typing_extensions import Self

from bridge.actions import (
    ActionAgentAssist,
    ActionBridge,
    ActionHandback,
    ActionHumanHandoff,
)
from bridge.actions.base import BridgeAction
from bridge.config.settings import BridgeSettings, HandoffSettings, Settings
from bridge.model import Delivery
from bridge.runtime import Runtime
from bridge.store import deliveries

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
) -> dict[str, Any]:
    """A tracker whose newest event is this customer message."""
    heard = {
        "intent": {"name": intent, "confidence": confidence},
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
        "input_channel": "rest",
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


class Office:
    """The bridge at work; a context manager."""

    def __init__(
        self, url: str, database: str, designer: dict[str, Any], changes: dict[str, Any]
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
        )
        self.runtime = Runtime(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.runtime.close()

    def assign(self, sender: str = "sender", **changes: Any) -> None:
        """What ``PUT /bridge/assignments/{sender_id}`` does."""
        self.runtime.desk.calls.assign(sender, {**ASSIGNMENT, **changes})

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

    def deliveries(self) -> list[Delivery]:
        """Everything in the outbox."""
        return self.runtime.store.read(
            lambda tx: deliveries.listing(
                tx, call_id=None, states=(), agent_id=None, after=0, limit=10_000
            )
        )

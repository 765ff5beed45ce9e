"""What one writes first: ``requests.post`` in ``run``."""

from __future__ import annotations

import json
import os
import time
import uuid
from typing import Any

import requests
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict


class Handoff(Action):
    """Sends on the event loop."""

    def name(self) -> str:
        """The action's name."""
        return "action_human_handoff"

    def run(  # type: ignore[override] # rasa_sdk takes functions too
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Send."""
        data = {
            "from": "202301032048582419",
            "to": "40001",
            "channel": "WEB",
            "controlType": "CHAT",
            "mediaType": "TEXT",
            "messageCode": str(uuid.uuid4()),
            "senderNickname": "Anna",
            "senderAvatar": "DefaultAvatar",
            "sendTime": str(int(time.time() * 1000)),
            "content": "A person takes over now.",
            "userId": "40001",
        }
        body = {"callid": tracker.sender_id, "userid": "40001", "data": json.dumps(data)}
        requests.post(
            os.environ["BENCH_GATEWAY"] + "/agentgateway/resource/mediacall/291/sendmessage",
            data=json.dumps(body),
            headers={
                "Content-Type": "application/json; charset=UTF-8",
                "Guid": os.environ["BENCH_GUID"],
            },
            timeout=8,
        ).raise_for_status()
        return [SlotSet("handoff_state", "handoff")]


class Idle(Action):
    """A turn that needs nothing."""

    def name(self) -> str:
        """The action's name."""
        return "action_bridge"

    def run(  # type: ignore[override]
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Nothing."""
        return []

"""What one writes without the bridge, done well: a pooled session, 64 threads, nothing stored.

The session is as requests makes it, but for its pool, which has a connection for each thread.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

_POOL = ThreadPoolExecutor(64)
_SESSION = requests.Session()
_SESSION.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))


def send(call_id: str, user_id: str) -> None:
    """One sendmessage, as the published page asks."""
    data = {
        "from": "202301032048582419",
        "to": user_id,
        "channel": "WEB",
        "controlType": "CHAT",
        "mediaType": "TEXT",
        "messageCode": str(uuid.uuid4()),
        "senderNickname": "Anna",
        "senderAvatar": "DefaultAvatar",
        "sendTime": str(int(time.time() * 1000)),
        "content": "A person takes over now.",
        "userId": user_id,
    }
    answer = _SESSION.post(
        os.environ["BENCH_GATEWAY"] + "/agentgateway/resource/mediacall/291/sendmessage",
        data=json.dumps({"callid": call_id, "userid": user_id, "data": json.dumps(data)}),
        headers={
            "Content-Type": "application/json; charset=UTF-8",
            "Guid": os.environ["BENCH_GUID"],
        },
        timeout=8,
    )
    answer.raise_for_status()
    if answer.json()["retcode"] != "0":
        raise RuntimeError(answer.text)


class Handoff(Action):
    """Sends and forgets."""

    def name(self) -> str:
        """The action's name."""
        return "action_human_handoff"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Send in a thread."""
        loop = asyncio.get_running_loop()
        call_id = str(tracker.sender_id)
        await loop.run_in_executor(_POOL, send, call_id, "40001")
        return [SlotSet("handoff_state", "handoff")]


class Idle(Action):
    """A turn that needs nothing."""

    def name(self) -> str:
        """The action's name."""
        return "action_bridge"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Nothing."""
        return []

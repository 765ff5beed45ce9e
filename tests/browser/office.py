"""A real server with a simulated gateway, and customers that write to it by Rasa's requests."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scenarios.rasa_stub import RasaStub
from tests.simulator.harness import Simulator
from tests.web.serving import API_TOKEN, INBOX_SECRET, ActionServer, assignment, turn

PRICE = "Express delivery costs 10 EUR and takes one working day."
HOURS = "We are open Monday to Friday, 9 to 17."
RULES: dict[str, Any] = {
    "handoff": {"when": [{"intent": "human_handoff", "min_confidence": 0.6}], "then": "assist"},
    "assist": {
        "when": [
            {"intent": "ask_price", "reply": "utter_price"},
            {"intent": "ask_hours", "reply": "utter_hours"},
            {"intent": "order"},
        ],
    },
}
RESPONSES = {
    "utter_price": [{"text": PRICE}],
    "utter_hours": [{"text": HOURS}],
    "utter_handoff_started": [{"text": "Thank you for waiting. Anna is with you now."}],
}


@dataclass(frozen=True)
class Office:
    """A server, its gateway and its Rasa."""

    server: ActionServer
    gateway: Simulator
    rasa: RasaStub

    def token(self, agent_id: str = "291") -> dict[str, Any]:
        """A token of an agent."""
        answer = self.server.post("/bridge/tokens", json={"agent_id": agent_id})
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def customer(self, user_id: str, *, owner: str | None = "agent", **changes: Any) -> Customer:
        """A customer whose call the agent has."""
        name = uuid.uuid4().hex[:12]
        customer = Customer(self, f"sender-{name}", f"1552524689-{name}", user_id)
        fields = {"call_id": customer.call_id, "user_id": user_id, **changes}
        if owner:
            fields["owner"] = owner
        body = assignment(**fields)
        answer = self.server.put(f"/bridge/assignments/{customer.sender_id}", json=body)
        assert answer.ok, answer.text
        return customer


@dataclass(frozen=True)
class Customer:
    """A customer with a conversation and a call."""

    office: Office
    sender_id: str
    call_id: str
    user_id: str

    def writes(
        self,
        text: str,
        intent: str = "ask_price",
        *,
        action: str = "action_agent_assist",
        after: Sequence[tuple[str, str]] = (),
        ago: float = 0.0,
    ) -> None:
        """Write something, ``ago`` seconds ago, after what was said before; Rasa runs an action."""
        body = turn(self.sender_id, action=action)
        body["domain"]["responses"] |= RESPONSES
        said = {
            "text": text,
            "message_id": uuid.uuid4().hex,
            "intent": {"name": intent, "confidence": 0.87},
            "intent_ranking": [
                {"name": intent, "confidence": 0.87},
                {"name": "ask_hours" if intent == "ask_price" else "greet", "confidence": 0.41},
            ],
        }
        body["tracker"]["latest_message"] |= said
        events = body["tracker"]["events"]
        (user,) = (each for each in events if each["event"] == "user")
        now = time.time() - ago
        user |= {"text": text, "message_id": said["message_id"], "timestamp": now}
        user["parse_data"] = user["parse_data"] | said
        earlier = [
            {"event": who, "text": words, "timestamp": now - 30 + number}
            for number, (who, words) in enumerate(after)
        ]
        others = [each for each in events if each["event"] not in ("user", "bot")]
        body["tracker"]["events"] = [*others, *earlier, user]
        answer = self.office.server.webhook(body)
        assert answer.status_code == 200, answer.text

    def received(self, number: int) -> list[str]:
        """Wait for so many messages at the gateway; their texts."""
        self.office.gateway.wait_for(messages=number, call=self.call_id)
        found = self.office.gateway.messages(call=self.call_id)
        return [message["text"] for message in found]

    def suggestions(self) -> list[dict[str, Any]]:
        """All suggestions of the call."""
        query = {"call_id": self.call_id}
        items: list[dict[str, Any]] = self.office.server.get(
            "/bridge/suggestions", params=query
        ).json()["items"]
        return items


@contextmanager
def opened_office(
    folder: Path, *, more: Mapping[str, Any] | None = None, **page: Any
) -> Iterator[Office]:
    """Start all three; ``more`` is of bridge.yml, ``page`` its section of that name."""
    config = folder / "config"
    config.mkdir(parents=True)
    (config / "handoff.yml").write_text(json.dumps(RULES), encoding="utf-8")
    with Simulator("--poll-seconds", "0.2") as gateway, RasaStub() as rasa:
        bridge = {
            "rasa": {"url": rasa.url},
            "gateway": {"url": gateway.url, "poll_pause": 0.05},
            "api": {"token": API_TOKEN, "inbox_secret": INBOX_SECRET},
            "page": page,
            **(more or {}),
        }
        with ActionServer(folder, bridge=bridge) as server:
            yield Office(server, gateway, rasa)

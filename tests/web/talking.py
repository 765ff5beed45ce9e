"""One customer's conversation that an agent has, on a server that other tests use too."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from typing_extensions import Self

from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, assignment, turn

PRICE = "It costs 10 EUR."
PICTURE = "https://shop.example/a.jpg"
RULES: dict[str, Any] = {
    "assist": {
        "when": [
            {"intent": "ask_price", "reply": "utter_price"},
            {"intent": "faq", "reply": "response_selector"},
        ],
        "auto": {
            "intents": ["ask_price"],
            "min_confidence": 0.9,
            "min_margin": 0.3,
            "typing": "ignored",
        },
    },
}
RESPONSES: dict[str, Any] = {
    "utter_price": [{"text": PRICE}],
    "utter_faq/hours": [{"text": "9 to 5."}],
    "utter_faq/where": [{"text": "In Berlin."}],
}
_RANKING = [
    {"intent_response_key": "faq/hours", "confidence": 0.8},
    {"intent_response_key": "faq/where", "confidence": 0.15},
]
_SELECTED: dict[str, Any] = {
    "all_retrieval_intents": ["faq"],
    "faq": {
        "response": {"utter_action": "utter_faq/hours", "confidence": 0.8, "responses": []},
        "ranking": _RANKING,
    },
}


@dataclass(frozen=True)
class Talk:
    """A conversation with its call; ``call`` is the call's address in the API."""

    server: ActionServer
    gateway: Simulator
    sender_id: str
    call_id: str

    @classmethod
    def begin(cls, server: ActionServer, gateway: Simulator, **changes: Any) -> Self:
        """Somebody new, whom the agent answers from the start."""
        name = uuid.uuid4().hex
        made = cls(server, gateway, f"customer-{name}", name)
        made.assign(**changes)
        return made

    def assign(self, **changes: Any) -> None:
        body = assignment(call_id=self.call_id, owner="agent", **changes)
        answer = self.server.put(f"/bridge/assignments/{self.sender_id}", json=body)
        assert answer.status_code in (200, 201), answer.text

    @property
    def call(self) -> str:
        return f"/bridge/calls/{self.call_id}"

    def asks(self, intent: str = "ask_price", **responses: Any) -> list[dict[str, Any]]:
        """The customer writes, and Rasa calls the assist action; what is offered then."""
        body = turn(self.sender_id, action="action_agent_assist")
        body["domain"]["responses"] |= RESPONSES | responses
        heard = body["tracker"]["latest_message"]
        heard["message_id"] = uuid.uuid4().hex
        heard["intent"] = {"name": intent, "confidence": 0.95}
        if intent == "faq":
            heard["response_selector"] = _SELECTED
        answer = self.server.webhook(body)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"events": [], "responses": []}
        return self.suggestions(state="offered")

    def suggestions(self, **query: str) -> list[dict[str, Any]]:
        found = self.server.get("/bridge/suggestions", params={"call_id": self.call_id, **query})
        assert found.status_code == 200, found.text
        items: list[dict[str, Any]] = found.json()["items"]
        return items

    def deliveries(self) -> list[dict[str, Any]]:
        found = self.server.get("/bridge/deliveries", params={"call_id": self.call_id})
        items: list[dict[str, Any]] = found.json()["items"]
        return items

    def received(self, number: int) -> list[str]:
        """Wait for so many messages at the gateway; their texts."""
        self.gateway.wait_for(messages=number, call=self.call_id)
        return [message["text"] for message in self.gateway.messages(call=self.call_id)]

    def settled(self, delivery_id: str) -> dict[str, Any]:
        """Wait until a delivery is settled; what it came to."""

        def ask() -> dict[str, Any]:
            found: dict[str, Any] = self.server.get(f"/bridge/deliveries/{delivery_id}").json()
            return found

        self.server.until(lambda: "settled_at" in ask())
        return ask()

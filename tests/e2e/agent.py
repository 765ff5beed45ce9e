"""The agent's side of one call, as a desktop that uses the bridge's API has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.e2e.bridges import API_TOKEN, Bridge
from tests.e2e.programs import eventually

JsonObject = dict[str, Any]

_SECONDS = 20.0


@dataclass(frozen=True)
class Agent:
    """Whoever has the call, and what that one does in it."""

    bridge: Bridge
    call_id: str
    token: str = API_TOKEN  # the desktop's; or the agent's own

    def offered(self, state: str = "offered") -> list[JsonObject]:
        """The suggestions of the call in one state, the oldest first."""
        path = f"/suggestions?call_id={self.call_id}&state={state}"
        items: list[JsonObject] = self.bridge.ask("GET", path, token=self.token)["items"]
        return items

    def is_offered(self, number: int) -> list[JsonObject]:
        """The suggestions that wait, once there are so many."""
        assert eventually(lambda: len(self.offered()) >= number, _SECONDS), self.offered()
        return self.offered()

    def accepts(self, suggestion: JsonObject, text: str | None = None) -> JsonObject:
        """Take a suggestion as it is, or with other words."""
        body = None if text is None else {"text": text}
        return self.bridge.ask("POST", accepting(suggestion), body, token=self.token)

    def writes(self, text: str, client_id: str = "c-1") -> JsonObject:
        """Write without a suggestion."""
        body = {"text": text, "client_id": client_id}
        return self.bridge.ask("POST", f"/calls/{self.call_id}/replies", body, token=self.token)

    def hands_back(self) -> JsonObject:
        """Give the conversation back to the bot."""
        return self.bridge.ask("POST", f"/calls/{self.call_id}/handback", token=self.token)


def accepting(suggestion: JsonObject) -> str:
    """The path of a suggestion's acceptance."""
    return f"/suggestions/{suggestion['id']}/accept"

"""The agent's desktop: read and accept suggestions over the API, with the agent's own token."""

from __future__ import annotations

import time
from dataclasses import replace

from bridge.cli.demo import scenes
from bridge.cli.demo.scenes import Customer
from bridge.cli.peers import HttpAnswer, JsonObject, Peer

_TOKEN_SECONDS = 600
_SENT_WITHIN = 10.0  # seconds; a delivery not sent by then is shown in its current state
_LOOK_EVERY = 0.02
_UNDER_WAY = ("waiting", "sending")


class Desktop:
    """The API with an agent's token.

    Args:
        bridge: the action server, with the system's token.
    """

    def __init__(self, bridge: Peer) -> None:
        request = {"agent_id": scenes.AGENT, "ttl": _TOKEN_SECONDS}
        token = bridge.expect("POST", "/bridge/tokens", request)["token"]
        self._bridge = replace(bridge, token=token)

    def offered(self, customer: Customer) -> tuple[JsonObject, ...]:
        """Return the suggestions that wait for the agent."""
        if customer.call_id is None:
            return ()
        path = f"/bridge/suggestions?call_id={customer.call_id}&state=offered"
        return tuple(self._bridge.expect("GET", path)["items"])

    def accept(self, path: str, text: str | None) -> HttpAnswer:
        """Accept a suggestion and wait until it is sent; a refusal is an answer too."""
        reply = self._bridge.ask("POST", path, {} if text is None else {"text": text})
        until = time.monotonic() + _SENT_WITHIN
        for delivery in reply.body.get("deliveries") or ():
            while self._is_under_way(delivery["id"]) and time.monotonic() < until:
                time.sleep(_LOOK_EVERY)
        return reply

    def _is_under_way(self, delivery_id: str) -> bool:
        delivery = self._bridge.expect("GET", f"/bridge/deliveries/{delivery_id}")
        return delivery["state"] in _UNDER_WAY

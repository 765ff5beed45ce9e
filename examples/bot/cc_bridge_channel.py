"""The channel through which the bridge asks this bot what it would say.

Like Rasa's REST channel, but it answers only to those who know its token, and takes no intents:
a customer's "/restart" is text. A turn goes on if the bridge no longer waits for it: the bridge
reads the answer from the conversation then.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse


class CCBridgeInput(InputChannel):
    """``POST /webhooks/cc_bridge/webhook`` with ``sender``, ``message`` and ``metadata``."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    @classmethod
    def name(cls) -> str:
        """Return the channel's name, which is part of its address."""
        return "cc_bridge"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> CCBridgeInput:
        """Read the token of ``credentials.yml``; without one, Rasa does not start."""
        token = (credentials or {}).get("token")
        if not isinstance(token, str) or not token.strip():
            message = "credentials.yml: cc_bridge_channel.CCBridgeInput needs a token"
            raise ValueError(message)
        return cls(token)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes of the channel."""
        routes = Blueprint("cc_bridge_channel")
        turns: set[asyncio.Future[Any]] = set()  # a task that nothing refers to may vanish

        @routes.route("/", methods=["GET"])
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            if not self._is_authorized(request):
                return response.json({"error": "unauthorized"}, status=401)
            body = request.json
            if not isinstance(body, dict) or not _is_text(body.get("sender")):
                return response.json({"error": "sender is missing"}, status=400)
            if not isinstance(body.get("message"), str):
                return response.json({"error": "message is missing"}, status=400)
            metadata = body.get("metadata")
            collector = CollectingOutputChannel()
            message = UserMessage(
                body["message"].lstrip("/ "),
                collector,
                body["sender"],
                input_channel=self.name(),
                metadata=metadata if isinstance(metadata, dict) else None,
            )
            turn = asyncio.ensure_future(on_new_message(message))
            turns.add(turn)
            turn.add_done_callback(turns.discard)
            await asyncio.shield(turn)  # Sanic cancels this function if the client has gone
            return response.json(collector.messages)

        return routes

    def _is_authorized(self, request: Request) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode(errors="replace")
        return kind.lower() == "bearer" and hmac.compare_digest(given, self._token)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)

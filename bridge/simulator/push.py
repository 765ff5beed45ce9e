"""Push mode: POST an agent's events to the callback URI given at sign-in.

One task per session, with the blocking POST in a thread. The sign-in has checked that the URI is on
loopback.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from bridge.simulator import contract
from bridge.simulator.state import Callback, Event, Gateway, Session

TIMEOUT = 5.0  # seconds for one POST


class Pusher:
    """Pushes queued events of sessions in push mode."""

    def __init__(self, gateway: Gateway) -> None:
        self.pushes: list[dict[str, Any]] = []  # every attempt, oldest first
        self._gateway = gateway
        self._tasks: set[asyncio.Task[None]] = set()

    def attend(self, session: Session) -> None:
        """Start pushing a session's events until it ends; do nothing if it polls."""
        if session.callback is None:
            return
        task = asyncio.create_task(self._run(session, session.callback))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Stop pushing."""
        for task in self._tasks:
            task.cancel()

    async def _run(self, session: Session, callback: Callback) -> None:
        agent = self._gateway.agent(session.agent_id)
        while agent.session is session:
            batch = list(agent.mailbox)
            if not batch:
                agent.wake_up.clear()
                await agent.wake_up.wait()
                continue
            times, agent.push_times = agent.push_times, 1
            for _ in range(times):
                await self._push(session, callback, batch)
            for _ in batch:
                agent.mailbox.popleft()
        farewell = agent.parting.pop(session.guid, None)
        if farewell:
            await self._push(session, callback, [farewell])

    async def _push(self, session: Session, callback: Callback, batch: list[Event]) -> None:
        settings = self._gateway.settings
        for attempt in range(1, settings.push_attempts + 1):
            if await self._attempt(session, callback, batch, attempt):
                return
            await asyncio.sleep(settings.push_retry_ms / 1000)

    async def _attempt(
        self, session: Session, callback: Callback, batch: list[Event], attempt: int
    ) -> bool:
        body = {"workNo": session.agent_id, "eventList": batch}
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "Guid": session.guid,
            "service_token": callback.token,
        }
        record: dict[str, Any] = {
            "at": time.time(),
            "agent": session.agent_id,
            "url": callback.uri,
            "headers": headers,
            "body": body,
            "attempt": attempt,
        }
        try:
            record.update(await asyncio.to_thread(_post, callback.uri, headers, body))
        except (OSError, http.client.HTTPException) as error:
            record.update(status=0, reply=None, taken=False, error=repr(error))
        self.pushes.append(record)
        return bool(record["taken"])


def _post(uri: str, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    parts = urlsplit(uri)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("POST", target, json.dumps(body).encode(), headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    finally:
        connection.close()
    try:
        reply = json.loads(text)
    except ValueError:
        reply = text
    success = isinstance(reply, dict) and reply.get("retcode") == contract.SUCCESS
    return {"status": response.status, "reply": reply, "taken": success}

"""Makes requests to the gateway about calls, and looks up whose they are."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bridge.errors import GatewayError, UnknownOutcomeError
from bridge.gateway import calls
from bridge.gateway.client import GatewayClient
from bridge.gateway.wire import GatewayRequest
from bridge.gateway.workbench import Workbench
from bridge.model import CallInfo, Guid
from bridge.state.calls import CallRequest, CallRequestKind
from bridge.state.commands import Command, RequestResult
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

SECONDS = 5.0  # total timeout of a request; its lease is longer
_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class _Outcome:
    found: CallInfo | None = None
    new_guid: Guid | None = None
    error: GatewayError | None = None


class CallSender:
    """A thread pool for requests about calls. Thread-safe; close it once.

    Args:
        client: the gateway's client.
        workbench: the client for look-ups; None if the gateway is asked.
        put: receives the results.
    """

    def __init__(
        self, client: GatewayClient, workbench: Workbench | None, put: Callable[[Command], None]
    ) -> None:
        self._client = client
        self._workbench = workbench
        self._put = put
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="calls")
        self._closing = False

    def request(self, request: CallRequest, guid: Guid, caller: str) -> None:
        """Make a request; ``put`` receives a ``RequestResult``.

        Args:
            request: the request.
            guid: the agent's GUID.
            caller: the caller as the gateway's events gave it, for a look-up.
        """
        try:
            self._pool.submit(self._run, request, guid, caller)
        except RuntimeError:  # the process is stopping
            self._put(RequestResult(call_request=request, unsent=True))

    def close(self) -> None:
        """Finish the requests in flight; start no new ones."""
        self._closing = True
        self._pool.shutdown(wait=True)
        if self._workbench is not None:
            self._workbench.close()

    def _run(self, request: CallRequest, guid: Guid, caller: str) -> None:
        if self._closing:
            self._put(RequestResult(call_request=request, unsent=True))
            return
        response = _Outcome(error=UnknownOutcomeError("the bridge failed while asking"))
        with Unexpected(
            logger, "A request about a call failed unexpectedly: %s request=%d", request.seq
        ):
            try:
                response = self._made(request, guid, caller)
            except GatewayError as error:
                response = _Outcome(error=error)
        self._put(
            RequestResult(
                call_request=request,
                guid=guid,
                found=response.found,
                error=response.error,
                new_guid=response.new_guid,
                jitter=random.random(),  # noqa: S311 - spreads retries
            )
        )

    def _made(self, request: CallRequest, guid: Guid, caller: str) -> _Outcome:
        looking_up = request.kind is CallRequestKind.LOOK_UP
        if looking_up and self._workbench is not None:
            return _Outcome(self._workbench.user_info(request.call_id, caller))
        agent_id = request.agent_id
        answer = self._client.call(agent_id, _on_the_wire(request), guid=guid, timeout=SECONDS)
        found = calls.looked_up(answer.content) if looking_up else None
        return _Outcome(found, answer.guid)


def _on_the_wire(request: CallRequest) -> GatewayRequest:
    agent_id, call_id = request.agent_id, request.call_id
    if request.kind is CallRequestKind.TRANSFER:
        return calls.transfer(agent_id, call_id, request.body)
    build = {
        CallRequestKind.ANSWER: calls.answer,
        CallRequestKind.LOOK_UP: calls.look_up,
        CallRequestKind.REJECT: calls.reject,
        CallRequestKind.RELEASE: calls.drop,
    }[request.kind]
    return build(agent_id, call_id)

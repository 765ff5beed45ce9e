"""Signs agents in and out, and changes their state and skills; serialised for each agent."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bridge.config.settings import AgentSettings, BridgeSettings
from bridge.errors import FinalError, GatewayError, UnknownOutcomeError
from bridge.gateway import calls, wire
from bridge.gateway.client import GatewayClient
from bridge.model import Guid
from bridge.state.commands import AgentAnswered, PutCommand, ResultCallback, SignInResult
from bridge.state.plan import SignInAgent
from bridge.state.records import AgentRequest, RequestKind
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

SECONDS = 5.0  # total timeout of a sign-in or a sign-out
_AT_A_TIME = 8


class SessionSender:
    """A thread pool for sign-ins and sign-outs; those of the same agent never overlap."""

    def __init__(self, client: GatewayClient, settings: BridgeSettings, put: PutCommand) -> None:
        self._client = client
        self._settings = settings
        self._put = put
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="sign-in")

    def sign_in(self, wanted: SignInAgent) -> None:
        """Sign an agent in; ``put`` receives a ``SignInResult``."""
        self._submit(self._sign_in, wanted)

    def ask(
        self, agent_id: str, guid: Guid, request: AgentRequest, reply: ResultCallback | None
    ) -> None:
        """Make a request for an agent; ``put`` receives an ``AgentAnswered``, and ``reply``."""
        self._submit(self._ask, agent_id, guid, request, reply)

    def sign_out(self, agent_id: str, guid: Guid, reply: ResultCallback | None) -> None:
        """Sign an agent out, and pass the outcome to ``reply``."""
        self._submit(self._sign_out, agent_id, guid, reply)

    def close(self) -> None:
        """Finish the calls in flight; drop the queued ones.

        A sign-in must not be repeated, or overlap a sign-out, before its reply.
        """
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            self._pool.submit(work, *arguments)
        except RuntimeError:
            logger.debug("The process is stopping: a sign-in or sign-out was dropped")

    def _sign_in(self, wanted: SignInAgent) -> None:
        guid: Guid | None = None
        error: GatewayError | None = None
        agent_id = wanted.agent_id
        with Unexpected(
            logger, "A sign-in failed unexpectedly: %s agent_id=%s", agent_id
        ) as failure:
            try:
                with self._locks[agent_id]:
                    request = self._sign_in_request(wanted)
                    guid = self._client.call(agent_id, request, timeout=SECONDS).guid
                if guid is None:
                    error = FinalError("the sign-in's response contained no GUID")
            except GatewayError as raised:
                error = raised
        if failure.error is not None:
            error = UnknownOutcomeError("the bridge failed while signing in")
        self._put(
            SignInResult(
                agent_id=agent_id,
                guid=guid,
                error=error,
                forced=wanted.forced,
                interrupted=wanted.interrupted,
            )
        )

    def _set_chats(self, agent_id: str, guid: Guid, number: int) -> Guid:
        """Set how many chats an agent has at a time; return the newest GUID.

        The gateway refuses the media that no skill of the agent has: one must be accepted.

        Raises:
            GatewayError: none was.
        """
        refused: GatewayError | None = None
        accepted = False
        for media in calls.CHAT_MEDIA:
            request = calls.set_chats(agent_id, number, media)
            try:
                answer = self._client.call(agent_id, request, guid=guid, timeout=SECONDS)
            except GatewayError as error:
                refused = error
                continue
            accepted = True
            guid = answer.guid or guid
        if refused is not None and not accepted:
            raise refused
        return guid

    def _chats_at_sign_in(self, agent_id: str, guid: Guid, number: int) -> Guid:
        """Set how many chats an agent has; the agent can work without, so a refusal is logged."""
        try:
            return self._set_chats(agent_id, guid, number)
        except GatewayError as refused:
            logger.warning(
                "The number of chats could not be set: %s agent_id=%s", refused, agent_id
            )
            return guid

    def _sign_in_request(self, wanted: SignInAgent) -> wire.GatewayRequest:
        agent = self._settings.agent(wanted.agent_id) or AgentSettings()
        token = wanted.service_token
        address = self._settings.reader.callback(token) if token is not None else ""
        callback = wire.Callback(address, token) if token is not None else None
        return wire.sign_in(
            wanted.agent_id, agent, state=wanted.state, callback=callback, force=wanted.forced
        )

    def _ask(
        self, agent_id: str, guid: Guid, request: AgentRequest, reply: ResultCallback | None
    ) -> None:
        new_guid, error = None, None
        with Unexpected(
            logger, "A request for an agent failed unexpectedly: %s agent_id=%s", agent_id
        ) as failure:
            try:
                with self._locks[agent_id]:
                    for each in self._requests(agent_id, request):
                        newest = new_guid or guid
                        answer = self._client.call(agent_id, each, guid=newest, timeout=SECONDS)
                        new_guid = answer.guid or new_guid
                    if request.chats is not None:
                        first = request.kind is RequestKind.SKILLS
                        set_chats = self._chats_at_sign_in if first else self._set_chats
                        new_guid = set_chats(agent_id, new_guid or guid, request.chats)
            except GatewayError as raised:
                error = raised
        if failure.error is not None:
            error = UnknownOutcomeError("the bridge failed while making a request")
        result = AgentAnswered(
            agent_id=agent_id,
            request=request,
            guid=guid,
            new_guid=new_guid,
            error=error,
        )
        self._put(result, reply)

    def _requests(self, agent_id: str, request: AgentRequest) -> Sequence[wire.GatewayRequest]:
        if request.kind is RequestKind.SKILLS:
            return (wire.reset_skills(agent_id, self._settings.reader.skills),)
        if request.kind is RequestKind.STATE:
            return wire.change_state(agent_id, request.state or "", request.former)
        return ()

    def _sign_out(self, agent_id: str, guid: Guid, reply: ResultCallback | None) -> None:
        error: Exception | None = None
        with Unexpected(logger, "A sign-out failed unexpectedly: %s") as failure:
            try:
                with self._locks[agent_id]:
                    self._client.call(agent_id, wire.sign_out(agent_id), guid=guid, timeout=SECONDS)
            except GatewayError as raised:
                error = raised
        error = error or failure.error
        if reply is not None:
            reply(True if error is None else None, error)

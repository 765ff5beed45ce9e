"""``/bridge/calls``: list and show calls; send an agent's own reply; hand a call back.

Calls of agents whose events the bridge reads are also answered, rejected, released, transferred.
"""

from __future__ import annotations

import asyncio

from sanic import HTTPResponse, Request

from bridge.config.settings import Right
from bridge.model import Delivery, Mode, Suggestion
from bridge.queries import CallView
from bridge.runtime import Runtime
from bridge.state.calls import RequestOutcome
from bridge.state.commands import (
    AnswerCall,
    CallCommand,
    ForwardMessage,
    HandBackCall,
    HideAssist,
    NoteTyping,
    RejectCall,
    ReleaseCall,
    SendReply,
    TransferCall,
)
from bridge.state.records import Stored
from bridge.web import auth, responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import AGENT_ID, LIMIT, Parameter, Route
from bridge.web.requests import (
    ForwardedBody,
    HiddenBody,
    NoFields,
    ReplyRequest,
    TransferBody,
)

_RASA_TIMEOUT = 2.0  # seconds to wait until Rasa knows of a handback
_CHECK_EVERY = 0.02  # seconds
_OFFERED = 50  # suggestions shown with a call, at most
_ENDED = Parameter(
    "ended",
    "true includes ended calls",
    "true|false",
    "true or false",
    {"type": "boolean", "default": False},
)
# The time and the ID of a call.
_CURSOR = Parameter(
    "cursor",
    "the `next` of the previous page",
    r"^(?:[0-9]{1,17}(?:\.[0-9]{1,20})?(?:e-[0-9]{1,3})?(?:~[A-Za-z0-9_-]{1,64})?)?$",
    "the `next` of the page before",
)


async def listing(request: Request) -> HTTPResponse:
    """List calls, newest first: ``?agent_id=&ended=true&cursor=&limit=``."""
    agent_id = parameters.whose(request)
    ended, cursor = parameters.flag(request, "ended"), parameters.text(request, "cursor")
    limit = parameters.limit(request)
    page = await parameters.read(
        lambda bridge: bridge.calls.listing(
            agent_id=agent_id, ended=ended, cursor=cursor, limit=limit
        )
    )
    return responses.json(serializers.calls(page))


async def show(request: Request, call_id: str) -> HTTPResponse:
    """Return one call with its offered suggestions and the assist mode in force."""
    decoded_id, principal = parameters.name(call_id), parameters.who(request)

    def query(bridge: Runtime) -> tuple[CallView, tuple[Suggestion, ...], Mode]:
        view = bridge.calls.call(decoded_id)
        own = auth.may_read(principal, view.record.assignment.agent_id)
        auth.require_own(own, "no such call was assigned")
        offered = bridge.suggestions.listing(
            call_id=decoded_id, state="offered", agent_id=None, cursor=None, limit=_OFFERED
        )
        return view, offered.items, bridge.suggestions.mode()

    return responses.json(serializers.call_detail(*await parameters.read(query)))


async def reply(request: Request, call_id: str) -> HTTPResponse:
    """Send an agent's own text; a repeated ``client_id`` denotes the same message."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    body = parameters.model(request, ReplyRequest)
    stored: Stored[list[Delivery]] = await parameters.put(
        SendReply(call_id=decoded_id, text=body.text, client_id=body.client_id, agent_id=agent_id)
    )
    sent = serializers.sent_reply(decoded_id, body.client_id, stored.value)
    return responses.stored(sent, created=stored.created)


async def hand_back(request: Request, call_id: str) -> HTTPResponse:
    """Hand the call back to the bot; respond with the call and whether Rasa knows (``rasa_told``).

    Once Rasa knows, the bot answers the next message.
    """
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    record = await parameters.put(HandBackCall(call_id=decoded_id, agent_id=agent_id))
    rasa_knows = await _rasa_knows(decoded_id)
    return responses.json(serializers.handed_back(record, rasa_knows=rasa_knows))


async def forward(request: Request, call_id: str) -> HTTPResponse:
    """Store what was written on the call elsewhere; a repeated ``message_id`` is the same one."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    body = parameters.model(request, ForwardedBody)
    stored = await parameters.put(
        ForwardMessage(
            call_id=decoded_id,
            author=body.from_,
            text=body.text,
            message_id=body.message_id,
            agent_id=agent_id,
        )
    )
    return responses.stored(serializers.message(stored.value), created=stored.created)


async def typing(request: Request, call_id: str) -> HTTPResponse:
    """Record that somebody types: automatic replies rest for ten seconds."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    await parameters.put(NoteTyping(call_id=decoded_id, agent_id=agent_id))
    return responses.nothing()


async def hide_assist(request: Request, call_id: str) -> HTTPResponse:
    """Hide suggestions on the call, or show them; respond with the call."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    hidden = parameters.model(request, HiddenBody).hidden
    record = await parameters.put(HideAssist(call_id=decoded_id, hidden=hidden, agent_id=agent_id))
    return responses.json(serializers.call(record))


async def answer(request: Request, call_id: str) -> HTTPResponse:
    """Answer a ringing call; respond with the call when the gateway has answered it."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    return await _at_the_gateway(AnswerCall(call_id=decoded_id, agent_id=agent_id))


async def reject(request: Request, call_id: str) -> HTTPResponse:
    """Reject a ringing call; respond with the call."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    return await _at_the_gateway(RejectCall(call_id=decoded_id, agent_id=agent_id))


async def release(request: Request, call_id: str) -> HTTPResponse:
    """Hang up; respond with the call."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    return await _at_the_gateway(ReleaseCall(call_id=decoded_id, agent_id=agent_id))


async def transfer(request: Request, call_id: str) -> HTTPResponse:
    """Transfer the call to an agent or a skill; it ends for its agent when that is confirmed."""
    decoded_id, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    body = parameters.model(request, TransferBody)
    command = TransferCall(
        call_id=decoded_id,
        agent_id=agent_id,
        to_agent=body.agent_id,
        to_skill=None if body.skill is None else str(body.skill),
    )
    return await _at_the_gateway(command)


async def _at_the_gateway(command: CallCommand) -> HTTPResponse:
    """Put a command; 202 says that the gateway is still being asked."""
    outcome: RequestOutcome = await parameters.put(command)
    call = outcome.call
    record = await parameters.read(
        lambda bridge: bridge.calls.at_agent(call.call_id, call.agent_id)
    )
    # A transfer may have given the call to another agent by now.
    seen = serializers.call_of(record, call.agent_id, call.ended_at or record.given_at)
    return responses.json(seen, status=202 if outcome.pending else 200)


async def _rasa_knows(call_id: str) -> bool:
    """Wait until Rasa knows of the handback, at most ``_RASA_TIMEOUT``, as Rasa may be down."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _RASA_TIMEOUT
    while not (known := await parameters.read(lambda bridge: bridge.calls.rasa_knows(call_id))):
        if loop.time() > until:
            break
        await asyncio.sleep(_CHECK_EVERY)
    return known


ROUTES = (
    Route("GET", "/calls", listing, right=Right.MESSAGES, query=(AGENT_ID, _ENDED, _CURSOR, LIMIT)),
    Route("GET", "/calls/<call_id:str>", show, right=Right.MESSAGES),
    Route("POST", "/calls/<call_id:str>/replies", reply),
    Route("POST", "/calls/<call_id:str>/handback", hand_back),
    Route("POST", "/calls/<call_id:str>/answer", answer),
    Route("POST", "/calls/<call_id:str>/reject", reject),
    Route("POST", "/calls/<call_id:str>/release", release),
    Route("POST", "/calls/<call_id:str>/transfer", transfer),
    Route("POST", "/calls/<call_id:str>/messages", forward, right=Right.MESSAGES),
    Route("POST", "/calls/<call_id:str>/typing", typing, right=Right.MESSAGES),
    Route("PUT", "/calls/<call_id:str>/assist", hide_assist),
)

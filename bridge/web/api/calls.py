"""``/bridge/calls``: calls with history, card and owner; the agent's own words, the handback."""

from __future__ import annotations

import asyncio

from sanic import Blueprint, HTTPResponse, Request

from bridge.errors import RefusedError
from bridge.model import Mode, Suggestion
from bridge.queries import CallView
from bridge.runtime import Runtime
from bridge.state.commands import HandBackCall, SendReply
from bridge.web import auth, responses, schemas
from bridge.web.api import parameters

_LONGEST_CLIENT_ID = 128
_PATIENCE = 2.0  # seconds for Rasa to be told of a handback
_LOOK_AGAIN = 0.02
_OFFERED = 50  # suggestions at a time


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(listing, "/calls", methods=["GET"], name="calls")
    api.add_route(show, "/calls/<call_id:str>", methods=["GET"], name="call")
    api.add_route(reply, "/calls/<call_id:str>/replies", methods=["POST"])
    api.add_route(hand_back, "/calls/<call_id:str>/handback", methods=["POST"])


async def listing(request: Request) -> HTTPResponse:
    """Calls, the newest first: ``?agent_id=&ended=true&cursor=&limit=``."""
    agent_id = parameters.whose(request)
    ended, cursor = parameters.flag(request, "ended"), parameters.text(request, "cursor")
    limit = parameters.limit(request)
    found = await parameters.read(
        lambda bridge: bridge.calls.listing(
            agent_id=agent_id, ended=ended, cursor=cursor, limit=limit
        )
    )
    return responses.json(schemas.page(found, schemas.call))


async def show(request: Request, call_id: str) -> HTTPResponse:
    """One call, with what is offered to its agent and how far assist goes."""
    wanted, principal = parameters.name(call_id), parameters.who(request)

    def look(bridge: Runtime) -> tuple[CallView, tuple[Suggestion, ...], Mode]:
        view = bridge.calls.call(wanted)
        auth.demand(auth.may_read(principal, view.record.assignment.agent_id))
        offered = bridge.suggestions.listing(
            call_id=wanted, state="offered", agent_id=None, cursor=None, limit=_OFFERED
        )
        return view, offered.items, bridge.suggestions.mode()

    return responses.json(schemas.whole_call(*await parameters.read(look)))


async def reply(request: Request, call_id: str) -> HTTPResponse:
    """An agent writes freely; the same ``client_id`` again is the same message."""
    called, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    given = parameters.words(request, "text", "client_id")
    text, client_id = _needed(given, "text"), _needed(given, "client_id")
    if not (1 <= len(client_id) <= _LONGEST_CLIENT_ID and client_id.isprintable()):
        message = f"client_id has 1 to {_LONGEST_CLIENT_ID} printable characters"
        raise RefusedError(422, "invalid_field", message)
    sent = await parameters.put(
        SendReply(call_id=called, text=text, client_id=client_id, agent_id=agent_id)
    )
    return responses.json(
        {
            "call_id": called,
            "client_id": client_id,
            "deliveries": [schemas.delivery(item) for item in sent],
        }
    )


async def hand_back(request: Request, call_id: str) -> HTTPResponse:
    """The bot has the conversation again; answers how the call stands, and whether Rasa knows.

    Once Rasa knows, the very next message is answered.
    """
    called, agent_id = parameters.name(call_id), parameters.who(request).agent_id
    parameters.words(request)
    record = await parameters.put(HandBackCall(call_id=called, agent_id=agent_id))
    return responses.json({**schemas.call(record), "rasa_told": await _rasa_knows(called)})


async def _rasa_knows(call_id: str) -> bool:
    """Wait until Rasa was told of the handback; not long, it may be away."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE
    while not (told := await parameters.read(lambda bridge: bridge.calls.rasa_knows(call_id))):
        if loop.time() > until:
            break
        await asyncio.sleep(_LOOK_AGAIN)
    return told


def _needed(given: dict[str, str], key: str) -> str:
    if key not in given:
        raise RefusedError(422, "invalid_field", f"{key} is missing")
    return given[key]

"""``/bridge/sessions/{agent_id}``: an agent's desktop hands its GUID over."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge.desk import Desk, Session
from bridge.web import answers, auth, shapes
from bridge.web.api import asking


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(push, "/sessions/<agent_id:str>", methods=["PUT"])
    api.add_route(show, "/sessions/<agent_id:str>", methods=["GET"])
    api.add_route(sign_out, "/sessions/<agent_id:str>", methods=["DELETE"])


async def push(request: Request, agent_id: str) -> HTTPResponse:
    """Take an agent's current GUID; answers how the agent stands, without it."""
    agent, fields = asking.name(agent_id), asking.fields(request)
    auth.demand(auth.may(asking.who(request), agent))

    def store(desk: Desk) -> Session:
        desk.calls.push_session(agent, fields)
        return desk.calls.session(agent)

    return answers.json(shapes.session(await asking.desk(store)))


async def show(request: Request, agent_id: str) -> HTTPResponse:
    """How an agent stands with the gateway."""
    agent = asking.name(agent_id)
    auth.demand(auth.may_read(asking.who(request), agent))
    return answers.json(shapes.session(await asking.desk(lambda desk: desk.calls.session(agent))))


async def sign_out(request: Request, agent_id: str) -> HTTPResponse:
    """Sign the agent out where the bridge signed it in; forget the GUID."""
    agent = asking.name(agent_id)
    auth.demand(auth.may(asking.who(request), agent))
    await asking.desk(lambda desk: desk.calls.sign_out(agent))
    return answers.nothing()

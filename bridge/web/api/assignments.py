"""``/bridge/assignments/{sender_id}``: the platform says who has which customer."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge.errors import RefusedError
from bridge.web import answers, shapes
from bridge.web.api import asking


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(give, "/assignments/<sender_id:str>", methods=["PUT"])
    api.add_route(take, "/assignments/<sender_id:str>", methods=["DELETE"])


async def give(request: Request, sender_id: str) -> HTTPResponse:
    """Give a conversation its assignment; answers what stands now."""
    asking.demand_system(request)
    conversation, fields = asking.name(sender_id), asking.fields(request)
    standing, warning = await asking.desk(lambda desk: desk.calls.assign(conversation, fields))
    found = shapes.call(standing)
    return answers.json({**found, "warning": warning} if warning else found)


async def take(request: Request, sender_id: str) -> HTTPResponse:
    """The call ended."""
    asking.demand_system(request)
    conversation = asking.name(sender_id)
    if not await asking.desk(lambda desk: desk.calls.end(conversation)):
        message = "the conversation has no assignment that is open"
        raise RefusedError(404, "not_found", message)
    return answers.nothing()

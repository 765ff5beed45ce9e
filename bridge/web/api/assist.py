"""``/bridge/assist``: show the assist mode in force; set a ceiling for all conversations."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from bridge.model import Mode
from bridge.planners.offering import SWITCH
from bridge.runtime import Runtime
from bridge.state.commands import SetSwitch
from bridge.web import responses
from bridge.web.api import parameters
from bridge.web.api.routes import Route
from bridge.web.auth import Access, PrincipalKind
from bridge.web.requests import ModeRequest
from bridge.web.schemas import AssistBody


async def show(_request: Request) -> HTTPResponse:
    """Return the mode in force, the configured mode and the ceiling."""
    return responses.json(await parameters.read(in_force))


async def put(request: Request) -> HTTPResponse:
    """Set a ceiling over the configured mode, or remove it with null; respond like ``show``.

    A supervisor may only lower the mode in force.
    """
    mode = parameters.model(request, ModeRequest).mode
    await parameters.put(
        SetSwitch(
            name=SWITCH,
            value=mode.value if mode else None,
            withdraws_auto=mode in (Mode.OFF, Mode.SUGGEST),
            only_lowers=parameters.who(request).kind is PrincipalKind.SUPERVISOR,
        )
    )
    return responses.json(await parameters.read(in_force))


def in_force(bridge: Runtime) -> AssistBody:
    """Return the mode in force, the configured mode and the ceiling."""
    shown = bridge.suggestions
    return AssistBody(mode=shown.mode(), configured=shown.configured, ceiling=shown.ceiling())


ROUTES = (
    Route("GET", "/assist", show),
    Route("PUT", "/assist", put, Access.STAFF),
)

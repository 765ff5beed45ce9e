"""``/bridge/tokens``: a single-sign-on back end makes and revokes people's tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from bridge.access_tokens import LONGEST, Role
from bridge.errors import RefusedError
from bridge.web import responses, schemas
from bridge.web.api import parameters

_SUBJECTS = {"agent_id": Role.AGENT, "supervisor": Role.SUPERVISOR}


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(make, "/tokens", methods=["POST"], name="tokens")
    api.add_route(revoke_all, "/tokens", methods=["DELETE"])
    api.add_route(revoke, "/tokens/<token_id:str>", methods=["DELETE"])


async def make(request: Request) -> HTTPResponse:
    """A token for an agent or a supervisor: ``{"agent_id" or "supervisor", "seconds"?}``."""
    parameters.demand_system(request)
    given = parameters.only(request, *_SUBJECTS, "seconds")
    role, subject = _subject(given, 422)
    seconds = given.get("seconds")
    if seconds is None:
        seconds = LONGEST
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise RefusedError(422, "invalid_seconds", "seconds is a whole number")
    token, found = await parameters.read(
        lambda bridge: bridge.tokens.make(role, subject, seconds=seconds)
    )
    return responses.json(schemas.issued(token, found))


async def revoke(request: Request, token_id: str) -> HTTPResponse:
    """One token is no longer good."""
    parameters.demand_system(request)
    wanted = parameters.name(token_id)
    await parameters.read(lambda bridge: bridge.tokens.revoke(wanted))
    return responses.nothing()


async def revoke_all(request: Request) -> HTTPResponse:
    """No token of ``?agent_id=`` or ``?supervisor=`` made so far is good any longer."""
    parameters.demand_system(request)
    role, subject = _subject({key: parameters.text(request, key) for key in _SUBJECTS}, 400)
    await parameters.read(lambda bridge: bridge.tokens.revoke_all(role, subject))
    return responses.nothing()


def _subject(given: Mapping[str, Any], status: int) -> tuple[Role, str]:
    named = [key for key in _SUBJECTS if given.get(key) is not None]
    if len(named) != 1:
        raise RefusedError(status, "invalid_subject", "say one of agent_id and supervisor")
    subject = given[named[0]]
    if isinstance(subject, bool) or not isinstance(subject, str | int):  # as in an assignment
        raise RefusedError(status, "invalid_subject", f"{named[0]} is a text")
    return _SUBJECTS[named[0]], str(subject)

"""The declaration of a route: who may use it, and the query parameters that it knows.

``admission`` checks every request against the declaration of its route before the body is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from bridge import access_tokens, assignment_tokens, untrusted
from bridge.config.settings import Right
from bridge.errors import RefusedError
from bridge.gateway import wire
from bridge.web.auth import Access
from bridge.web.body import OTHER_BYTES
from bridge.web.requests import AGENT_ID as AGENT_ID_FORMAT

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]  # None: it was sent already
_SHOWN = 64  # characters of an unknown parameter's name
_NAMED = 8  # unknown parameters that an error names


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter. An empty text means that it is absent, where the pattern admits one.

    Attributes:
        pattern: what its value matches.
        allowed: the same for people: "the query parameter limit is ..."
        schema: the schema of its value in OpenAPI; None: text of this pattern.
    """

    name: str
    description: str
    pattern: str = untrusted.WITHOUT_NUL
    allowed: str = "a text without NUL characters"
    schema: Mapping[str, Any] | None = field(default=None, hash=False)

    def admits(self, value: str) -> bool:
        """Return whether a request may have this value."""
        return re.fullmatch(self.pattern, value) is not None


def states(kind: type[Enum]) -> Parameter:
    """Return the parameter that limits a list to some states."""
    names = [item.value for item in kind]
    one = f"(?:{'|'.join(names)})?"
    allowed = f"one or more of {', '.join(names)}, separated by commas"
    return Parameter("state", f"only in these states: {allowed}", f"^{one}(?:,{one})*$", allowed)


AGENT_ID = Parameter("agent_id", "only this agent's; an agent's token may name its own agent only")
CALL_ID = Parameter("call_id", "only of this call")
CURSOR = Parameter(
    "cursor", "the `next` of the previous page", "^[0-9]{0,17}$", "the `next` of the page before"
)
LIMIT = Parameter(
    "limit",
    "maximum number of items; 200 are returned at most",
    "[1-9][0-9]{0,8}",
    "a number from 1 on",
    {"type": "integer", "minimum": 1, "maximum": 999_999_999},
)
PAGE = (CURSOR, LIMIT)

# The parameters in paths, as schemas.
IN_PATHS: Mapping[str, Mapping[str, Any]] = {
    "agent_id": {"type": "string", "format": AGENT_ID_FORMAT},
    "call_id": {"type": "string", "pattern": wire.CALL_ID},
    "delivery_id": {"type": "string", "pattern": "^[0-9]{1,17}$"},
    "sender_id": {
        "type": "string",
        "pattern": untrusted.WITHOUT_NUL,
        "minLength": 1,
        "maxLength": assignment_tokens.LONGEST_ID,
    },
    "suggestion_id": {"type": "string", "pattern": untrusted.WITHOUT_NUL, "minLength": 1},
    "token_id": {"type": "string", "pattern": access_tokens.ID_PATTERN},
}


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API.

    Attributes:
        path: the path after ``/bridge``, as a template.
        access: who may use it.
        right: the right that a system's named token needs; None: no such token may use it.
        query: the query parameters that the handler knows; any other is refused.
        most_bytes: the largest body that is read.
    """

    method: str
    path: str
    handler: Handler
    access: Access = Access.ANY
    right: Right | None = None
    query: tuple[Parameter, ...] = ()
    most_bytes: int = OTHER_BYTES

    @property
    def name(self) -> str:
        """Return a name that is unique among the routes."""
        return f"{self.method} {self.path}".translate(_AS_NAME).lower()

    def add_to(self, api: Blueprint) -> None:
        """Add the route to ``api``."""
        api.add_route(
            self.handler, self.path, methods=[self.method], name=self.name, ctx_declared=self
        )

    def check_query(self, request: Request) -> None:
        """Refuse query parameters that the route does not know, given twice, or invalid.

        Raises:
            RefusedError: 400, naming them.
        """
        given: dict[str, list[Any]] = request.get_args(keep_blank_values=True)
        known = {parameter.name: parameter for parameter in self.query}
        unknown = sorted(set(given) - set(known))
        if unknown:
            named = ", ".join(name[:_SHOWN] for name in unknown[:_NAMED])
            allowed = ", ".join(known) or "none"
            message = f"unknown query parameters: {named}; known here: {allowed}"
            raise RefusedError(400, "unknown_parameter", message)
        for name, values in given.items():
            if len(values) > 1:
                message = f"the query parameter {name} is given {len(values)} times"
                raise RefusedError(400, "bad_request", message)
            if not known[name].admits(values[0]):
                raise RefusedError(400, "bad_request", f"{name} is {known[name].allowed}")


_AS_NAME = str.maketrans(dict.fromkeys(" /<>:", "_"))


def declared(request: Request) -> Route | None:
    """Return the declaration of the request's route; None for routes of Rasa's SDK."""
    route = request.route
    found: Route | None = getattr(route.ctx, "declared", None) if route is not None else None
    return found

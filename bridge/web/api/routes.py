"""The declaration of a route: who may use it, and the query parameters that it knows.

``admission`` checks every request against the declaration of its route before the body is read.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from bridge.config.settings import Right
from bridge.errors import RefusedError
from bridge.web.auth import Access
from bridge.web.body import OTHER_BYTES

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]  # None: it was sent already
_SHOWN = 64  # characters of an unknown parameter's name
_NAMED = 8  # unknown parameters that an error names


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter.

    Attributes:
        kind: the type of its value, as in OpenAPI.
    """

    name: str
    description: str
    kind: str = "string"


AGENT_ID = Parameter("agent_id", "only this agent's; an agent's token may name its own agent only")
CALL_ID = Parameter("call_id", "only of this call")
STATE = Parameter("state", "only in these states, separated by commas")
CURSOR = Parameter("cursor", "the `next` of the previous page")
LIMIT = Parameter("limit", "maximum number of items", "integer")
PAGE = (CURSOR, LIMIT)


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
        """Refuse query parameters that the route does not know, or that are given twice.

        Raises:
            RefusedError: 400, naming them.
        """
        given: dict[str, list[Any]] = request.get_args(keep_blank_values=True)
        known = [parameter.name for parameter in self.query]
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


_AS_NAME = str.maketrans(dict.fromkeys(" /<>:", "_"))


def declared(request: Request) -> Route | None:
    """Return the declaration of the request's route; None for routes of Rasa's SDK."""
    route = request.route
    found: Route | None = getattr(route.ctx, "declared", None) if route is not None else None
    return found

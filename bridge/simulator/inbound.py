"""A received request, and the operation that its path names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.simulator import checks, contract
from bridge.simulator.checks import Json, Refused


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the contract; ``last`` is the name of the segment after the verb."""

    operation: str
    query: tuple[str, ...]
    last: str | None


@dataclass(slots=True)
class Inbound:
    """A request, parsed as far as possible; ``malformed`` is the first fault, if any."""

    method: str
    path: str  # below the base
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    route: Route | None = None
    agent: str = ""
    last: str = ""  # the path's last segment, if the route names it
    read: Json | None = None
    malformed: Refused | None = None
    _call: str | None = field(default=None)

    @property
    def operation(self) -> str:
        """Return the operation's name, or "" if the path is unknown."""
        return self.route.operation if self.route else ""

    @property
    def guid(self) -> str:
        """Return the ``Guid`` header."""
        return self.headers.get("guid", "")

    @property
    def call(self) -> str | None:
        """Return the call ID from the path, query or body."""
        return self._call

    def document(self) -> Json:
        """Return the body as an object; raise ``Refused`` if it is malformed."""
        if self.malformed:
            raise self.malformed
        return self.read if self.read is not None else checks.json_object(self.body)

    def parameter(self, name: str) -> str | None:
        """Return a query parameter's first value."""
        values = self.query.get(name)
        return values[0] if values else None


_Key = tuple[str, "str | None", int]


def _table() -> dict[_Key, dict[str, Route]]:
    routes: dict[_Key, dict[str, Route]] = {}
    for method, template, operation, query in contract.ROUTES:
        parts = template.split("/")
        verb = parts[2] if len(parts) > 2 else None  # noqa: PLR2004 - kind, agent, verb, last
        last = parts[-1].strip("{}") if "{" in parts[-1] and verb else None
        key = (parts[0], verb, len(parts))
        routes.setdefault(key, {})[method] = Route(operation, query, last)
    return routes


_ROUTES = _table()


def receive(
    method: str,
    path: str,
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
    body: bytes,
) -> Inbound:
    """Parse a request without refusing it, so that it is recorded even if malformed."""
    inbound = Inbound(method, path.removeprefix(contract.BASE), query, headers, body)
    if body:
        try:
            inbound.read = checks.json_object(body)
        except Refused as refused:
            inbound.malformed = refused
    _find_route(inbound, known=path.startswith(contract.BASE))
    call_id = inbound.read.get("callid") if inbound.read else None
    if inbound.route and inbound.route.last == "callid":
        call_id = inbound.last
    call_id = call_id or inbound.parameter("callid")
    inbound._call = call_id if isinstance(call_id, str) else None  # noqa: SLF001 - built here
    return inbound


def _find_route(inbound: Inbound, *, known: bool) -> None:
    if not known:
        reason = f"path: everything is below {contract.BASE}"
        inbound.malformed = Refused(contract.INVALID, reason, 404)
        return
    parts = inbound.path.split("/")
    verb = parts[2] if len(parts) > 2 else None  # noqa: PLR2004 - kind, agent, verb, last
    methods = _ROUTES.get((parts[0], verb, len(parts)))
    if methods is None:
        inbound.malformed = Refused(contract.INVALID, "path: no such interface", 404)
        return
    inbound.agent = parts[1]
    inbound.last = parts[-1]
    inbound.route = methods.get(inbound.method)
    if inbound.route is None:
        reason = f"method: this path takes {', '.join(methods)}"
        inbound.malformed = Refused(contract.INVALID, reason, 405)

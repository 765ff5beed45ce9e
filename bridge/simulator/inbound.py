"""One request as the simulator sees it, and which operation its path names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.simulator import checks, contract
from bridge.simulator.checks import Json, Refused


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the contract; ``last`` names the segment after the verb."""

    operation: str
    query: tuple[str, ...]
    last: str | None


@dataclass(slots=True)
class Inbound:
    """A request, read as far as it can be; what is wrong with it waits in ``malformed``."""

    method: str
    path: str  # below the base
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    route: Route | None = None
    agent: str = ""
    last: str = ""  # the path's last segment, where the route names one
    read: Json | None = None
    malformed: Refused | None = None
    _call: str | None = field(default=None)

    @property
    def operation(self) -> str:
        """The operation's name, empty where the path names none."""
        return self.route.operation if self.route else ""

    @property
    def guid(self) -> str:
        """The ``Guid`` header."""
        return self.headers.get("guid", "")

    @property
    def call(self) -> str | None:
        """The call ID, wherever the path, the query or the body has it."""
        return self._call

    def document(self) -> Json:
        """Return the body as an object, or raise what is wrong with it."""
        if self.malformed:
            raise self.malformed
        return self.read if self.read is not None else checks.json_object(self.body)

    def parameter(self, name: str) -> str | None:
        """A query parameter's first value."""
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
    """Read a request without judging it, so that it can be recorded whatever it is."""
    inbound = Inbound(method, path.removeprefix(contract.BASE), query, headers, body)
    if body:
        try:
            inbound.read = checks.json_object(body)
        except Refused as refused:
            inbound.malformed = refused
    _find_route(inbound, known=path.startswith(contract.BASE))
    given = inbound.read.get("callid") if inbound.read else None
    if inbound.route and inbound.route.last == "callid":
        given = inbound.last
    given = given or inbound.parameter("callid")
    inbound._call = given if isinstance(given, str) else None  # noqa: SLF001 - built here
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

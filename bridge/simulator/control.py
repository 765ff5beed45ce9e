"""The control API below ``/simulator``: what a test or a demo asks of the simulator.

Not part of any gateway. It converts and calls; errors are ``{"error": "..."}`` with status 400.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sanic import HTTPResponse, Request, Sanic

from bridge.simulator.faults import Fault, Kind
from bridge.simulator.site import Site
from bridge.simulator.state import Agent, Session

PREFIX = "/simulator"
_LOOK_EVERY = 0.01  # seconds; waking for each message of a burst would cost more

_RECORDED = ("path", "call", "agent", "verdict", "operation", "method", "fault")
_MESSAGES = ("call", "agent", "code")


class Events(BaseModel):
    """Events for an agent: one, or several that one push carries."""

    model_config = ConfigDict(extra="forbid")

    agent: str
    eventType: str | None = None  # noqa: N815 - as the wire spells it
    content: Any = None
    events: list[dict[str, Any]] = Field(default_factory=list)
    repeat: int = Field(default=1, ge=1)  # push mode: the same push so often


class Advance(BaseModel):
    """How far the clock goes on, at once or in steps that each wait for every reader's poll."""

    model_config = ConfigDict(extra="forbid")

    advance: float = Field(ge=0)  # seconds
    step: float | None = Field(default=None, gt=0)  # seconds; longer than a poll waits
    timeout: float = Field(default=10, ge=0)  # real seconds for one step's polls


class DeclaredCall(BaseModel):
    """A call that is at an agent."""

    model_config = ConfigDict(extra="forbid")

    call: str
    agent: str
    state: str = Field(
        default="talking",
        pattern="^(incoming|ringing|talking|customer_left|released|rejected|transferred)$",
    )


def reply(body: object, status: int = 200) -> HTTPResponse:
    """JSON for the caller."""
    text = json.dumps(body, ensure_ascii=False).encode()
    return HTTPResponse(text, status, content_type="application/json")


def mount(app: Sanic[Any, Any], site: Site) -> None:
    """Add the control API to the application."""
    api = Control(site)
    for method, path, handler in (
        ("GET", "/recorded", api.recorded),
        ("GET", "/messages", api.messages),
        ("GET", "/pushes", api.pushes),
        ("GET", "/state", api.state),
        ("GET", "/faults", api.faults),
        ("POST", "/faults", api.add_fault),
        ("DELETE", "/faults", api.clear_faults),
        ("DELETE", "/faults/<fault_id:int>", api.clear_faults),
        ("POST", "/events", api.events),
        ("POST", "/calls", api.declare_call),
        ("POST", "/agents/<agent_id>/expire", api.expire),
        ("POST", "/agents/<agent_id>/rotate", api.rotate),
        ("POST", "/clock", api.clock),
        ("POST", "/settings", api.change_settings),
        ("POST", "/reset", api.reset),
    ):
        app.add_route(handler, PREFIX + path, methods=[method], name=f"{method}{path}")
    every = ("GET", "POST", "PUT", "DELETE")
    app.add_route(_nothing_here, PREFIX + "/<rest:path>", methods=every, name="no such control")
    app.exception(ValidationError, ValueError)(_wrong)


async def _nothing_here(request: Request, rest: str) -> HTTPResponse:
    return reply({"error": f"no {request.method} {PREFIX}/{rest}"}, 404)


async def _wrong(_: Request, error: Exception) -> HTTPResponse:
    if isinstance(error, ValidationError):
        parts = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        return reply({"error": "; ".join(parts)}, 400)
    return reply({"error": str(error)}, 400)


def _filters(request: Request, known: tuple[str, ...]) -> tuple[dict[str, str], dict[str, float]]:
    """The request's filters, and how long to wait for how many."""
    given = {name: values[0] for name, values in request.args.items()}
    waits = {name: float(given.pop(name, 0)) for name in ("after", "at_least", "timeout")}
    unknown = set(given) - set(known)
    if unknown:
        msg = f"unknown filter {', '.join(sorted(unknown))}; known: {', '.join(known)}"
        raise ValueError(msg)
    return given, waits


async def _enough(
    find: Callable[[], list[dict[str, Any]]], waits: dict[str, float]
) -> list[dict[str, Any]]:
    """Look until there are enough or the time is up."""
    clock = asyncio.get_running_loop().time
    until = clock() + waits["timeout"]
    found = find()
    while len(found) < waits["at_least"] and clock() < until:
        await asyncio.sleep(_LOOK_EVERY)
        found = find()
    return found


class Control:
    """The handlers, over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def recorded(self, request: Request) -> HTTPResponse:
        """Every request in order of arrival; filters, and ``at_least`` with ``timeout``."""
        wanted, waits = _filters(request, _RECORDED)
        recorder = self._site.recorder
        found = await _enough(lambda: recorder.requests(wanted, int(waits["after"])), waits)
        return reply({"items": found, "counts": dict(recorder.counts)})

    async def messages(self, request: Request) -> HTTPResponse:
        """Every accepted message as its customer sees it; filters as for ``recorded``."""
        wanted, waits = _filters(request, _MESSAGES)
        recorder = self._site.recorder
        found = await _enough(lambda: recorder.received(wanted, int(waits["after"])), waits)
        return reply({"items": found, "count": recorder.counts["messages"]})

    async def pushes(self, request: Request) -> HTTPResponse:
        """Every attempt to push."""
        wanted, waits = _filters(request, ("agent",))
        pusher = self._site.pusher

        def find() -> list[dict[str, Any]]:
            return [
                push for push in pusher.pushes if push["agent"] in wanted.values() or not wanted
            ]

        return reply({"items": await _enough(find, waits)})

    async def state(self, request: Request) -> HTTPResponse:
        """Agents, calls, settings, violations, counts and the clock."""
        del request
        gateway = self._site.gateway
        gateway.sweep()
        return reply(
            {
                "clock": gateway.clock.now(),
                "agents": {agent.id: _agent(agent) for agent in gateway.agents.values()},
                "calls": {call.id: asdict(call) for call in gateway.calls.values()},
                "violations": gateway.violations,
                "counts": dict(self._site.recorder.counts),
                "settings": gateway.settings.model_dump(mode="json"),
            }
        )

    async def faults(self, request: Request) -> HTTPResponse:
        """The script, with how often each fault acted."""
        del request
        return reply({"items": self._site.faults.listed()})

    async def add_fault(self, request: Request) -> HTTPResponse:
        """Script a fault."""
        return reply(self._site.faults.add(document(request)).model_dump(mode="json"), 201)

    async def clear_faults(self, request: Request, fault_id: int | None = None) -> HTTPResponse:
        """Forget one fault or all; what hangs goes on hanging."""
        del request
        self._site.faults.clear(fault_id)
        return reply({})

    async def events(self, request: Request) -> HTTPResponse:
        """Queue events for an agent."""
        given = Events.model_validate(document(request))
        single = [{"eventType": given.eventType, "content": given.content}]
        gateway = self._site.gateway
        gateway.agent(given.agent).push_times = given.repeat
        for event in given.events or single:
            kind = event.get("eventType")
            if not isinstance(kind, str):
                msg = "eventType: a string is needed"
                raise ValueError(msg)  # noqa: TRY004 - told as 400
            gateway.emit(given.agent, kind, event.get("content"))
        return reply({}, 201)

    async def declare_call(self, request: Request) -> HTTPResponse:
        """Let a call be at an agent."""
        given = DeclaredCall.model_validate(document(request))
        self._site.gateway.declare(given.call, given.agent, given.state)
        return reply({}, 201)

    async def expire(self, request: Request, agent_id: str) -> HTTPResponse:
        """End an agent's session; ``{"announce": true}`` lets its reader hear of it."""
        gateway = self._site.gateway
        announce = bool(document(request).get("announce")) if request.body else False
        gateway.end(gateway.agent(agent_id), announce=announce)
        return reply({})

    async def rotate(self, request: Request, agent_id: str) -> HTTPResponse:
        """Let the next heartbeat's reply bring a new GUID."""
        del request
        self._site.strike(Fault(kind=Kind.ROTATE, agent=agent_id))
        return reply({})

    async def clock(self, request: Request) -> HTTPResponse:
        """Let time go by; ``polled`` tells whether every reader kept up with the steps."""
        given = Advance.model_validate(document(request))
        left, polled = given.advance, True
        while left > 0 and polled:
            step = min(given.step or left, left)
            left -= step
            before = self._readers()
            self._site.advance(step)
            if given.step:
                polled = await self._polled(before, given.timeout)
        return reply({"clock": self._site.gateway.clock.now(), "polled": polled, "left": left})

    def _readers(self) -> dict[Session, int]:
        sessions = (agent.session for agent in self._site.gateway.agents.values())
        return {session: session.polls for session in sessions if session and session.polls}

    async def _polled(self, before: dict[Session, int], seconds: float) -> bool:
        """Whether every session that is still there polls again in time."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while any(polls == before.get(each) for each, polls in self._readers().items()):
            if clock() >= until:
                return False
            await asyncio.sleep(_LOOK_EVERY)
        return True

    async def change_settings(self, request: Request) -> HTTPResponse:
        """Set the site up otherwise, until the next reset."""
        self._site.change(document(request))
        return reply(self._site.settings.model_dump(mode="json"))

    async def reset(self, request: Request) -> HTTPResponse:
        """Begin anew."""
        del request
        self._site.reset()
        return reply({})


def document(request: Request) -> dict[str, Any]:
    """The request's body: an object, empty where there is none."""
    read = json.loads(request.body or b"{}")
    if not isinstance(read, dict):
        msg = "a JSON object is needed"
        raise ValueError(msg)  # noqa: TRY004 - told as 400
    return read


def _agent(agent: Agent) -> dict[str, Any]:
    session = agent.session
    shown: dict[str, Any] = {
        "signed_in": session is not None,
        "sign_ins": agent.sign_ins,
        "forced": agent.forced,
        "unread": len(agent.mailbox),
    }
    if session is not None:
        shown["session"] = {
            "guid": session.guid,
            "former": session.former,
            "status": session.status,
            "text_chat": session.text_chat,
            "push": session.callback is not None,
            "polls": session.polls,
            "polling": session.polling,
            "seen_at": session.seen_at,
            "signed_in_at": session.signed_in_at,
            "issued_at": session.issued_at,
        }
    return shown

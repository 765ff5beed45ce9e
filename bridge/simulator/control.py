"""The control API below ``/simulator``, for tests and demos. No real gateway has it.

Handlers only convert requests to calls on the tenant. Errors are ``{"error": "..."}`` with status
400.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sanic import HTTPResponse, Request, Sanic

from bridge.simulator import customers
from bridge.simulator.faults import FaultKind, InjectedFault
from bridge.simulator.state import Session, SimulatedAgent, SimulatedCall
from bridge.simulator.tenant import Tenant

PREFIX = "/simulator"
_CHECK_EVERY = 0.01  # seconds; cheaper than a wake-up per message of a burst

_RECORDED = ("path", "call", "agent", "verdict", "operation", "method", "fault")
_MESSAGES = ("call", "agent", "code")
_SEEN = ("state", "agent")  # what a customer's client knows of its call


class InjectedEvents(BaseModel):
    """Events for an agent: one, or several to be pushed in one request."""

    model_config = ConfigDict(extra="forbid")

    agent: str
    eventType: str | None = None  # noqa: N815 - the name on the wire
    content: Any = None
    events: list[dict[str, Any]] = Field(default_factory=list)
    repeat: int = Field(default=1, ge=1)  # push mode: how often the push is made


class Advance(BaseModel):
    """How far to move the clock: at once, or in steps that each wait until every reader polls."""

    model_config = ConfigDict(extra="forbid")

    advance: float = Field(ge=0)  # seconds
    step: float | None = Field(default=None, gt=0)  # seconds; longer than a poll lasts
    timeout: float = Field(default=10, ge=0)  # real seconds to wait for the polls of one step


class DeclaredCall(BaseModel):
    """A call to be placed with an agent."""

    model_config = ConfigDict(extra="forbid")

    call: str
    agent: str
    state: str = Field(
        default="talking",
        pattern="^(incoming|ringing|talking|customer_left|released|rejected|transferred)$",
    )


class CustomersCall(BaseModel):
    """A customer's call that is to ring at an agent."""

    model_config = ConfigDict(extra="forbid")

    call: str
    agent: str
    caller: str = "88880022"
    called: str = "20012"
    media: str = Field(default="51", pattern="^(1|17|51|53)$")
    user_id: str = ""
    nickname: str = "Maria"
    channel: str = "WEB"
    channel_config_id: str = "202301032048582419"


class CustomersMessage(BaseModel):
    """What a customer writes: a text, or an object with a file or a location."""

    model_config = ConfigDict(extra="forbid")

    message: Any


def reply(body: object, status: int = 200) -> HTTPResponse:
    """Return a JSON response."""
    text = json.dumps(body, ensure_ascii=False).encode()
    return HTTPResponse(text, status, content_type="application/json")


def mount(app: Sanic[Any, Any], tenant: Tenant) -> None:
    """Add the control API to the application."""
    api = Control(tenant)
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
        ("POST", "/customers", api.ring),
        ("GET", "/customers/<call_id>", api.customer),
        ("POST", "/customers/<call_id>/messages", api.write),
        ("DELETE", "/customers/<call_id>", api.leave),
        ("POST", "/agents/<agent_id>/expire", api.expire),
        ("POST", "/agents/<agent_id>/rotate", api.rotate),
        ("POST", "/clock", api.clock),
        ("POST", "/settings", api.change_settings),
        ("POST", "/reset", api.reset),
    ):
        app.add_route(handler, PREFIX + path, methods=[method], name=f"{method}{path}")
    methods = ("GET", "POST", "PUT", "DELETE")
    app.add_route(_not_found, PREFIX + "/<rest:path>", methods=methods, name="no such control")
    app.exception(ValidationError, ValueError)(_bad_request)


async def _not_found(request: Request, rest: str) -> HTTPResponse:
    return reply({"error": f"no {request.method} {PREFIX}/{rest}"}, 404)


async def _bad_request(_: Request, error: Exception) -> HTTPResponse:
    if isinstance(error, ValidationError):
        parts = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        return reply({"error": "; ".join(parts)}, 400)
    return reply({"error": str(error)}, 400)


def _filters(request: Request, known: tuple[str, ...]) -> tuple[dict[str, str], dict[str, float]]:
    """Return the request's filters, and ``after``, ``at_least`` and ``timeout``."""
    filters = {name: values[0] for name, values in request.args.items()}
    waits = {name: float(filters.pop(name, 0)) for name in ("after", "at_least", "timeout")}
    unknown = set(filters) - set(known)
    if unknown:
        msg = f"unknown filter {', '.join(sorted(unknown))}; known: {', '.join(known)}"
        raise ValueError(msg)
    return filters, waits


async def _wait_for(
    find: Callable[[], list[dict[str, Any]]], waits: dict[str, float]
) -> list[dict[str, Any]]:
    """Call ``find`` until it returns ``at_least`` items or ``timeout`` seconds have passed."""
    clock = asyncio.get_running_loop().time
    until = clock() + waits["timeout"]
    items = find()
    while len(items) < waits["at_least"] and clock() < until:
        await asyncio.sleep(_CHECK_EVERY)
        items = find()
    return items


class Control:
    """The handlers of the control API for one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    async def recorded(self, request: Request) -> HTTPResponse:
        """List requests in order of arrival, filtered; wait for ``at_least`` up to ``timeout``."""
        wanted, waits = _filters(request, _RECORDED)
        recorder = self._tenant.recorder
        items = await _wait_for(lambda: recorder.requests(wanted, int(waits["after"])), waits)
        return reply({"items": items, "counts": dict(recorder.counts)})

    async def messages(self, request: Request) -> HTTPResponse:
        """List accepted messages as customers see them; parameters as for ``recorded``."""
        wanted, waits = _filters(request, _MESSAGES)
        recorder = self._tenant.recorder
        items = await _wait_for(lambda: recorder.received(wanted, int(waits["after"])), waits)
        return reply({"items": items, "count": recorder.counts["messages"]})

    async def pushes(self, request: Request) -> HTTPResponse:
        """List all push attempts."""
        wanted, waits = _filters(request, ("agent",))
        pusher = self._tenant.pusher

        def find() -> list[dict[str, Any]]:
            return [
                push for push in pusher.pushes if push["agent"] in wanted.values() or not wanted
            ]

        return reply({"items": await _wait_for(find, waits)})

    async def state(self, request: Request) -> HTTPResponse:
        """Return agents, calls, settings, violations, counts and the clock."""
        del request
        gateway = self._tenant.gateway
        gateway.sweep()
        return reply(
            {
                "clock": gateway.clock.now(),
                "agents": {agent.id: _agent(agent) for agent in gateway.agents.values()},
                "calls": {call.id: asdict(call) for call in gateway.calls.values()},
                "chats": gateway.chats,
                "workbench": gateway.asked_workbench,
                "violations": gateway.violations,
                "counts": dict(self._tenant.recorder.counts),
                "settings": gateway.settings.model_dump(mode="json"),
            }
        )

    async def faults(self, request: Request) -> HTTPResponse:
        """List the scripted faults, each with how often it was used."""
        del request
        return reply({"items": self._tenant.faults.listed()})

    async def add_fault(self, request: Request) -> HTTPResponse:
        """Add a fault to the script."""
        return reply(self._tenant.faults.add(document(request)).model_dump(mode="json"), 201)

    async def clear_faults(self, request: Request, fault_id: int | None = None) -> HTTPResponse:
        """Remove one fault or all; requests that hang continue to hang."""
        del request
        self._tenant.faults.clear(fault_id)
        return reply({})

    async def events(self, request: Request) -> HTTPResponse:
        """Queue events for an agent."""
        wanted = InjectedEvents.model_validate(document(request))
        single = [{"eventType": wanted.eventType, "content": wanted.content}]
        gateway = self._tenant.gateway
        gateway.agent(wanted.agent).push_times = wanted.repeat
        for event in wanted.events or single:
            kind = event.get("eventType")
            if not isinstance(kind, str):
                msg = "eventType: a string is needed"
                raise ValueError(msg)  # noqa: TRY004 - answered with 400
            gateway.emit(wanted.agent, kind, event.get("content"))
        return reply({}, 201)

    async def declare_call(self, request: Request) -> HTTPResponse:
        """Place a call with an agent."""
        call = DeclaredCall.model_validate(document(request))
        self._tenant.gateway.declare(call.call, call.agent, call.state)
        return reply({}, 201)

    async def ring(self, request: Request) -> HTTPResponse:
        """Let a customer's call ring at an agent."""
        wanted = CustomersCall.model_validate(document(request))
        fields = wanted.model_dump(exclude={"call", "agent"})
        call = SimulatedCall(wanted.call, wanted.agent, "ringing", **fields)
        customers.ring(self._tenant.gateway, call, wanted.agent)
        return reply({}, 201)

    async def customer(self, request: Request, call_id: str) -> HTTPResponse:
        """Return a call and its messages after ``after``; wait for news up to ``timeout`` seconds.

        News is a message, or another ``state`` or ``agent`` than the request names.
        """
        seen, waits = _filters(request, _SEEN)

        def find() -> list[dict[str, Any]]:
            call = asdict(self._call(call_id))
            after = int(waits["after"])
            messages = self._tenant.recorder.received({"call": call_id}, after)
            is_new = messages or any(call[name] != value for name, value in seen.items())
            return [{"call": call, "messages": messages}] if is_new else []

        found = await _wait_for(find, {**waits, "at_least": 1})
        unchanged = {"call": asdict(self._call(call_id)), "messages": []}
        return reply(found[0] if found else unchanged)

    async def write(self, request: Request, call_id: str) -> HTTPResponse:
        """Let a customer write."""
        wanted = CustomersMessage.model_validate(document(request))
        customers.write(self._tenant.gateway, self._call(call_id), wanted.message)
        return reply({}, 201)

    async def leave(self, request: Request, call_id: str) -> HTTPResponse:
        """Let a customer hang up."""
        del request
        customers.leave(self._tenant.gateway, self._call(call_id))
        return reply({})

    def _call(self, call_id: str) -> SimulatedCall:
        call = self._tenant.gateway.calls.get(call_id)
        if call is None:
            msg = f"there is no call {call_id}"
            raise ValueError(msg)
        return call

    async def expire(self, request: Request, agent_id: str) -> HTTPResponse:
        """End an agent's session; with ``{"announce": true}`` its reader gets an event."""
        gateway = self._tenant.gateway
        announce = bool(document(request).get("announce")) if request.body else False
        gateway.end(gateway.agent(agent_id), announce=announce)
        return reply({})

    async def rotate(self, request: Request, agent_id: str) -> HTTPResponse:
        """Make the next heartbeat's response carry a new GUID."""
        del request
        self._tenant.strike(InjectedFault(kind=FaultKind.ROTATE, agent=agent_id))
        return reply({})

    async def clock(self, request: Request) -> HTTPResponse:
        """Move the clock; ``polled`` says whether every reader polled after each step."""
        wanted = Advance.model_validate(document(request))
        left, polled = wanted.advance, True
        while left > 0 and polled:
            step = min(wanted.step or left, left)
            left -= step
            before = self._readers()
            self._tenant.advance(step)
            if wanted.step:
                polled = await self._polled(before, wanted.timeout)
        return reply({"clock": self._tenant.gateway.clock.now(), "polled": polled, "left": left})

    def _readers(self) -> dict[Session, int]:
        sessions = (agent.session for agent in self._tenant.gateway.agents.values())
        return {session: session.polls for session in sessions if session and session.polls}

    async def _polled(self, before: dict[Session, int], seconds: float) -> bool:
        """Return whether every remaining session polls again within ``seconds``."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while any(polls == before.get(session) for session, polls in self._readers().items()):
            if clock() >= until:
                return False
            await asyncio.sleep(_CHECK_EVERY)
        return True

    async def change_settings(self, request: Request) -> HTTPResponse:
        """Change the tenant's settings until the next reset."""
        self._tenant.change(document(request))
        return reply(self._tenant.settings.model_dump(mode="json"))

    async def reset(self, request: Request) -> HTTPResponse:
        """Reset the tenant to its initial state."""
        del request
        self._tenant.reset()
        return reply({})


def document(request: Request) -> dict[str, Any]:
    """Parse the request's body as a JSON object; no body counts as an empty object."""
    value = json.loads(request.body or b"{}")
    if not isinstance(value, dict):
        msg = "a JSON object is needed"
        raise ValueError(msg)  # noqa: TRY004 - answered with 400
    return value


def _agent(agent: SimulatedAgent) -> dict[str, Any]:
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

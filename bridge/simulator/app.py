"""The gateway's HTTP interface: one catch-all Sanic route that records every request.

A request is received, recorded, matched against the scripted faults, performed and answered. The
control API, in ``control``, is mounted on the same app.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import nullcontext
from typing import Any

from sanic import HTTPResponse, Request, Sanic

from bridge.simulator import control, fault_injection, operations, workbench
from bridge.simulator.answers import SimulatedAnswer, set_guid
from bridge.simulator.checks import Refused
from bridge.simulator.faults import FaultKind, InjectedFault
from bridge.simulator.inbound import Inbound, receive
from bridge.simulator.options import RotateOn
from bridge.simulator.recorder import Entry, Recorder
from bridge.simulator.tenant import Tenant

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_numbers = itertools.count(1)


def build(tenant: Tenant) -> Sanic[Any, Any]:
    """Build the Sanic app of a tenant, under a unique name."""
    app = Sanic(f"cc_gateway_simulator_{next(_numbers)}", configure_logging=False)
    app.config.ACCESS_LOG = False
    app.config.MOTD = False
    app.config.KEEP_ALIVE_TIMEOUT = 600
    app.config.REQUEST_TIMEOUT = 600
    app.config.RESPONSE_TIMEOUT = 24 * 3600  # only faults make requests hang
    control.mount(app, tenant)
    workbench.mount(app, tenant)
    edge = Edge(tenant)
    app.add_route(edge.serve, "/", methods=_METHODS, name="root")
    app.add_route(edge.serve, "/<rest:path>", methods=_METHODS, name="gateway")
    return app


class Edge:
    """Serves the gateway's requests."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    async def serve(self, request: Request, rest: str = "") -> HTTPResponse:
        """Serve one request and record it."""
        del rest  # receive() takes the whole path
        query = request.get_args(keep_blank_values=True) if request.query_string else {}
        inbound = receive(request.method, request.path, dict(query), request.headers, request.body)
        recorder = self._tenant.recorder
        now = self._tenant.gateway.clock.now()
        entry = recorder.arrived(inbound, now, request.port)
        try:
            return await self._exchange(request, inbound, recorder, entry)
        except asyncio.CancelledError:
            if entry.verdict == "pending":
                recorder.judged(entry, "refused", "the client went away first")
            raise
        finally:
            recorder.left(entry)

    async def _exchange(
        self, request: Request, inbound: Inbound, recorder: Recorder, entry: Entry
    ) -> HTTPResponse:
        fault = self._tenant.faults.take(inbound)
        if fault is None:
            answer = await self._exclusive(inbound, recorder, entry, None)
            response = fault_injection.respond(answer)
        else:
            entry.fault = fault.kind.value
            answer = await self._exclusive(inbound, recorder, entry, fault)
            response = await fault_injection.say(self._tenant, fault, answer, request)
        body = answer.body if fault is None else (response.body or b"").decode()
        recorder.answered(entry, response.status, body, dict(response.headers))
        return response

    async def _exclusive(
        self, inbound: Inbound, recorder: Recorder, entry: Entry, fault: InjectedFault | None
    ) -> SimulatedAnswer:
        signing = inbound.operation in operations.SIGNING
        gateway = self._tenant.gateway
        lock = gateway.alone(inbound.agent, inbound.operation) if signing else nullcontext()
        try:
            with lock:
                return await self._perform(inbound, recorder, entry, fault)
        except Refused as refused:
            recorder.judged(entry, "refused", refused.reason)
            body = {"message": refused.reason, "retcode": refused.retcode}
            return SimulatedAnswer(body, status=refused.status)

    async def _perform(
        self, inbound: Inbound, recorder: Recorder, entry: Entry, fault: InjectedFault | None
    ) -> SimulatedAnswer:
        tenant = self._tenant
        if fault is not None:
            await fault_injection.before(tenant, fault)
            if not fault.takes:
                recorder.judged(entry, "refused", f"fault: {fault.kind.value}")
                return (
                    fault_injection.instead(fault)
                    if fault.kind is not FaultKind.HANG
                    else SimulatedAnswer()
                )
        if tenant.settings.delay_ms and inbound.operation == "send_message":
            await asyncio.sleep(tenant.settings.delay_ms / 1000)
        answer = await operations.perform(tenant.gateway, inbound)
        recorder.judged(entry, "accepted")
        if answer.message is not None:
            recorder.delivered(entry, answer.message)
        self._renew(inbound, answer)
        return answer

    def _renew(self, inbound: Inbound, answer: SimulatedAnswer) -> None:
        """After an accepted request: start pushing after a sign-in, or add a new GUID if due."""
        gateway = self._tenant.gateway
        session = gateway.agent(inbound.agent).session
        if session is None:
            return
        if inbound.operation in operations.SIGNING:
            self._tenant.pusher.attend(session)
        elif gateway.settings.rotate_on is RotateOn.ANY and "Set-GUID" not in answer.headers:
            set_guid(answer, gateway.renew(session))

"""Carry out a fault on the connection; ``faults`` decides which request it applies to."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from sanic import HTTPResponse, Request

from bridge.simulator.answers import SimulatedAnswer
from bridge.simulator.faults import FaultKind, InjectedFault
from bridge.simulator.tenant import Tenant

CONTENT_TYPE = "application/json; charset=UTF-8"
_GARBAGE = "<html><body>It works!</body></html>"


def respond(answer: SimulatedAnswer) -> HTTPResponse:
    """Return the response without a fault."""
    body = json.dumps(answer.body, ensure_ascii=False).encode()
    return HTTPResponse(body, answer.status, answer.headers, CONTENT_TYPE)


async def before(tenant: Tenant, fault: InjectedFault) -> None:
    """Apply the effects that precede the request: a delay, expired sessions or GUIDs."""
    if fault.kind is FaultKind.DELAY:
        await asyncio.sleep(fault.ms / 1000)
    tenant.strike(fault)


def instead(fault: InjectedFault) -> SimulatedAnswer:
    """Return the answer to a request that the fault kept from being performed."""
    if fault.kind is FaultKind.RETCODE:
        return SimulatedAnswer({"message": fault.message, "retcode": fault.retcode})
    return SimulatedAnswer({"message": fault.message, "retcode": ""}, status=fault.status)


async def say(
    tenant: Tenant, fault: InjectedFault, answer: SimulatedAnswer, request: Request
) -> HTTPResponse:
    """Respond with ``answer`` as the fault distorts it, or drop the connection."""
    if fault.kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER):
        await _drop(request)
    if fault.kind is FaultKind.HANG:
        await _hang(tenant, fault, request)
    if fault.kind in (FaultKind.DRIBBLE, FaultKind.CUT):
        await _slowly(fault, respond(answer), request)
    if fault.kind in (FaultKind.STATUS, FaultKind.RETCODE):
        answer = instead(fault)
    response = respond(answer)
    response.headers.update(fault.headers)
    if fault.kind is FaultKind.EMPTY:
        response.body = b""
    elif fault.kind is FaultKind.GARBAGE or fault.body is not None:
        response.body = (_GARBAGE if fault.body is None else fault.body).encode()
    return response


async def _never() -> NoReturn:
    """Wait for the cancellation by Sanic that follows the end of the connection."""
    while True:
        await asyncio.Event().wait()


async def _drop(request: Request) -> NoReturn:
    _protocol(request).abort()
    await _never()


async def _hang(tenant: Tenant, fault: InjectedFault, request: Request) -> None:
    try:
        await asyncio.wait_for(tenant.released.wait(), fault.seconds)
    except asyncio.TimeoutError:  # not the built-in TimeoutError before Python 3.11
        if fault.takes:
            return
    await _drop(request)


async def _slowly(fault: InjectedFault, response: HTTPResponse, request: Request) -> NoReturn:
    """Write to the transport directly, because Sanic would send the head in one piece."""
    transport = _protocol(request).transport
    data = _raw(response)
    if fault.kind is FaultKind.CUT:
        transport.write(data[: len(data) - len(response.body or b"") // 2 - 1])
    else:
        for at in range(len(data)):
            transport.write(data[at : at + 1])
            await asyncio.sleep(fault.ms / 1000)
    _protocol(request).close()
    await _never()


def _raw(response: HTTPResponse) -> bytes:
    body = response.body or b""
    head = [
        f"HTTP/1.1 {response.status} OK",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    return "\r\n".join((*head, "", "")).encode() + body


def _protocol(request: Request) -> Any:
    return request.protocol

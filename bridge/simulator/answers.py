"""The response of an operation, and the GUID check that nearly every operation starts with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bridge.simulator import contract
from bridge.simulator.checks import Message, Refused
from bridge.simulator.inbound import Inbound
from bridge.simulator.options import Cookie
from bridge.simulator.state import Gateway, Session


@dataclass(slots=True)
class SimulatedAnswer:
    """A response of the gateway."""

    body: dict[str, Any] = field(
        default_factory=lambda: {"message": "", "retcode": contract.SUCCESS}
    )
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    message: Message | None = None  # the message that the customer receives, if any


def signed_in(gateway: Gateway, inbound: Inbound) -> Session:
    """Return the session of the request's GUID and cookie; raise ``Refused`` if there is none."""
    session = gateway.admit(inbound.agent, inbound.guid)
    if gateway.settings.cookie is Cookie.REQUIRED:
        jar = inbound.headers.get("cookie", "")
        if lb_cookie(inbound.agent) not in jar.replace(" ", "").split(";"):
            raise Refused(contract.NOT_SIGNED_IN, "Cookie: the load balancer's cookie is missing")
    return session


def lb_cookie(agent_id: str) -> str:
    """Return the load balancer's cookie that routes requests to the agent's node."""
    return f"LBNODE=node-of-{agent_id}"


def set_guid(answer: SimulatedAnswer, guid: str | None) -> None:
    """Add a new GUID, if there is one, to the response."""
    if guid:
        answer.headers["Set-GUID"] = contract.GUID_COOKIE + guid

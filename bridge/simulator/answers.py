"""What an operation gives back, and what nearly every one asks first: a good GUID.

No path is served here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bridge.simulator import contract
from bridge.simulator.checks import Message, Refused
from bridge.simulator.inbound import Inbound
from bridge.simulator.options import Cookie
from bridge.simulator.state import Gateway, Session


@dataclass(slots=True)
class Answer:
    """What the gateway says."""

    body: dict[str, Any] = field(
        default_factory=lambda: {"message": "", "retcode": contract.SUCCESS}
    )
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    message: Message | None = None  # what a customer gets of it


def signed_in(gateway: Gateway, inbound: Inbound) -> Session:
    """The session that the request's GUID stands for; raises ``Refused``."""
    session = gateway.admit(inbound.agent, inbound.guid)
    if gateway.settings.cookie is Cookie.REQUIRED:
        jar = inbound.headers.get("cookie", "")
        if lb_cookie(inbound.agent) not in jar.replace(" ", "").split(";"):
            raise Refused(contract.NOT_SIGNED_IN, "Cookie: the load balancer's cookie is missing")
    return session


def lb_cookie(agent_id: str) -> str:
    """The load balancer's cookie that leads to the agent's node."""
    return f"LBNODE=node-of-{agent_id}"


def set_guid(answer: Answer, guid: str | None) -> None:
    """Put a new GUID on a reply, if there is one."""
    if guid:
        answer.headers["Set-GUID"] = contract.GUID_COOKIE + guid

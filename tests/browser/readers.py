"""An office in which the bridge reads the events of agents 305 and 306."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.office import Customer, Office, opened_office
from tests.web.serving import assignment

AGENT, COLLEAGUE = "305", "306"
_READER = {"session": "sign_in", "password": "x", "phone": "40038", "reader": True}


@contextmanager
def opened_readers(folder: Path, **reader: Any) -> Iterator[Office]:
    """Start the office; ``reader`` is the section of that name."""
    agents = {AGENT: _READER, COLLEAGUE: _READER, "*": {"session": "pushed"}}
    with opened_office(folder, more={"agents": agents, "reader": reader}) as office:
        for agent in (AGENT, COLLEAGUE):
            _sign_in(office, agent)
        yield office


def ring(office: Office, user_id: str, agent: str = AGENT) -> Customer:
    """Let a customer's chat ring at an agent."""
    call_id = f"1552524689-{uuid.uuid4().hex[:12]}"
    office.gateway.ring(call_id, agent, caller=user_id)
    return Customer(office, f"cc-{call_id}", call_id, user_id)


def _sign_in(office: Office, agent: str) -> None:
    """Let a reader be signed in: a message is sent in its name."""
    server, call_id = office.server, f"first-{agent}"
    given = assignment(agent_id=agent, call_id=call_id, owner="agent")
    assert server.put(f"/bridge/assignments/first-{agent}", json=given).ok
    body = {"text": "Hello", "client_id": "c-1"}
    assert server.post(f"/bridge/calls/{call_id}/replies", json=body).ok
    office.gateway.wait_for(requests=1, operation="poll", agent=agent)
    assert server.delete(f"/bridge/assignments/first-{agent}").ok

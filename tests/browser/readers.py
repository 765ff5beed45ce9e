"""An office in which the bridge reads the events of agents 305 and 306."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.office import RESPONSES, Customer, Office, opened_office

AGENT, COLLEAGUE = "305", "306"
_READER = {"session": "sign_in", "password": "x", "phone": "40038", "reader": True}


@contextmanager
def opened_readers(folder: Path, **reader: Any) -> Iterator[Office]:
    """Start the office; ``reader`` is the section of that name."""
    agents = {AGENT: _READER, COLLEAGUE: _READER, "*": {"session": "pushed"}}
    with opened_office(folder, more={"agents": agents, "reader": reader}) as office:
        office.rasa.domain = {"responses": RESPONSES}  # read once a minute at most
        for agent in (AGENT, COLLEAGUE):
            office.gateway.wait_for(requests=1, operation="poll", agent=agent)
        yield office


def ring(office: Office, user_id: str, agent: str = AGENT) -> Customer:
    """Let a customer's chat ring at an agent."""
    call_id = f"1552524689-{uuid.uuid4().hex[:12]}"
    office.gateway.ring(call_id, agent, caller=user_id)
    return Customer(office, f"cc-{call_id}", call_id, user_id)

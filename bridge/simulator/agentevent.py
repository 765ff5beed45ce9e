"""The path ``agentevent/``: long polls for an agent's events (section 3)."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.simulator import contract
from bridge.simulator.answers import SimulatedAnswer, set_guid, signed_in
from bridge.simulator.checks import Refused
from bridge.simulator.inbound import Inbound
from bridge.simulator.state import Gateway, Session


async def poll(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``GET agentevent/{agent}``: wait for one event, consume and return it."""
    agent = gateway.agent(inbound.agent)
    farewell = agent.parting.pop(inbound.guid, None)
    if farewell:
        return _answer(farewell)
    session = signed_in(gateway, inbound)
    session.polls += 1
    if session.polling:
        gateway.violation(inbound.agent, "a poll while another waits: one reader per agent")
    session.polling += 1
    try:
        await _wait_for_event(gateway, session)
    finally:
        session.polling -= 1
        session.seen_at = gateway.clock.now()
    if agent.session is not session:
        farewell = agent.parting.pop(session.guid, None)
        if farewell:
            return _answer(farewell)
        raise Refused(contract.NOT_SIGNED_IN, "the session ended during the poll")
    answer = _answer(agent.mailbox.popleft() if agent.mailbox else None)
    set_guid(answer, None if session.callback else gateway.renew(session))
    return answer


async def _wait_for_event(gateway: Gateway, session: Session) -> None:
    agent = gateway.agent(session.agent_id)
    deadline = gateway.clock.now() + gateway.settings.poll_seconds
    while agent.session is session and not agent.mailbox:
        left = deadline - gateway.clock.now()
        if left <= 0:
            return
        agent.wake_up.clear()
        try:
            await asyncio.wait_for(agent.wake_up.wait(), left)
        except asyncio.TimeoutError:  # not the built-in TimeoutError before Python 3.11
            return


def _answer(event: dict[str, Any] | None) -> SimulatedAnswer:
    return SimulatedAnswer({"message": "", "retcode": contract.SUCCESS, "event": event})

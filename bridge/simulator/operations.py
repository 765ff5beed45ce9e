"""Map each operation to its function, and check what all operations require.

This table and ``contract.ROUTES`` are the only two lists of operations.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.simulator import agentevent, checks, contract, customers, mediacall, onlineagent
from bridge.simulator.answers import SimulatedAnswer
from bridge.simulator.inbound import Inbound
from bridge.simulator.state import Gateway


def check(gateway: Gateway, inbound: Inbound) -> None:
    """Check what every path requires: agent ID, query parameters and content type."""
    if inbound.malformed:
        raise inbound.malformed
    checks.agent_id(inbound.agent, gateway.settings.max_agent_id)
    if inbound.route:
        checks.query(inbound.query, inbound.route.query)
    if inbound.body:
        charset = inbound.operation == "send_message"
        checks.content_type(inbound.headers.get("content-type"), charset=charset)


Operation = Callable[[Gateway, Inbound], SimulatedAnswer]

OPERATIONS: dict[str, Operation] = {
    "send_message": mediacall.send_message,
    "sign_in": onlineagent.sign_in,
    "force_sign_in": onlineagent.force_sign_in,
    "sign_out": onlineagent.sign_out,
    "force_sign_out": onlineagent.force_sign_out,
    "handshake": onlineagent.handshake,
    "update_guid": onlineagent.update_guid,
    "reset_skill": onlineagent.reset_skill,
    "synchronise": onlineagent.synchronise,
    "say_free": onlineagent.become(contract.STATUS_IDLE, "AgentState_Ready"),
    "say_busy": onlineagent.become(contract.STATUS_BUSY, "AgentState_SetNotReady_Success"),
    "cancel_busy": onlineagent.become(contract.STATUS_IDLE, "AgentState_CancelNotReady_Success"),
    "work": onlineagent.become(contract.STATUS_WRAP_UP, "AgentState_SetWork_Success"),
    "cancel_work": onlineagent.become(contract.STATUS_IDLE, "AgentState_CancelWork_Success"),
    "answer_call": mediacall.answer_call,
    "drop_call": mediacall.drop_call,
    "release": mediacall.release,
    "reject": mediacall.reject,
    "transfer": mediacall.transfer,
    "set_call_nums": mediacall.set_call_nums,
    "look_up": customers.look_up,
}
SIGNING = frozenset({"sign_in", "force_sign_in", "sign_out", "force_sign_out"})


async def perform(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """Check a request and perform its operation."""
    check(gateway, inbound)
    if inbound.operation == "poll":
        return await agentevent.poll(gateway, inbound)
    return OPERATIONS[inbound.operation](gateway, inbound)

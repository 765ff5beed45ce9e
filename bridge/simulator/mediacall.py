"""The paths below ``mediacall/`` and ``voicecall/``: messages and calls (sections 1 and 4)."""

from __future__ import annotations

from bridge.simulator import checks, contract
from bridge.simulator.answers import SimulatedAnswer, signed_in
from bridge.simulator.checks import Refused
from bridge.simulator.inbound import Inbound
from bridge.simulator.options import AcceptedCallIds
from bridge.simulator.state import ENDED, Gateway, SimulatedCall


def send_message(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST mediacall/{agent}/sendmessage``."""
    if not inbound.body:
        checks.content_type(inbound.headers.get("content-type"), charset=True)
    session = signed_in(gateway, inbound)
    if not session.text_chat:
        raise Refused(contract.MULTIMEDIA_OFF, "signed in with checkInWebm false: no text chat")
    message = checks.message(inbound.document(), gateway.settings)
    call = _call(gateway, inbound.agent, message.call_id)
    if call and gateway.settings.strict and call.state != "talking":
        raise Refused(contract.NO_SUCH_CALL, f"callid: the call is {call.state}")
    return SimulatedAnswer(message=message)


def _call(gateway: Gateway, agent_id: str, call_id: str) -> SimulatedCall | None:
    """Return the call if it is known; refuse one of another agent or one that has ended."""
    call = gateway.calls.get(call_id)
    if call is None:
        if gateway.settings.calls is AcceptedCallIds.DECLARED:
            raise Refused(contract.NO_SUCH_CALL, f"callid: no call {call_id!r} is known")
        return None
    if call.agent != agent_id:
        raise Refused(contract.NO_SUCH_CALL, f"callid: the call is with agent {call.agent}")
    if call.state in ENDED:
        raise Refused(contract.NO_SUCH_CALL, f"callid: the call was {call.state}")
    return call


def answer_call(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``PUT voicecall/{agent}/answer?callid=``."""
    signed_in(gateway, inbound)
    call_id = checks.call_id(inbound.parameter("callid") or "", gateway.settings, "query.callid")
    _call(gateway, inbound.agent, call_id)
    content = {"callid": call_id, "feature": "7", "type": "main", "mediaAbility": "5"}
    gateway.emit(inbound.agent, "AgentEvent_Talking", content)
    return SimulatedAnswer()


def drop_call(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST voicecall/{agent}/dropcall/{callid}``."""
    signed_in(gateway, inbound)
    call_id = checks.call_id(inbound.last, gateway.settings, "path.callid")
    _call(gateway, inbound.agent, call_id)
    gateway.emit(inbound.agent, "AgentEvent_Call_Release", call_id)
    return SimulatedAnswer()


def release(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``DELETE voicecall/{agent}/release``: release the agent's newest call."""
    signed_in(gateway, inbound)
    calls = gateway.held(inbound.agent)
    if calls:
        gateway.emit(inbound.agent, "AgentEvent_Call_Release", calls[-1].id)
    elif gateway.settings.calls is AcceptedCallIds.DECLARED:
        raise Refused(contract.NO_SUCH_CALL, "release: the agent has no call")
    return SimulatedAnswer()


def reject(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST voicecall/{agent}/reject``."""
    signed_in(gateway, inbound)
    body = inbound.document()
    checks.table("body", contract.REJECT, body, strict=gateway.settings.strict)
    _call(gateway, inbound.agent, body["callid"])
    gateway.declare(body["callid"], inbound.agent, "rejected")
    return SimulatedAnswer()


def transfer(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST mediacall/{agent}/transfer``; rings at a signed-in agent (devicetype 2)."""
    signed_in(gateway, inbound)
    body = inbound.document()
    checks.table("body", contract.TRANSFER, body, strict=gateway.settings.strict)
    call_id, address = body["callid"], body["address"]
    _call(gateway, inbound.agent, call_id)
    gateway.emit(inbound.agent, "AgentEvent_Call_Release", call_id)
    gateway.declare(call_id, inbound.agent, "transferred")
    if str(body["devicetype"]) == "2" and gateway.live(address):
        content = {
            "caller": body.get("caller", ""),
            "callid": call_id,
            "called": address,
            "type": "main",
            "mediaType": "5",
            "mediaAbility": "5",
            "feature": "0",
        }
        gateway.emit(address, "AgentEvent_Ringing", content)
    return SimulatedAnswer()


def set_call_nums(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST mediacall/{agent}/setcallnums``: set the number of simultaneous chats."""
    signed_in(gateway, inbound)
    numbers = [inbound.last] if inbound.route and inbound.route.last else []
    numbers += [value for values in inbound.query.values() for value in values]
    numbers += [str(value) for value in (inbound.document().values() if inbound.body else ())]
    if (
        len(numbers) != 1
        or not numbers[0].isdecimal()
        or not 1 <= int(numbers[0]) <= contract.CALLNUMS_MAX
    ):
        raise Refused(contract.INVALID, f"setcallnums: one number, 1 to {contract.CALLNUMS_MAX}")
    return SimulatedAnswer()

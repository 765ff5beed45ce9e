"""The paths below ``mediacall/`` and ``voicecall/``: messages and calls (sections 1 and 4)."""

from __future__ import annotations

from bridge.simulator import checks, contract, customers
from bridge.simulator.answers import SimulatedAnswer, signed_in
from bridge.simulator.checks import Refused
from bridge.simulator.inbound import Inbound
from bridge.simulator.options import AcceptedCallIds, TransferResult
from bridge.simulator.state import ENDED, Gateway, SimulatedCall

_AGENT = "2"  # devicetype
_IF_SUCCESSFUL = "2"  # mode


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
    known = gateway.calls.get(call_id) or SimulatedCall(call_id, inbound.agent, "ringing")
    if known.state == "talking":
        raise Refused(contract.NO_SUCH_CALL, "callid: the call was answered already")
    customers.talk(gateway, known)
    return SimulatedAnswer()


def drop_call(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST voicecall/{agent}/dropcall/{callid}``."""
    signed_in(gateway, inbound)
    call_id = checks.call_id(inbound.last, gateway.settings, "path.callid")
    call = _call(gateway, inbound.agent, call_id) or SimulatedCall(
        call_id, inbound.agent, "talking"
    )
    customers.release(gateway, call)
    return SimulatedAnswer()


def release(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``DELETE voicecall/{agent}/release``: release the agent's newest call."""
    signed_in(gateway, inbound)
    calls = gateway.held(inbound.agent)
    if calls:
        customers.release(gateway, calls[-1])
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
    """``POST mediacall/{agent}/transfer``; rings at a signed-in agent (devicetype 2).

    The events that tell of its outcome may come before the answer.
    """
    signed_in(gateway, inbound)
    body = inbound.document()
    checks.table("body", contract.TRANSFER, body, strict=gateway.settings.strict)
    call_id, address = body["callid"], body["address"]
    call = _call(gateway, inbound.agent, call_id) or SimulatedCall(
        call_id, inbound.agent, "talking"
    )
    transfers = gateway.settings.transfers
    to_agent = str(body["devicetype"]) == _AGENT
    fails = transfers is TransferResult.FAILS or (to_agent and not gateway.live(address))
    if transfers is TransferResult.PENDING:
        return SimulatedAnswer()
    if fails and str(body["mode"]) == _IF_SUCCESSFUL:
        gateway.emit(inbound.agent, "AgentChat_TransferFailed", {"callId": call_id})
        return SimulatedAnswer()
    customers.release(gateway, call, "transferred")
    if to_agent and gateway.live(address):
        customers.ring(gateway, call, address)
    return SimulatedAnswer()


def set_call_nums(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST mediacall/{agent}/setcallnums``: set the number of calls of a medium at a time."""
    signed_in(gateway, inbound)
    body = inbound.document()
    checks.table("body", contract.CALL_NUMS, body, strict=gateway.settings.strict)
    number = int(body["callnums"])
    if number > contract.CALLNUMS_MAX:
        raise Refused(contract.INVALID, f"body.callnums: 1 to {contract.CALLNUMS_MAX}")
    gateway.chats.setdefault(inbound.agent, {})[body["mediaType"]] = number
    return SimulatedAnswer()

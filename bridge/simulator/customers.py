"""Customers of the simulated tenant: they call, write, and hang up; and look-ups of who they are.

Events come in the family that the tenant's settings name.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.simulator import checks, contract
from bridge.simulator.answers import SimulatedAnswer, signed_in
from bridge.simulator.checks import Refused
from bridge.simulator.inbound import Inbound
from bridge.simulator.options import EventFamily
from bridge.simulator.state import ENDED, Gateway, SimulatedCall

_ABILITY = "5"  # mediaAbility of text chat


def ring(gateway: Gateway, call: SimulatedCall, agent_id: str) -> None:
    """Let a call ring at an agent."""
    call = gateway.place(replace(call, agent=agent_id, state="ringing"))
    if gateway.settings.event_family is EventFamily.CHAT:
        content = {"callId": call.id, "caller": call.caller, "called": call.called}
        gateway.emit(agent_id, "AgentChat_Ring", content)
        return
    incoming = {
        "callId": call.id,
        "skillName": "chat",
        "skillId": 1,
        "caller": call.caller,
        "called": call.called,
        "mediaType": int(call.media),
    }
    gateway.emit(agent_id, "AgentEvent_Incoming_CallInfo", incoming)
    content = {
        "caller": call.caller,
        "callid": call.id,
        "called": call.called,
        "type": "main",
        "mediaType": call.media,
        "mediaAbility": _ABILITY,
        "feature": "0",
    }
    gateway.emit(agent_id, "AgentEvent_Ringing", content)


def talk(gateway: Gateway, call: SimulatedCall) -> None:
    """Let an agent and a customer be connected."""
    if gateway.settings.event_family is EventFamily.CHAT:
        content = {"callId": call.id, "caller": call.caller, "isInnerCall": False}
        gateway.emit(call.agent, "AgentChat_Connected", content)
        return
    event = {
        "caller": call.caller,
        "callid": call.id,
        "called": call.called,
        "feature": "7",
        "type": "main",
        "mediaAbility": _ABILITY,
    }
    gateway.emit(call.agent, "AgentEvent_Talking", event)


def write(gateway: Gateway, call: SimulatedCall, message: object) -> None:
    """Let a customer write: a text, or a JSON object with a file or a location."""
    if gateway.settings.event_family is EventFamily.CHAT:
        content = {"sender": call.caller, "callId": call.id, "chatContent": message}
        gateway.emit(call.agent, "AgentChat_DataRecved", content)
        return
    event = {
        "callid": call.id,
        "caller": call.caller,
        "called": call.called,
        "feature": 0,
        "type": "main",
        "message": message,
        "mediaAbility": _ABILITY,
    }
    gateway.emit(call.agent, "AgentEvent_MessageData", event)


def leave(gateway: Gateway, call: SimulatedCall) -> None:
    """Let a customer hang up."""
    if gateway.settings.event_family is EventFamily.EVENT:
        content = {"callid": call.id, "number": call.caller}
        gateway.emit(call.agent, "AgentEvent_Customer_Release", content)
    release(gateway, call)


def release(gateway: Gateway, call: SimulatedCall, state: str = "released") -> None:
    """End a call for its agent."""
    if gateway.settings.event_family is EventFamily.CHAT:
        gateway.emit(call.agent, "AgentChat_Disconnected", {"callId": call.id})
    else:
        gateway.emit(call.agent, "AgentEvent_Call_Release", call.id)
    gateway.place(replace(call, state=state))


def look_up(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``GET calldata/{agent}/callinfobycallid/{callid}``: a number for a caller that is one."""
    signed_in(gateway, inbound)
    call_id = checks.call_id(inbound.last, gateway.settings, "path.callid")
    call = gateway.calls.get(call_id)
    if call is None or call.agent != inbound.agent or call.state in ENDED:
        raise Refused(contract.NO_SUCH_CALL, f"callid: no call {call_id!r} of this agent")
    caller: str | int = int(call.caller) if call.caller.isdecimal() else call.caller
    result = {
        "callfeature": 0,
        "callid": call.id,
        "caller": caller,
        "called": call.called,
        "callskill": "chat",
        "callskillid": 1,
        "calldata": "",
        "begintime": int(gateway.clock.now() * 1000),
        "mediaType": int(call.media),
    }
    return SimulatedAnswer({"message": "", "retcode": contract.SUCCESS, "result": result})

"""The paths below ``onlineagent/``: sign-in, sign-out, GUIDs and agent states (section 2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from bridge.simulator import checks, contract
from bridge.simulator.answers import SimulatedAnswer, lb_cookie, set_guid, signed_in
from bridge.simulator.checks import Refused
from bridge.simulator.inbound import Inbound
from bridge.simulator.options import AuthMode, Cookie
from bridge.simulator.state import Callback, Gateway, Session


def sign_in(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``PUT onlineagent/{agent}``."""
    return _sign_in(gateway, inbound, force=False)


def force_sign_in(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``PUT onlineagent/{agent}/forcelogin``: ends the agent's other session."""
    if not gateway.settings.force_login:
        raise Refused(contract.FORCE_NOT_ALLOWED, "forcelogin: not allowed for this tenant")
    return _sign_in(gateway, inbound, force=True)


def _sign_in(gateway: Gateway, inbound: Inbound, *, force: bool) -> SimulatedAnswer:
    body = inbound.document()
    settings = gateway.settings
    checks.table("body", contract.SIGN_IN, body, strict=settings.strict)
    known = settings.agents
    if known and known.get(inbound.agent) != body["password"]:
        raise Refused(contract.BAD_CREDENTIALS, "password: wrong account or password")
    callback = _callback(body)
    if gateway.live(inbound.agent) and not force:
        raise Refused(contract.ALREADY_SIGNED_IN, "already signed in")
    session = Session(
        agent_id=inbound.agent,
        signed_in_at=0.0,
        text_chat=checks.is_true(body.get("checkInWebm", True)),
        status=str(body.get("status", contract.STATUS_IDLE)),
        callback=callback,
    )
    gateway.begin(gateway.agent(inbound.agent), session)
    return _welcome(gateway, session)


def _welcome(gateway: Gateway, session: Session) -> SimulatedAnswer:
    result = {
        "vdnid": 1,
        "workno": session.agent_id,
        "mediatype": "TTF" if session.text_chat else "TFF",
        "loginTime": session.login_time,
        "isForceChange": "false",
    }
    answer = SimulatedAnswer({"message": "", "retcode": contract.SUCCESS, "result": result})
    answer.headers["Set-GUID"] = contract.GUID_COOKIE + session.guid
    if gateway.settings.cookie is not Cookie.OFF:
        answer.headers["Set-Cookie"] = f"{lb_cookie(session.agent_id)}; Path=/"
    return answer


def _callback(body: checks.Json) -> Callback | None:
    """Return the push callback if both fields are given; only http on loopback is allowed."""
    uri, token = body.get("callBackUri"), body.get("serviceToken")
    if not uri or not token:
        return None
    parts = urlsplit(uri)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local or parts.scheme != "http":
        raise Refused(contract.INVALID, "callBackUri: the simulator pushes to http loopback only")
    return Callback(uri, token)


def sign_out(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``DELETE onlineagent/{agent}/logout``."""
    signed_in(gateway, inbound)
    gateway.end(gateway.agent(inbound.agent), announce=False)
    return SimulatedAnswer()


def force_sign_out(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``DELETE onlineagent/{agent}/forcelogout``: also releases the agent's calls."""
    signed_in(gateway, inbound)
    for call in gateway.held(inbound.agent):
        gateway.emit(inbound.agent, "AgentEvent_Call_Release", call.id)
    gateway.end(gateway.agent(inbound.agent), announce=False)
    return SimulatedAnswer()


def handshake(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST onlineagent/{agent}/handshake``: the heartbeat of push mode, which renews GUIDs."""
    session = signed_in(gateway, inbound)
    session.seen_at = gateway.clock.now()
    answer = SimulatedAnswer()
    if session.callback:
        set_guid(answer, gateway.renew(session))
    return answer


def update_guid(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``PUT onlineagent/{agent}/updateGuid``; with static GUIDs, nothing changes."""
    session = signed_in(gateway, inbound)
    static = gateway.settings.auth_mode is AuthMode.STATIC
    guid = session.guid if static else gateway.rotate(session)
    return SimulatedAnswer({"message": "", "retcode": contract.SUCCESS, "result": {"guid": guid}})


def reset_skill(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST onlineagent/{agent}/resetskill/{flag}?skillid=1;2&phonelinkage=0``."""
    signed_in(gateway, inbound)
    if contract.boolean(inbound.last):
        raise Refused(contract.INVALID, f"path: the flag is true or false, found {inbound.last!r}")
    skills = inbound.parameter("skillid")
    if skills is not None and not all(part.isdecimal() for part in skills.split(";")):
        raise Refused(contract.INVALID, "query.skillid: numbers with ; between them")
    return SimulatedAnswer()


def become(status: str, event: str) -> Callable[[Gateway, Inbound], SimulatedAnswer]:
    """Return an operation that changes the agent's state, which its reader learns of."""

    def operation(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
        signed_in(gateway, inbound).status = status
        gateway.emit(inbound.agent, event, None)
        return SimulatedAnswer()

    return operation


def synchronise(gateway: Gateway, inbound: Inbound) -> SimulatedAnswer:
    """``POST onlineagent/{agent}/syncagentinfo``: the agent's state and calls; clears its events.

    The shape of the result is not published; this one is the simulator's own.
    """
    session = signed_in(gateway, inbound)
    gateway.agent(inbound.agent).mailbox.clear()
    calls = [{"callid": call.id, "state": call.state} for call in gateway.held(inbound.agent)]
    result = {"agentStatus": session.status, "calls": calls}
    return SimulatedAnswer({"message": "", "retcode": contract.SUCCESS, "result": result})

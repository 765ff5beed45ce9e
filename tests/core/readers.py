"""A core whose agents' events are read: 305 helped by the bot, 306 a bot; 292 has a desktop."""

from __future__ import annotations

from itertools import count
from typing import Any

from bridge.errors import GatewayError
from bridge.gateway import events
from bridge.model import CallInfo, Guid, ReceivedEvent
from bridge.planners import Rules
from bridge.state.calls import CallRecord, CallRequest, CallRequestKind
from bridge.state.commands import PollResult, PushGuid, RequestResult
from bridge.state.records import MessageRecord
from bridge.store import lists
from tests.core.rig import GUID, Rig, rules

SIGN_IN = {"session": "sign_in", "password": "secret", "phone": "40038", "reader": True}
READER, BOT, DESKTOP = "305", "306", "292"
CALL = "1456404043-37"
CUSTOMER = "88880022"
_numbers = count(1)


def chosen(**changes: Any) -> Rules:
    """The rules of an installation with readers."""
    agents = {READER: SIGN_IN, BOT: {**SIGN_IN, "owner": "bot"}, "*": {}}
    return rules(**{"agents": agents, "rasa": {"url": "http://127.0.0.1:9"}, **changes})


def sign_in(rig: Rig, *agents: str) -> None:
    """Give agents a session."""
    for agent in agents or (READER, BOT):
        rig.do(PushGuid(agent_id=agent, guid=GUID))


def hear(
    rig: Rig, kind: str, content: Any = None, *, agent: str = READER, key: str | None = None
) -> None:
    """Let an event be read."""
    named = events.call_of(content)
    command = PollResult(
        key=key or f"poll-{next(_numbers)}",
        agent_id=agent,
        guid=GUID,
        event=ReceivedEvent(kind, content),
        call_ids=() if named is None else (named,),
    )
    rig.core.put(command)
    rig.step()
    rig.step()  # claims what the event asks for


def ring(rig: Rig, call: str = CALL, *, caller: str = CUSTOMER, **more: Any) -> None:
    """A chat rings."""
    agent = more.pop("agent", READER)
    content = {"callid": call, "caller": caller, "called": "49999", "mediaAbility": "5", **more}
    hear(rig, "AgentEvent_Ringing", content, agent=agent)


def talk(rig: Rig, call: str = CALL, *, agent: str = READER, caller: str = CUSTOMER) -> None:
    """The gateway says that it was answered."""
    hear(rig, "AgentEvent_Talking", {"callid": call, "caller": caller, "feature": "7"}, agent=agent)


def write(rig: Rig, text: Any, call: str = CALL, *, agent: str = READER) -> None:
    """The customer writes."""
    content = {"callid": call, "caller": CUSTOMER, "message": text, "feature": 0}
    hear(rig, "AgentEvent_MessageData", content, agent=agent)


def hang_up(rig: Rig, call: str = CALL, *, agent: str = READER) -> None:
    """The call is over."""
    hear(rig, "AgentEvent_Call_Release", call, agent=agent)


def finish(
    rig: Rig,
    kind: CallRequestKind,
    error: GatewayError | None = None,
    *,
    found: CallInfo | None = None,
    **more: Any,
) -> CallRequest:
    """The gateway answers the oldest request of a kind."""
    place = next(i for i, (item, _, _) in enumerate(rig.senders.requested) if item.kind is kind)
    request, guid, _ = rig.senders.requested.pop(place)
    rig.core.put(
        RequestResult(call_request=request, guid=Guid(guid), found=found, error=error, **more)
    )
    rig.step()
    rig.step()
    return request


def asked(rig: Rig) -> list[str]:
    """What the gateway is being asked, in order."""
    return [request.kind.value for request, _, _ in rig.senders.requested]


def answered(rig: Rig, call: str = CALL, *, agent: str = READER, user: str = CUSTOMER) -> None:
    """A chat rings, is answered, and is looked up."""
    ring(rig, call, caller=user, agent=agent)
    finish(rig, CallRequestKind.ANSWER)
    finish(rig, CallRequestKind.LOOK_UP, found=CallInfo(user_id=user))


def the_call(rig: Rig, call: str = CALL, *, agent: str = READER) -> CallRecord:
    """A call as it is stored."""
    found = rig.store.read(lambda tx: lists.reader_calls(tx, [call]))
    return found[call, agent]


def messages(rig: Rig, call: str = CALL) -> list[MessageRecord]:
    """What was written in a call, in order."""
    return rig.store.read(lambda tx: lists.messages(tx, call, limit=100))

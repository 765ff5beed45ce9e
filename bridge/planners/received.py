"""Store the gateway's events of an agent, and act on them in the same plan.

Every way in ends here: a polled event and a pushed batch have the same consequences. Reading an
event consumes it, so nothing that follows from it may be left to an effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.gateway import events
from bridge.gateway.events import AgentState, Parsed, SessionEnded
from bridge.model import AgentId, ReceivedEvent
from bridge.planners.calls import handle_event
from bridge.planners.changes import Changes
from bridge.state.plan import Count
from bridge.state.records import EventRecord


def receive(changes: Changes, agent_id: str, received: Sequence[ReceivedEvent], key: str) -> bool:
    """Store events and act on them, in order; return whether one ends the agent's session.

    Args:
        changes: what the command changes.
        agent_id: the agent.
        received: the events.
        key: identifies the batch; the IDs of customers' messages are derived from it.
    """
    ended = False
    reads = changes.rules.agent(agent_id).reader
    for number, each in enumerate(in_order(received)):
        parsed = events.read(*each)
        changes.event(
            EventRecord(
                AgentId(agent_id),
                each.event_type,
                each.content,
                changes.now,
                generated_at=parsed.at,
            )
        )
        changes.effect(Count("event_read", (parsed.name,)))
        if parsed.event is None:
            _explain(changes, each, parsed)
        elif isinstance(parsed.event, SessionEnded):
            ended = True
        elif isinstance(parsed.event, AgentState):
            _changed_state(changes, agent_id, parsed.event)
        elif reads:
            handle_event(changes, agent_id, parsed.event, at=parsed.at, key=f"{key} {number}")
    return ended


def in_order(received: Sequence[ReceivedEvent]) -> list[ReceivedEvent]:
    """Return a batch with the events of each call in the order in which they were made.

    The times decide where all events of a call have one. The places that a call has in the batch
    stay its own, because its order among other calls does not matter.
    """
    if len(received) < 2:  # noqa: PLR2004 - nothing to order
        return list(received)
    places: dict[str, list[int]] = {}
    times: dict[int, float | None] = {}
    for place, each in enumerate(received):
        if (call_id := events.call_of(each.content)) is not None:
            places.setdefault(call_id, []).append(place)
            times[place] = events.milliseconds(each.generated_at)
    ordered = list(received)
    for of_call in places.values():
        dated = [(at, place) for place in of_call if (at := times[place]) is not None]
        if len(dated) == len(of_call):
            for place, (_, source) in zip(of_call, sorted(dated), strict=True):
                ordered[place] = received[source]
    return ordered


def _explain(changes: Changes, received: ReceivedEvent, parsed: Parsed) -> None:
    """Log, once for each type, an event that has no consequences; never its content."""
    if parsed.fault is None:
        message = "An event of an unknown type was stored and ignored type=%s"
        changes.warn(message, received.event_type, once=f"event {received.event_type}")
    else:
        message = "An event was stored and ignored: %s type=%s"
        once = f"event {parsed.name} {parsed.fault}"
        changes.warn(message, parsed.fault, parsed.name, once=once)


def _changed_state(changes: Changes, agent_id: str, event: AgentState) -> None:
    session = changes.known_session(agent_id)
    if session is not None:
        changes.session(replace(session, agent_state=event.state))

"""Plan the life of a reader's call, as the gateway's events describe it.

A call rings, is answered, and is looked up: ``identify`` assigns it to a conversation. What the
customer writes before that is held and follows in order. When the call ends, everything of it is
settled. Events that come twice or in another order change nothing that they do not have to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, TypeAlias

from bridge.gateway.events import (
    AgentEvent,
    CallEnded,
    CustomerLeft,
    CustomerWrote,
    Incoming,
    Media,
    Ringing,
    Talking,
    TransferFailed,
)
from bridge.gateway.messages import Attachment
from bridge.model import (
    AgentId,
    Assignment,
    CallId,
    CallInfo,
    Channel,
    Owner,
    SenderId,
    derive,
)
from bridge.planners import alerts, assignments, call_requests, transfers
from bridge.planners.changes import Changes
from bridge.planners.held import release_held
from bridge.state.calls import CallRecord, CallRequestKind, CallState
from bridge.state.plan import Count
from bridge.state.records import AssignmentRecord, MessageRecord

READER = "reader"  # source of the assignments
MOST_HELD = 200  # messages that are held before the call is assigned
_LONGEST_SKILL = 64
_AFTER_THE_CUSTOMER = 2.0  # seconds until a call is released that its customer has left

_Handler: TypeAlias = Callable[[Changes, str, Any, float | None, str], None]


def handle_event(
    changes: Changes, agent_id: str, event: AgentEvent, *, at: float | None, key: str
) -> None:
    """Act on an event of an agent that the bridge reads.

    Args:
        changes: what the command changes.
        agent_id: the agent.
        event: the event.
        at: when the gateway made it, if it says so.
        key: identifies the event; a message's ID is derived from it.
    """
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(changes, agent_id, event, at, key)


# -- ringing and answering -------------------------------------------------------------------------


def _incoming(
    changes: Changes, agent_id: str, event: Incoming, at: float | None, _key: str
) -> None:
    known = changes.known_call((event.call_id, agent_id))
    if known is not None and known.live:
        skill_id = event.skill_id[:_LONGEST_SKILL] or known.skill_id
        changes.call(replace(_with_parties(known, event), skill_id=skill_id))
    elif known is None or not _is_late(known, at):
        new = _new(changes, agent_id, event, CallState.INCOMING, at)
        changes.call(replace(new, skill_id=event.skill_id[:_LONGEST_SKILL]))


def _ringing(changes: Changes, agent_id: str, event: Ringing, at: float | None, _key: str) -> None:
    known = changes.known_call((event.call_id, agent_id))
    if known is not None and known.live and known.state is not CallState.INCOMING:
        _note(changes, known, "it rings already")
        changes.call(_with_parties(known, event))
        return
    if known is not None and _is_late(known, at):
        _note(changes, known, "a ring that is older than the end of the call")
        return
    call = _new(changes, agent_id, event, CallState.RINGING, at)
    if known is not None:  # announced before, or it comes back
        call = replace(
            call,
            skill_id=known.skill_id,
            transfers=known.transfers,
            held=known.held,
            apology=None if _was_answered_elsewhere(changes, known) else known.apology,
        )
    call = changes.call(replace(call, internal=event.internal))
    if _answers_itself(changes, call):
        answer(changes, call)


def _was_answered_elsewhere(changes: Changes, call: CallRecord) -> bool:
    """Return whether another agent has answered a call since it left this one."""
    left_at = call.ended_at or 0.0
    return any(
        each.agent_id != call.agent_id and (each.answered_at or 0.0) >= left_at
        for each in changes.known_calls(call.call_id)
    )


def _answers_itself(changes: Changes, call: CallRecord) -> bool:
    chat = call.media in (Media.TEXT.value, Media.UNKNOWN.value)
    return changes.rules.bridge.reader.auto_answer and chat and not call.internal


def answer(changes: Changes, call: CallRecord, *, request_id: str | None = None) -> CallRecord:
    """Ask the gateway to answer a ringing call."""
    call_requests.add(changes, call, CallRequestKind.ANSWER, request_id=request_id)
    return changes.call(replace(call, state=CallState.ANSWERING, problem=None))


def _talking(changes: Changes, agent_id: str, event: Talking, at: float | None, _key: str) -> None:
    known = changes.known_call((event.call_id, agent_id))
    if known is None:
        known = _new(changes, agent_id, event, CallState.RINGING, at)
        known = replace(known, internal=event.internal)
    if not known.live:
        _note(changes, known, "an answer to a call that is over")
        return
    if known.state is CallState.TALKING:  # the gateway's answer to the request came first
        changes.call(_with_parties(known, event))
        return
    answered(changes, replace(_with_parties(known, event), event_at=at or known.event_at))


def answered(changes: Changes, call: CallRecord) -> CallRecord:
    """Note that a call was answered, and find out whose it is."""
    call = changes.call(
        replace(call, state=CallState.TALKING, answered_at=changes.now, problem=None)
    )
    if not _is_a_customers_chat(call):
        return call
    known = changes.of_call(call.call_id)
    if known is not None:  # a desktop assigned it, or it came from another agent
        assigned = _assign(changes, call, known.assignment)
        transfers.came_back(changes, assigned)
        return changes.known_call(call.key) or assigned
    call_requests.add(changes, call, CallRequestKind.LOOK_UP)
    return call


def _is_a_customers_chat(call: CallRecord) -> bool:
    """Return whether a conversation can be made of a call: not of a voice or an internal one."""
    return not call.internal and call.media != Media.VOICE.value


# -- whose call it is ------------------------------------------------------------------------------


def identify(changes: Changes, call: CallRecord, found: CallInfo, failure: str | None) -> None:
    """Assign a call to the conversation of its customer, with what was found out.

    Args:
        changes: what the command changes.
        call: the call.
        found: what the look-up found.
        failure: why it failed.
    """
    if call.sender_id is not None:
        return
    known = changes.of_call(call.call_id)
    if known is not None and known.open:
        _assign(changes, call, known.assignment)
        return
    user_id = found.user_id or call.caller
    before = transfers.arrived_from(changes, call, user_id)
    conversation = before[1] if before else _conversation_of(changes, call, user_id)
    former = conversation.assignment if conversation is not None else None
    channel = found.channel or (former.channel if former is not None else None)
    config_id = found.channel_config_id
    if config_id is None and former is not None and former.channel is channel:
        config_id = former.channel_config_id
    assignment = Assignment(
        SenderId(former.sender_id if former is not None else call.provisional_sender),
        AgentId(call.agent_id),
        CallId(call.call_id),
        user_id,
        channel or Channel.WEB,
        config_id,
    )
    problem = _problem(changes, assignment, channel, failure)
    known_now = replace(call, problem=problem, nickname=found.nickname or call.nickname)
    assigned = _assign(changes, known_now, assignment)
    if before is not None:
        transfers.take_along(changes, *before, assigned)


def _conversation_of(changes: Changes, call: CallRecord, user_id: str) -> AssignmentRecord | None:
    """Return the open assignment of a customer, unless its call is going on at a reader."""
    sender = changes.snapshot.senders_of_users.get(user_id) if user_id else None
    record = changes.latest(sender) if sender is not None else None
    if record is None or not record.open or record.assignment.user_id != user_id:
        return None
    other = record.assignment.call_id
    busy = any(each.live for each in changes.known_calls(other))
    return None if busy and other != call.call_id else record


def _problem(
    changes: Changes, assignment: Assignment, channel: Channel | None, failure: str | None
) -> str | None:
    """Return what could not be found out about a call; log it once."""
    problems = [f"the look-up failed: {failure}"] if failure else []
    if not assignment.user_id:
        problems.append("the customer's user ID is not known, so that nothing can be sent")
    settings = changes.rules.bridge
    if channel is None and settings.gateway.deployment == "public_cloud":
        problems.append("the channel is not known, WEB is assumed")
    if settings.config_id(assignment.channel, assignment.channel_config_id) is None:
        name = assignment.channel.value
        problems.append(
            f"channel {name} has no Configuration ID, so that nothing can be sent: add it to"
            " channel_config_ids"
        )
    if not problems:
        return None
    problem = "; ".join(problems)
    changes.warn(
        "Not all is known of a call: %s call_id=%s agent_id=%s",
        problem,
        assignment.call_id,
        assignment.agent_id,
        once=f"call {assignment.call_id} {problem}",
    )
    return problem


def _assign(changes: Changes, call: CallRecord, assignment: Assignment) -> CallRecord:
    """Give a call to its agent in a conversation; what the customer wrote before follows."""
    if assignment.agent_id != call.agent_id:
        assignment = replace(
            assignment, agent_id=AgentId(call.agent_id), agent_nickname=None, agent_avatar=None
        )
    known = changes.record(assignment.sender_id, assignment.call_id)
    owner = changes.rules.owner_of(call.agent_id)
    if known is not None and known.open and known.assignment == assignment:
        owner = known.owner if owner is Owner.BOT else owner  # a desktop assigned it to this agent
        record = replace(known, owner=owner, card=None)
    else:
        record = assignments.give(changes, assignment, owner, READER, given_at=changes.now)
    if owner is Owner.AGENT and (record.handed_off_at is None or known is None or not known.open):
        due = alerts.due_at(changes.rules, changes.now)
        record = replace(record, handed_off_at=changes.now, untold=False, alert_at=due)
    changes.assignment(record)
    return release_held(changes, call, record)


# -- messages --------------------------------------------------------------------------------------


def _wrote(
    changes: Changes, agent_id: str, event: CustomerWrote, at: float | None, key: str
) -> None:
    call = changes.known_call((event.call_id, agent_id))
    if call is None:
        _unknown(changes, event.call_id, agent_id, "a message")
        call = _new(changes, agent_id, event, CallState.RINGING, at)
        call = answered(changes, call)  # nobody writes in a call that was not answered
    elif call.state is CallState.TALKING and call.media == Media.VOICE.value:
        call = answered(changes, replace(call, media=Media.TEXT.value))  # it is a chat after all
    call = changes.call(_with_parties(call, event))
    message = _message(changes, call, event, key)
    record = changes.of_call(call.call_id)
    if record is None or (call.live and not record.open):
        _hold(changes, call, message)
    else:
        release_held(changes, replace(call, held=(*call.held, message)), record)


def _message(changes: Changes, call: CallRecord, event: CustomerWrote, key: str) -> MessageRecord:
    return MessageRecord(
        call.sender_id or call.provisional_sender,
        call.call_id,
        derive("event", key),
        event.text,
        event.at or changes.now,
        changes.now,
        attachment=_attached(event),
    )


def _attached(event: CustomerWrote) -> dict[str, Any] | None:
    """Return a file or a location as JSON: its kind, and what is known of it."""
    attachment = event.attachment
    if attachment is None:
        return None
    fields = asdict(attachment)
    if not isinstance(attachment, Attachment):
        fields["kind"] = "location"
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _hold(changes: Changes, call: CallRecord, message: MessageRecord) -> None:
    if len(call.held) >= MOST_HELD:
        _note(changes, call, "too many messages before the call was assigned")
        return
    changes.call(replace(call, held=(*call.held, message)))


# -- the end ---------------------------------------------------------------------------------------


def _left(
    changes: Changes, agent_id: str, event: CustomerLeft, at: float | None, _key: str
) -> None:
    call = changes.known_call((event.call_id, agent_id))
    if call is not None and not call.live:
        transfers.customer_left(changes, call)
        return
    if call is None:
        _unknown(changes, event.call_id, agent_id, "the customer's leaving")
        call = _new(changes, agent_id, event, CallState.RINGING, at)
    over = end(changes, call, at=at, by_transfer=False)
    # The gateway says so itself if it releases the call; the release is cancelled then.
    call_requests.add(changes, over, CallRequestKind.RELEASE, after=_AFTER_THE_CUSTOMER)


def _ended(changes: Changes, agent_id: str, event: CallEnded, at: float | None, _key: str) -> None:
    call = changes.known_call((event.call_id, agent_id))
    if call is None:
        _unknown(changes, event.call_id, agent_id, "its end")
        call = _new(changes, agent_id, event, CallState.RINGING, at)
    if call.live:
        end(changes, call, at=at)
    else:
        call_requests.cancel(changes, call)


def end(
    changes: Changes, call: CallRecord, *, at: float | None = None, by_transfer: bool = True
) -> CallRecord:
    """Note that a call is over for its agent, and settle everything of it.

    Args:
        changes: the changes so far.
        call: the call.
        at: when the gateway made the event that says so.
        by_transfer: whether it may have ended because it was transferred.
    """
    unassigned = call.sender_id is None and _is_a_customers_chat(call)
    if unassigned and (call.held or call.state is CallState.TALKING):
        identify(changes, call, CallInfo(), None)  # nothing more will be found out
        call = changes.known_call(call.key) or call
    confirmed = by_transfer and transfers.is_confirmed(changes, call)
    over = changes.call(
        replace(
            call,
            state=CallState.ENDED,
            ended_at=changes.now,
            event_at=at or call.event_at,
            transfer_to=call.transfer_to if confirmed else None,
            transferred_at=None,
            transfers=call.transfers + confirmed,
            apology=call.apology if confirmed else None,
        )
    )
    record = changes.of_call(call.call_id)
    if record is not None and record.open and record.assignment.agent_id == call.agent_id:
        if confirmed:
            transfers.move(changes, call, record)
        else:
            assignments.finish(changes, record)
    if over.held and record is not None:
        over = release_held(changes, over, record)
    call_requests.cancel(changes, over)
    return over


def _transfer_failed(
    changes: Changes, agent_id: str, event: TransferFailed, at: float | None, _key: str
) -> None:
    del at
    call = changes.known_call((event.call_id, agent_id))
    if call is None or not call.live:
        _unknown(changes, event.call_id, agent_id, "a failed transfer")
        return
    transfers.failed(changes, call, "the call is still with the agent")


# -- helpers ---------------------------------------------------------------------------------------


def _new(
    changes: Changes, agent_id: str, event: Any, state: CallState, at: float | None
) -> CallRecord:
    """Return a new call of an event."""
    call = CallRecord(event.call_id, agent_id, state, changes.now, event_at=at)
    return _with_parties(call, event)


def _with_parties(call: CallRecord, event: Any) -> CallRecord:
    """Return a call with what an event says of its parties and its medium, if it is new."""
    media = getattr(event, "media", Media.UNKNOWN)
    return replace(
        call,
        caller=call.caller or getattr(event, "caller", ""),
        called=call.called or getattr(event, "called", ""),
        media=media.value if call.media == Media.UNKNOWN.value else call.media,
    )


def _is_late(known: CallRecord, at: float | None) -> bool:
    """Return whether an event is older than the one that ended the call, as the gateway says."""
    return not known.live and None not in (at, known.event_at) and at <= known.event_at  # type: ignore[operator]


def _unknown(changes: Changes, call_id: str, agent_id: str, what: str) -> None:
    changes.effect(Count("event_unexpected"))
    changes.warn(
        "An event tells of a call that is not known: %s call_id=%s agent_id=%s",
        what,
        call_id,
        agent_id,
        once=f"unknown call {call_id} {agent_id}",
    )


def _note(changes: Changes, call: CallRecord, what: str) -> None:
    changes.effect(Count("event_unexpected"))
    changes.warn(
        "An event does not fit the state of its call: %s call_id=%s state=%s",
        what,
        call.call_id,
        call.state.value,
        once=f"call {call.call_id} {what}",
    )


_HANDLERS: dict[type[Any], _Handler] = {
    Incoming: _incoming,
    Ringing: _ringing,
    Talking: _talking,
    CustomerWrote: _wrote,
    CustomerLeft: _left,
    CallEnded: _ended,
    TransferFailed: _transfer_failed,
}

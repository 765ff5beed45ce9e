"""Plan the transfer of a call by the gateway: ask for it, and act on its success or failure.

The end of the call confirms a transfer that the gateway has accepted, unless the customer has left
or the agent has hung up. A transfer that is not confirmed within a minute has failed.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bridge.errors import AssignmentError
from bridge.model import AgentId, Origin, Owner, evolve
from bridge.planners import alerts, assignments, call_requests
from bridge.planners.changes import Changes
from bridge.state.calls import ARRIVES_WITHIN, Apology, CallRecord, CallRequestKind
from bridge.state.inquiries import BotNote
from bridge.state.plan import Count
from bridge.state.records import AssignmentRecord, UpdateState

CAME_BACK = "the call was transferred before and came back"
NOT_CONFIRMED = "the gateway did not confirm it"
_CONFIRMED_WITHIN = 60.0  # seconds after the gateway has accepted a transfer
_LONGEST_TARGET = 64


def ask(
    changes: Changes,
    call: CallRecord,
    *,
    request_id: str,
    agent: str | None = None,
    skill: str | None = None,
    apology: Apology | None = None,
) -> CallRecord:
    """Ask the gateway to transfer a call to an agent or to a skill.

    Args:
        changes: the changes so far.
        call: the call.
        request_id: the ID of the request.
        agent: the agent.
        skill: the skill, if no agent is given.
        apology: what a bot agent's customer is told if it fails.
    """
    target = f"agent {agent}" if agent else f"skill {skill}"[:_LONGEST_TARGET]
    call = changes.call(replace(call, transfer_to=target, problem=None, apology=apology))
    body = {"agent": agent} if agent else {"skill": skill}
    call_requests.add(changes, call, CallRequestKind.TRANSFER, request_id=request_id, **body)
    return call


def accepted(changes: Changes, call: CallRecord) -> None:
    """Note that the gateway has, or may have, accepted a transfer; it is to be confirmed in time.

    The waiting request is cancelled with all others when the call ends.
    """
    now = changes.now
    changes.call(replace(call, transferred_at=now))
    call_requests.add(
        changes, call, CallRequestKind.CONFIRM, after=_CONFIRMED_WITHIN, accepted_at=now
    )


def is_confirmed(changes: Changes, call: CallRecord) -> bool:
    """Return whether the end of a call confirms its transfer, which may still be in progress."""
    if _in_progress(changes, call, CallRequestKind.RELEASE):
        return False
    return call.transferred_at is not None or _in_progress(changes, call, CallRequestKind.TRANSFER)


def _in_progress(changes: Changes, call: CallRecord, kind: CallRequestKind) -> bool:
    request = call_requests.open_one(changes, call, kind)
    return request is not None and request.state is UpdateState.SENDING


def move(changes: Changes, call: CallRecord, record: AssignmentRecord) -> None:
    """Give the conversation to whom its call was transferred, now that the gateway confirms it."""
    target, _, target_id = (call.transfer_to or "").partition(" ")
    if target != "agent":
        assignments.move_away(changes, record)
        return
    assignment = replace(
        record.assignment, agent_id=AgentId(target_id), agent_nickname=None, agent_avatar=None
    )
    given = assignments.give(
        changes,
        assignment,
        changes.rules.owner_of(target_id),
        record.source,
        given_at=changes.now,
    )
    if given.owner is Owner.AGENT and record.owner is not Owner.AGENT:
        due = alerts.due_at(changes.rules, changes.now)
        changes.assignment(replace(given, handed_off_at=changes.now, alert_at=due))


def arrived_from(
    changes: Changes, call: CallRecord, user_id: str
) -> tuple[CallRecord, AssignmentRecord] | None:
    """Return the call of the same customer that was transferred and is now this one, if any.

    Some platforms give a transferred call another ID. It may ring before the former one ends.
    """
    for sender_id, call_id in reversed(changes.snapshot.calls_of_users.get(user_id, [])):
        record = changes.record(sender_id, call_id)
        if record is None or call_id == call.call_id:
            continue
        for former in reversed(changes.known_calls(call_id)):
            if _leads_to(former, call) and _is_recent(changes, former):
                return former, record
    return None


def _leads_to(former: CallRecord, call: CallRecord) -> bool:
    """Return whether a call was transferred to the agent of another, or to its skill."""
    kind, _, target_id = (former.transfer_to or "").partition(" ")
    if kind == "agent":
        return target_id == call.agent_id
    return kind == "skill" and call.skill_id in ("", target_id)


def _is_recent(changes: Changes, former: CallRecord) -> bool:
    return former.ended_at is None or former.ended_at >= changes.now - ARRIVES_WITHIN


def take_along(
    changes: Changes, former: CallRecord, record: AssignmentRecord, call: CallRecord
) -> None:
    """Note where a transferred call went, and take its card along.

    Args:
        changes: the changes so far, with the assignment of the call under its new ID.
        former: the call under its former ID.
        record: the assignment of the former ID, as it was before.
        call: the call under its new ID.
    """
    pair = (record.assignment.sender_id, former.call_id)
    given = changes.record(pair[0], call.call_id)
    left = changes.record(*pair) or record
    changes.assignment(
        replace(
            left,
            assignment=replace(left.assignment, agent_id=AgentId(former.agent_id)),
            ended_at=left.ended_at or changes.now,
            moved_to=AgentId(call.agent_id) if call.agent_id != former.agent_id else None,
            card=None,
        )
    )
    if given is None:
        return
    since = record.handed_off_at if record.owner is Owner.AGENT else None
    card = record.card or changes.snapshot.cards.get(pair)
    if given.owner is Owner.AGENT and since is not None:
        given = replace(given, handed_off_at=since)
    changes.assignment(replace(given, card=card))
    if call.agent_id == former.agent_id:  # it came back
        changes.call(replace(call, transfers=max(former.transfers, 1)))


def undo(changes: Changes, call: CallRecord, target_id: str) -> None:
    """End a conversation that was given to an agent to whom the call was not transferred."""
    record = changes.of_call(call.call_id)
    if record is not None and record.open and record.assignment.agent_id == target_id:
        assignments.finish(changes, record)


def customer_left(changes: Changes, call: CallRecord) -> None:
    """End what was taken for a transfer when a call ended: the customer had left."""
    kind, _, target_id = (call.transfer_to or "").partition(" ")
    taken = changes.known_call((call.call_id, target_id))
    if kind == "agent" and (taken is None or not taken.live):
        undo(changes, call, target_id)


def failed(changes: Changes, call: CallRecord, reason: str) -> CallRecord:
    """Note that a transfer failed: the call stays with its agent.

    The customer of a bot agent, who was to get a person, is told that nobody is available.
    """
    changes.warn("A transfer failed: %s call_id=%s", reason, call.call_id)
    awaited = call_requests.open_one(changes, call, CallRequestKind.CONFIRM)
    if awaited is not None and awaited.state is UpdateState.WAITING:
        changes.request(replace(awaited, state=UpdateState.DONE, settled_at=changes.now))
    problem = f"the transfer failed: {reason}"
    stays = changes.call(
        replace(call, transfer_to=None, transferred_at=None, problem=problem, apology=None)
    )
    record = changes.of_call(call.call_id)
    waits = record is not None and record.open and record.assignment.agent_id == call.agent_id
    if call.apology is not None and record is not None and waits and not record.with_agent:
        not_handed_over(changes, record, problem)
        apologise(changes, record, call.apology, problem)
    return stays


def came_back(changes: Changes, call: CallRecord) -> None:
    """Tell a customer that nobody takes over if a bot agent's call is back from a transfer.

    Args:
        changes: the changes so far.
        call: the call, with the apology of the transfer if nobody has answered it meanwhile.
    """
    record = changes.of_call(call.call_id)
    if call.apology is None or record is None or not record.open or record.with_agent:
        return
    changes.call(replace(call, apology=None))
    not_handed_over(changes, record, CAME_BACK)
    apologise(changes, record, call.apology, CAME_BACK)


def not_handed_over(changes: Changes, record: AssignmentRecord, why: str) -> None:
    """Report that a bot agent's call cannot be handed over, and raise an alert."""
    assignment = record.assignment
    changes.log(
        logging.ERROR,
        "A bot agent's call cannot be handed over: %s call_id=%s agent_id=%s",
        why,
        assignment.call_id,
        assignment.agent_id,
    )
    changes.effect(Count("handoff", ("not_transferred",)))
    if record.alerted_at is None:
        alerts.raise_now(changes, record)


def apologise(changes: Changes, record: AssignmentRecord, apology: Apology, why: str) -> None:
    """Tell the customer that nobody takes over; the call stays with the bot.

    Args:
        changes: the changes so far.
        record: the call.
        apology: what is said.
        why: the reason, for the agent.
    """
    assignment = record.assignment
    text = f"The call cannot be handed over to a person: {why}."
    note = BotNote("unavailable", text, apology.message_id, changes.now)
    latest = changes.record(assignment.sender_id, assignment.call_id) or record
    changes.assignment(evolve(latest, bot_note=note, card=None))
    if not apology.drafts:
        return
    name = ("unavailable", apology.inquiry)
    try:
        batch = changes.rules.composer.compose(
            assignment, [apology.drafts], Origin.HANDOFF, name=name, now=changes.now
        )
    except AssignmentError as error:
        untold(changes, record, error)
        return
    changes.enqueue(batch)


def untold(changes: Changes, record: AssignmentRecord, error: AssignmentError) -> None:
    """Log why the customer could not be told."""
    changes.warn(
        "The customer was not told that nobody takes over: %s call_id=%s",
        error.message,
        record.assignment.call_id,
    )

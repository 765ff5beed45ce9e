"""Plan what follows when a reader's call becomes a conversation's: owner and held messages."""

from __future__ import annotations

from dataclasses import replace

from bridge.model import Owner, SenderId
from bridge.planners.changes import Changes
from bridge.planners.written import customer_wrote
from bridge.state.calls import CallRecord, CallState
from bridge.state.records import AssignmentRecord


def owner_of_call(changes: Changes, call_id: str, agent_id: str) -> Owner | None:
    """Return the owner of a call that a reader has answered; None if none has."""
    call = changes.known_call((call_id, agent_id))
    if call is None or call.state is not CallState.TALKING:
        return None
    return changes.rules.owner_of(agent_id)


def release_held(changes: Changes, call: CallRecord, record: AssignmentRecord) -> CallRecord:
    """Let the held messages of a call follow in its conversation, in order."""
    sender = record.assignment.sender_id
    for message in call.held:
        own = replace(message, sender_id=SenderId(sender))
        if record.open and call.live:
            customer_wrote(changes, record, own)
        else:
            changes.message(own)
    return changes.call(replace(call, sender_id=sender, held=()))

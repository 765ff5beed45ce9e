"""Plan what an agent's panel or desktop reports of a call: typing, messages, hidden suggestions."""

from __future__ import annotations

from bridge.errors import RefusedError
from bridge.model import evolve
from bridge.planners import consequences
from bridge.planners.assignments import own_call
from bridge.planners.changes import Changes
from bridge.planners.rules import Rules
from bridge.planners.written import agent_wrote, customer_wrote
from bridge.state.commands import ForwardMessage, HideAssist, NotePresence, NoteTyping
from bridge.state.inquiries import Via
from bridge.state.plan import Plan
from bridge.state.records import PRESENCE_EVERY, MessageRecord, PresenceRecord, Stored
from bridge.state.snapshot import Snapshot

AGENT, CUSTOMER = "agent", "customer"
_OFTEN = 2.0  # seconds; typing that is reported more often is not stored again


def type_(snapshot: Snapshot, command: NoteTyping, rules: Rules, now: float) -> Plan:
    """Record that somebody types. The answer is True.

    Raises:
        RefusedError: 404, 403; 409 if the call has ended or the bot is its owner.
    """
    record = own_call(snapshot, command.call_id, command.agent_id, with_agent=True)
    if record.typing_at is not None and 0 <= now - record.typing_at < _OFTEN:
        return Plan(answer=True)
    changes = Changes(snapshot, rules, now)
    changes.assignment(evolve(record, typing_at=now, desktop_at=now, card=None))
    return changes.plan(answer=True)


def note_presence(snapshot: Snapshot, command: NotePresence, rules: Rules, now: float) -> Plan:
    """Record that an agent's panel is open, unless that was recorded lately. The answer is True."""
    del rules
    known = snapshot.presences.get(command.agent_id)
    if known is not None and 0 <= now - known.present_at < PRESENCE_EVERY:
        return Plan(answer=True)
    return Plan(answer=True, presences=(PresenceRecord(command.agent_id, now),))


def hide(snapshot: Snapshot, command: HideAssist, rules: Rules, now: float) -> Plan:
    """Hide suggestions on a call, or show them. The answer is the record.

    Raises:
        RefusedError: 404, 403; 409 if the call has ended or the bot is its owner.
    """
    record = own_call(snapshot, command.call_id, command.agent_id, with_agent=True)
    if record.assist_hidden == command.hidden:
        return Plan(answer=record)
    changes = Changes(snapshot, rules, now)
    hidden = evolve(record, assist_hidden=command.hidden, desktop_at=now, card=None)
    return changes.plan(changes.assignment(hidden))


def forward(snapshot: Snapshot, command: ForwardMessage, rules: Rules, now: float) -> Plan:
    """Store a message that was written elsewhere. The answer is the message.

    A customer's message supersedes the offered suggestions. An agent's message withdraws what
    ``auto`` has not sent yet, and settles how much of a copied suggestion was used.

    Raises:
        RefusedError: 404, 403; 409 if the call has ended, the bot is its owner, or the message ID
            was used for another text.
    """
    record = own_call(snapshot, command.call_id, command.agent_id, with_agent=True)
    assignment = record.assignment
    message = MessageRecord(
        assignment.sender_id,
        command.call_id,
        command.message_id,
        command.text,
        now,
        now,
        author=command.author,
        via=Via.FORWARDED,
    )
    known = snapshot.messages.get(message.id)
    if known is not None:
        if known.erased_at is None and (known.text, known.author) != (message.text, message.author):
            text = "this message_id was used for another message; take a new one"
            raise RefusedError(409, "message_id_used", text)
        return Plan(answer=Stored(known, created=False))
    changes = Changes(snapshot, rules, now)
    seen = changes.assignment(evolve(record, desktop_at=now, card=None))
    wrote = customer_wrote if command.author == CUSTOMER else agent_wrote
    wrote(changes, seen, message)
    return consequences.plan(changes, Stored(message, created=True))

"""Plan what follows when somebody writes in a call.

Every way in ends here: a message that a desktop forwards and a gateway's event have the same
consequences.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.planners import inquiries, writing_back
from bridge.planners.changes import Changes
from bridge.planners.edits import distance
from bridge.planners.suggestions import SPOKEN
from bridge.state.inquiries import Via
from bridge.state.records import AssignmentRecord, MessageRecord


def customer_wrote(changes: Changes, record: AssignmentRecord, message: MessageRecord) -> None:
    """Store a customer's message and ask the bot about it.

    It supersedes the suggestions that are offered. What the bridge read from the gateway while an
    agent owns the call is also written back to Rasa.
    """
    if message.via is not Via.FORWARDED:
        message = replace(message, via=Via.READER)
    changes.message(message)
    changes.supersede(changes.snapshot.offered(call_id=record.assignment.call_id))
    inquiries.ask(changes, record, message)
    if message.via is Via.READER and record.with_agent:
        writing_back.customers_words(changes, message)


def agent_wrote(changes: Changes, record: AssignmentRecord, message: MessageRecord) -> None:
    """Store an agent's message, which was sent by other means than the bridge.

    It withdraws what ``auto`` has not sent yet, and settles how much of a copied suggestion was
    used.
    """
    changes.message(message)
    changes.withdraw(SPOKEN, changes.auto_waiting(record.assignment.call_id))
    copied = changes.snapshot.copied.get(record.assignment.call_id)
    if copied is not None and copied.edit_distance is None:
        used = distance(copied.text, message.text)
        changes.suggestion(replace(copied, edit_distance=used))

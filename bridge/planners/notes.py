"""Show an agent what they should know about the bot and the customer's last message."""

from __future__ import annotations

from bridge.model import evolve
from bridge.planners.changes import Changes
from bridge.state.inquiries import BotNote
from bridge.state.records import RasaUpdate


def note(
    changes: Changes, update: RasaUpdate, kind: str, text: str, *, action: str | None = None
) -> None:
    """Show the agent a sentence about the bot and the customer's message."""
    record = changes.record(update.sender_id, update.call_id or "")
    if record is None:
        return
    message_id = str(update.body["message_id"])
    shown = BotNote(kind, text, message_id, changes.now, action)
    changes.assignment(evolve(record, bot_note=shown, card=None))

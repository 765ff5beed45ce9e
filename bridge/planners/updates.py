"""Plan the requests to Rasa: what was said, inquiries, handbacks, and apologies.

A conversation's updates are sent one at a time, in order, and retried until Rasa accepts them or
they expire. A handback is dropped if an agent owns the conversation again before it was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge import replies
from bridge.errors import RasaError, describe
from bridge.planners import inquiries, policy, steps
from bridge.planners.changes import Changes
from bridge.planners.leasing import leased, put_back
from bridge.planners.pauses import summary
from bridge.planners.rules import Rules
from bridge.planners.writing_back import written_back
from bridge.replies import OwnText
from bridge.state.commands import ClaimUpdates, DomainResult, UpdateResult
from bridge.state.inquiries import Inquiry, InquiryStep
from bridge.state.plan import AskBot, AskDomain, Count, Keep, Plan, SendUpdate
from bridge.state.records import (
    BOT,
    FAILED,
    NONE,
    UPDATE_MARK,
    ActionAnswer,
    RasaUpdate,
    UpdateKind,
    UpdateState,
)
from bridge.state.snapshot import Snapshot

LEASE = inquiries.UPDATE_LEASE  # longer than three requests to Rasa with their timeouts, too
_LOOK_AGAIN = 0.2  # seconds
_LONGEST_DELAY = 30.0  # seconds between two attempts
_REFUSALS = 4  # attempts at a write-back that Rasa refuses: a handback may be queued behind it
_AWAY = (502, 503, 504)  # a proxy's statuses while Rasa is down
_NOT_MADE = "it could not be made; the log says where"


def claim(snapshot: Snapshot, command: ClaimUpdates, rules: Rules, now: float) -> Plan:
    """Claim the oldest due update of each conversation. The answer is the number claimed."""
    changes = Changes(snapshot, rules, now)
    claimed = 0
    for update_id in snapshot.due_updates:
        update = snapshot.updates[update_id]
        if update.state is UpdateState.SENDING and command.held.get(update.seq, "") == update.lease:
            continue  # this process is still sending it
        try:
            claimed += _claim(changes, command, update)
        except Exception as error:  # noqa: BLE001 - an update's fault is its own
            changes.log(
                logging.ERROR,
                "An update for Rasa could not be made: %s update=%d",
                describe(error),
                update.seq,
            )
            changes.update(
                replace(update, state=UpdateState.FAILED, error=_NOT_MADE, settled_at=now)
            )
    if len(snapshot.due_updates) > claimed:
        changes.update_due_at(now + _LOOK_AGAIN)
    return changes.plan(claimed)


def _claim(changes: Changes, command: ClaimUpdates, update: RasaUpdate) -> bool:
    now = changes.now
    inquiry: Inquiry | None = None
    events: tuple[Mapping[str, Any], ...] = ()
    record = changes.snapshot.latest(update.sender_id)
    if update.kind is UpdateKind.INQUIRY:
        inquiry = inquiries.prepare(changes, update)
        if inquiry is None:
            return False
        update = replace(update, shadow=inquiry.shadow)
        if inquiry.step is InquiryStep.LOOK:
            update = steps.at_step(update, InquiryStep.LOOK)
    elif update.kind is not UpdateKind.WRITE_BACK and record is not None and record.with_agent:
        # Resuming the bot now would undo the new handoff's pause.
        changes.update(replace(update, state=UpdateState.DONE, settled_at=now))
        return False
    elif update.kind is UpdateKind.RESUME:
        still_open = bool(changes.open_on(update.call_id or ""))
        if still_open and now < update.created_at + policy.DELIVERIES_FIRST:
            changes.update(replace(update, due_at=now + _LOOK_AGAIN))
            return False
        events = _resuming(changes, update)
    elif update.kind is UpdateKind.MESSAGE:
        if command.responses is None and not command.domain_asked:
            changes.effect(AskDomain())
            changes.update(replace(update, due_at=now + _LOOK_AGAIN))
            return False
        events = (_apology(changes, command, update),)
    else:
        events = (written_back(update),)
    changes.update(leased(changes, update, LEASE))
    changes.effect(SendUpdate(update.id, events) if inquiry is None else AskBot(update.id, inquiry))
    return True


def complete(snapshot: Snapshot, command: UpdateResult, rules: Rules, now: float) -> Plan:
    """Complete an attempt to send an update."""
    changes = Changes(snapshot, rules, now)
    attempted, error = command.update, command.error
    stored = snapshot.updates.get(attempted.id)
    if stored is None or stored.lease != attempted.lease:
        return changes.plan()
    free = replace(stored, lease=None, lease_until=None)
    if command.unsent:
        changes.update(put_back(stored, now))
        return changes.plan()
    if error is None:
        changes.update(replace(free, state=UpdateState.DONE, settled_at=now, error=None))
        changes.effect(Count("update", (stored.kind.value, "done")))
    else:
        _fail(changes, free, error, command.jitter)
    changes.update_due_at(now)
    return changes.plan()


def _fail(changes: Changes, update: RasaUpdate, error: RasaError, jitter: float) -> None:
    now = changes.now
    due = now + policy.backoff(update.attempts + 1, jitter, longest=_LONGEST_DELAY)
    state = UpdateState.WAITING
    if due >= update.expires_at or _in_vain(update, error):
        state = UpdateState.FAILED
    changes.update(
        replace(
            update,
            state=state,
            due_at=due,
            error=error.message,
            settled_at=None if state is UpdateState.WAITING else now,
        )
    )
    changes.effect(Count("update", (update.kind.value, state.value)))
    changes.warn(
        "An update did not reach Rasa: %s call_id=%s update=%s kind=%s attempt=%d state=%s",
        error.message,
        update.call_id,
        update.seq,
        update.kind.value,
        update.attempts,
        state.value,
    )


def _in_vain(update: RasaUpdate, error: RasaError) -> bool:
    """Return whether a retry is useless or could say something twice."""
    if update.kind is UpdateKind.MESSAGE:
        # Rasa sends before it stores: the customer may have the message although the tracker has
        # no record of it.
        return error.unknown
    refused = error.status not in (0, *_AWAY)
    return update.kind is UpdateKind.WRITE_BACK and refused and update.attempts >= _REFUSALS


def keep_domain(snapshot: Snapshot, command: DomainResult, rules: Rules, now: float) -> Plan:
    """Cache the domain's responses for commands that came without them."""
    del snapshot, rules, now
    return Plan(answer=True, effects=(Keep(command.responses),))


# -- events for Rasa -------------------------------------------------------------------------------


def _resuming(changes: Changes, update: RasaUpdate) -> tuple[Mapping[str, Any], ...]:
    """Return a bare resume event and the slots that describe the handoff."""
    call_id = update.call_id or ""
    until = float(update.body.get("until", update.created_at))
    record = changes.record(update.sender_id, call_id)
    deliveries = changes.snapshot.sent_since_handoff.get(call_id, [])
    text = ""
    if record is not None:
        language = _language(changes, update)
        text = summary(record, deliveries, changes.rules, until=until, language=language)
    slots = replace(_handed_back(update), summary=text).slots
    return (
        {"event": "resume"},
        *({"event": "slot", "name": name, "value": value} for name, value in slots.items()),
    )


def _handed_back(update: RasaUpdate) -> ActionAnswer:
    """Return the handback as an action's answer, for its slots."""
    error = update.body.get("error")
    return ActionAnswer(state=BOT, delivery=NONE if error is None else FAILED, error=error)


def _language(changes: Changes, update: RasaUpdate) -> str | None:
    """Return the customer's language at the handoff."""
    handoff = changes.snapshot.last_turns.get(update.call_id or "")
    known = handoff.unavailable if handoff is not None else None
    return known.language if known is not None else None


def _apology(changes: Changes, command: ClaimUpdates, update: RasaUpdate) -> dict[str, Any]:
    """Return the ``unavailable`` response as a bot event."""
    designer = changes.rules.designer
    slots: dict[str, Any] = dict(_handed_back(update).slots)
    if designer.language.slot is not None:
        slots[designer.language.slot] = _language(changes, update)
    reply = replies.announce(
        changes.rules.response(designer.handoff.unavailable, slots) or "",
        OwnText.UNAVAILABLE,
        command.responses,
        slots,
        designer,
        channels=(),
        seed=update.id,
    ).reply
    if not replies.is_filled(reply):  # the conversation's other slots are not known here
        reply = replies.in_own_words(OwnText.UNAVAILABLE, slots, designer)
    return {
        "event": "bot",
        "text": reply.get("text"),
        "data": {key: value for key, value in reply.items() if key != "text"},
        "metadata": {UPDATE_MARK: update.id},
    }

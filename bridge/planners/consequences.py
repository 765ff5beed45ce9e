"""Add the consequences of settled deliveries: answers, write-backs to Rasa, automatic handbacks.

Every planner that may settle deliveries returns ``plan(changes)``, which adds them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.language import codes, response_in
from bridge.model import (
    Delivery,
    DeliveryError,
    DeliveryState,
    Origin,
    Owner,
    derive,
)
from bridge.planners import outcome, writing_back
from bridge.planners.changes import Changes
from bridge.planners.outcome import Outcome
from bridge.state.plan import UNANSWERED, Count, Plan
from bridge.state.records import (
    ASSIST,
    BOT,
    HANDOFF,
    PENDING,
    ActionAnswer,
    AssignmentRecord,
    RasaUpdate,
    TurnRecord,
    UpdateKind,
)

HANDED_BACK = DeliveryError("withdrawn", "the bot has the conversation again")
_WITHDRAWN = DeliveryError("withdrawn", "the customer was informed that no agent can take over")
_OWN_WORDS = (Origin.HANDOFF, Origin.SUGGESTION, Origin.AUTO, Origin.AGENT)
_KEEP_TRYING = 24 * 3600.0  # seconds; a late resume is better than a bot that stays paused
_APOLOGY_WITHIN = 300.0  # seconds; a later apology is of no use to the customer


def plan(changes: Changes, answer: Any = UNANSWERED, **more: Any) -> Plan:
    """Return the plan of ``changes`` with the consequences of the deliveries that they settle."""
    follow(changes)
    return changes.plan(answer, **more)


def follow(changes: Changes) -> None:
    """Add the consequences of the deliveries that ``changes`` settle."""
    seen = 0
    while seen < len(changes.settled):  # a handback withdraws further deliveries
        settled = changes.settled[seen:]
        seen = len(changes.settled)
        for item in settled:
            _write_back(changes, item)
        for key in dict.fromkeys(item.turn_key for item in settled if _is_promise(item)):
            _conclude_turn(changes, str(key))


def _is_promise(item: Delivery) -> bool:
    return item.origin is Origin.HANDOFF and item.turn_key is not None


def _conclude_turn(changes: Changes, turn_key: str) -> None:
    """Answer an action call whose deliveries are all settled.

    If it was answered ``pending`` and nothing was delivered, hand the call back.
    """
    record = changes.known_turn(turn_key)
    if record is None:
        return
    verdict = outcome.judge(changes.of_turn(turn_key))
    if not verdict.over:
        return
    if record.answer is None:
        conclude(changes, record, verdict)
    elif record.answer.delivery == PENDING and verdict.error is not None and record.call_id:
        _break(changes, record, verdict.error)


def conclude(changes: Changes, record: TurnRecord, verdict: Outcome) -> ActionAnswer:
    """Answer an action call according to the outcome of its deliveries.

    Repeats of the call get the stored answer. A failed handoff withdraws its waiting deliveries
    in the same transaction.
    """
    call_id = record.call_id or ""
    current = changes.record(record.sender_id, call_id)
    if verdict.error is None:
        agent_id = current.assignment.agent_id if current is not None else None
        if agent_id is None:
            agent_id = next((item.envelope.agent_id for item in changes.of_turn(record.key)), None)
        answer = handed_off(changes, agent_id, call_id, verdict.delivery)
    else:
        answer = unmake(changes, record, verdict.error)
    changes.answered(record, answer)
    changes.effect(Count("handoff", (answer.error or answer.delivery,)))
    return answer


def unmake(changes: Changes, record: TurnRecord, error: str) -> ActionAnswer:
    """Undo a handoff of which nothing reached the customer; no cool-down follows."""
    call_id = record.call_id or ""
    changes.withdraw(_WITHDRAWN, changes.of_turn(record.key))
    current = changes.record(record.sender_id, call_id)
    if current is not None:
        changes.assignment(replace(current, owner=Owner.BOT, handed_off_at=None, card=None))
    changes.warn("No handoff could be made: %s call_id=%s", error, call_id)
    return replace(record.unavailable or ActionAnswer(state=BOT), error=error)


def handed_off(changes: Changes, agent_id: str | None, call_id: str, delivery: str) -> ActionAnswer:
    """Return the answer of a handoff that succeeded."""
    pause = changes.rules.designer.handoff.then == "pause"
    return ActionAnswer(
        state=HANDOFF if pause else ASSIST,
        agent_id=agent_id,
        call_id=call_id,
        delivery=delivery,
        pause=pause,
    )


def _break(changes: Changes, record: TurnRecord, error: str) -> None:
    """Hand back a call whose handoff was answered ``pending`` and then failed."""
    current = changes.record(record.sender_id, record.call_id or "")
    if current is None or not current.with_agent:
        return
    changes.hand_back(current, HANDED_BACK, untold=True)
    changes.warn("Handed back, no message was delivered: %s call_id=%s", error, record.call_id)
    if changes.rules.asks_rasa:
        resume(changes, current, error=error)
        if record.pushable and _has_apology(changes, record):
            add_update(changes, current, UpdateKind.MESSAGE, _APOLOGY_WITHIN, {"error": error})


def _has_apology(changes: Changes, record: TurnRecord) -> bool:
    """Return whether ``handoff.unavailable`` says anything in the customer's language."""
    designer = changes.rules.designer
    language = record.unavailable.language if record.unavailable is not None else None
    tried = codes(language, designer.language.default)
    return response_in(designer.handoff.unavailable, tried) is not None


def freed(changes: Changes, record: AssignmentRecord) -> None:
    """Resume the bot after its agent's call has ended or was replaced by another."""
    if changes.rules.asks_rasa and record.owner is Owner.AGENT:
        resume(changes, record, error=None)


def resume(changes: Changes, record: AssignmentRecord, *, error: str | None) -> None:
    """Queue an update that resumes the bot in Rasa."""
    add_update(changes, record, UpdateKind.RESUME, _KEEP_TRYING, {"error": error})


def add_update(
    changes: Changes,
    record: AssignmentRecord,
    kind: UpdateKind,
    seconds: float,
    body: dict[str, Any],
) -> None:
    """Queue an update for Rasa that expires after ``seconds``."""
    assignment, now = record.assignment, changes.now
    changes.update(
        RasaUpdate(
            seq=0,
            id=derive("update", kind.value, assignment.sender_id, assignment.call_id, now),
            sender_id=assignment.sender_id,
            call_id=assignment.call_id,
            kind=kind,
            body={**body, "since": record.handed_off_at or now, "until": now},
            created_at=now,
            due_at=now,
            expires_at=now + seconds,
        )
    )


def _write_back(changes: Changes, item: Delivery) -> None:
    """Queue a write-back to Rasa's tracker of a message delivered under the agent's name."""
    if not changes.rules.asks_rasa or item.origin not in _OWN_WORDS:
        return
    if item.state is not DeliveryState.DELIVERED:
        return
    writing_back.agents_words(changes, item)

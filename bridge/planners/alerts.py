"""Plan alerts: handoffs that no agent takes in time, and the webhook that is told of them.

An agent has taken a call if, since the handoff, somebody replied, accepted or copied a suggestion,
or a desktop forwarded what the agent wrote. Each handoff is checked once, when ``alert_at`` is due.
A bot agent's call that cannot be handed over needs no such check. Once an alert is raised,
``alert_at`` is the time of the webhook's next attempt.
"""

from __future__ import annotations

import logging

from bridge.model import derive, evolve
from bridge.planners.changes import Changes
from bridge.planners.rules import Rules
from bridge.state.commands import AlertResult, RaiseAlerts
from bridge.state.plan import Count, Plan, Put, SendAlert
from bridge.state.records import Alert, AssignmentRecord
from bridge.state.snapshot import Snapshot

ATTEMPTS = 6  # to report an alert
LEASE = 120.0  # seconds of an attempt, longer than one with its wait for a free sender
_FIRST_DELAY = 5.0  # seconds; doubled with each attempt
_LONGEST_DELAY = 120.0


def due_at(rules: Rules, now: float) -> float | None:
    """Return when to check whether a handoff of this moment was taken; None: never."""
    after = rules.designer.handoff.alert_after
    return None if after is None else now + after


def raise_due(snapshot: Snapshot, command: RaiseAlerts, rules: Rules, now: float) -> Plan:
    """Raise the alerts that are due, and report those again that the webhook has not got yet."""
    changes = Changes(snapshot, rules, now)
    for pair in snapshot.alerts_due:
        record = snapshot.assignments[pair]
        if record.alert_at is not None and record.alert_at > command.latest:
            # The clock was set back since.
            changes.assignment(evolve(record, alert_at=due_at(rules, now), card=None))
        elif record.alerted_at is not None:
            _report(changes, record)
        elif record.with_agent and pair not in snapshot.taken:
            _raise(changes, record)
        else:
            changes.assignment(evolve(record, alert_at=None, card=None))
    if snapshot.more:
        changes.effect(Put(command))
    return changes.plan(answer=True)


def _raise(changes: Changes, record: AssignmentRecord) -> None:
    changes.warn(
        "Nobody took a handoff: call_id=%s agent_id=%s waiting=%.0fs",
        record.assignment.call_id,
        record.assignment.agent_id,
        changes.now - (record.handed_off_at or changes.now),
    )
    raise_now(changes, record)


def raise_now(changes: Changes, record: AssignmentRecord) -> None:
    """Raise an alert about a call that nobody takes, without waiting for its time."""
    changes.effect(Count("not_taken"))
    raised = evolve(record, alerted_at=changes.now, alert_attempts=0, alert_at=None, card=None)
    if changes.rules.bridge.alerts.url is None:
        changes.assignment(raised)
    else:
        _report(changes, raised)


def _report(changes: Changes, record: AssignmentRecord) -> None:
    """Report an alert to the webhook, unless it was tried often enough."""
    if record.alert_attempts >= ATTEMPTS or changes.rules.bridge.alerts.url is None:
        _give_up(changes, record, "no attempt was answered")
        return
    now = changes.now
    tried = evolve(
        record, alert_at=now + LEASE, alert_attempts=record.alert_attempts + 1, card=None
    )
    changes.assignment(tried)
    changes.effect(SendAlert(_alert(tried)))


def complete(snapshot: Snapshot, command: AlertResult, rules: Rules, now: float) -> Plan:
    """Complete an attempt to report an alert; a result that is out of date is ignored."""
    alert = command.alert
    record = snapshot.assignments.get((alert.sender_id, alert.call_id))
    if record is None or record.alert_at is None or _alert(record) != alert:
        return Plan()
    changes = Changes(snapshot, rules, now)
    if command.error is None:
        changes.assignment(evolve(record, alert_at=None, card=None))
        changes.effect(Count("alert", ("delivered",)))
        return changes.plan()
    if record.alert_attempts >= ATTEMPTS:
        _give_up(changes, record, command.error)
        return changes.plan()
    delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** (record.alert_attempts - 1))
    changes.assignment(evolve(record, alert_at=now + delay * (0.5 + command.jitter / 2), card=None))
    changes.effect(Count("alert", ("waiting",)))
    _log(changes, record, command.error, logging.WARNING, "trying again")
    return changes.plan()


def _give_up(changes: Changes, record: AssignmentRecord, error: str) -> None:
    changes.assignment(evolve(record, alert_at=None, card=None))
    changes.effect(Count("alert", ("failed",)))
    _log(changes, record, error, logging.ERROR, "giving up")


def _log(
    changes: Changes, record: AssignmentRecord, error: str, level: int, consequence: str
) -> None:
    changes.log(
        level,
        "An alert did not reach the webhook, %s: %s call_id=%s attempt=%d",
        consequence,
        error,
        record.assignment.call_id,
        record.alert_attempts,
    )


def _alert(record: AssignmentRecord) -> Alert:
    assignment = record.assignment
    handed_off_at = record.handed_off_at or record.given_at
    return Alert(
        id=derive("alert", assignment.sender_id, assignment.call_id, handed_off_at),
        sender_id=assignment.sender_id,
        call_id=assignment.call_id,
        agent_id=assignment.agent_id,
        handed_off_at=handed_off_at,
        raised_at=record.alerted_at or 0.0,
        attempt=record.alert_attempts,
    )

"""Plan maintenance: expiry, pruning, erasure, token revocation and leader election."""

from __future__ import annotations

from dataclasses import replace

from bridge.model import SuggestionState
from bridge.planners.changes import Changes
from bridge.planners.rules import Rules
from bridge.state.commands import (
    CheckStore,
    DropRevocations,
    EraseRows,
    ExpireSuggestions,
    LeadTask,
    LeaveTask,
    PruneChanges,
    PruneRows,
    RevokeTokens,
    StopErased,
)
from bridge.state.plan import Erase, Plan, Prune, Put
from bridge.state.records import CHANGES_KEPT, LeaderRecord, RevocationRecord
from bridge.state.snapshot import Snapshot


def expire_suggestions(
    snapshot: Snapshot, command: ExpireSuggestions, rules: Rules, now: float
) -> Plan:
    """Expire offered suggestions that are past their time."""
    changes = Changes(snapshot, rules, now)
    late = [
        item
        for item in snapshot.suggestions.values()
        if item.state is SuggestionState.OFFERED and item.expires_at <= now
    ]
    changes.expire_offered(late)
    if snapshot.more:
        changes.effect(Put(command))
    return changes.plan(answer=True)


def revoke(snapshot: Snapshot, command: RevokeTokens, rules: Rules, now: float) -> Plan:
    """Revoke tokens."""
    del snapshot, rules
    record = RevocationRecord(command.subject, now, command.until)
    return Plan(answer=True, revocations=(record,), drop_revocations_before=now)


def drop_revocations(
    snapshot: Snapshot, command: DropRevocations, rules: Rules, now: float
) -> Plan:
    """Delete the revocations of tokens that have expired."""
    del snapshot, command, rules
    return Plan(answer=True, drop_revocations_before=now)


def lead(snapshot: Snapshot, command: LeadTask, rules: Rules, now: float) -> Plan:
    """Become or stay the leader for a task. The answer is whether ``holder`` is the leader."""
    del rules
    current = snapshot.leaders.get(command.name) or LeaderRecord(command.name)
    held = current.held_until is not None and current.held_until >= now
    others = current.holder not in (None, command.holder)
    if others and held and not snapshot.process.is_dead(current.holder):
        return Plan(answer=False)
    record = replace(current, holder=command.holder, held_until=now + command.seconds)
    return Plan(answer=True, leaders=(record,))


def leave(snapshot: Snapshot, command: LeaveTask, rules: Rules, now: float) -> Plan:
    """Give up the leadership for a task."""
    del rules, now
    current = snapshot.leaders.get(command.name)
    if current is None or current.holder != command.holder:
        return Plan(answer=False)
    done_at = current.done_at if command.done_at is None else command.done_at
    return Plan(
        answer=True,
        leaders=(replace(current, holder=None, held_until=None, done_at=done_at),),
    )


def prune(snapshot: Snapshot, command: PruneRows, rules: Rules, now: float) -> Plan:
    """Prune rows that are too old, unless they were reopened. The answer is the number of rows."""
    del snapshot, rules
    rows = Prune(
        command.table,
        tuple(command.keys),
        command.before,
        command.quiet,
        whole=command.whole,
        now=now,
    )
    return Plan(prune=rows, finish=lambda written: written.counts.get(command.table, 0))


def prune_changes(snapshot: Snapshot, command: PruneChanges, rules: Rules, now: float) -> Plan:
    """Delete the oldest rows of the log of changes. The answer is the number of rows."""
    del snapshot, command, rules
    return Plan(
        prune_changes_before=now - CHANGES_KEPT,
        finish=lambda written: written.counts.get("changes", 0),
    )


def stop_erased(snapshot: Snapshot, command: StopErased, rules: Rules, now: float) -> Plan:
    """Delete a person's open rows. The answer is the number of rows by table."""
    del snapshot, rules
    return Plan(
        erase=Erase(erasure=command.erasure, now=now),
        finish=lambda written: dict(written.counts),
    )


def erase(snapshot: Snapshot, command: EraseRows, rules: Rules, now: float) -> Plan:
    """Delete rows by their keys. The answer is the number of rows."""
    del snapshot, rules, now
    return Plan(
        erase=Erase(command.table, tuple(command.keys)),
        finish=lambda written: written.counts.get(command.table, 0),
    )


def check(snapshot: Snapshot, command: CheckStore, rules: Rules, now: float) -> Plan:
    """Write without changing data, to check that the store is writable."""
    del snapshot, command, rules, now
    return Plan(answer=True, touch=True)

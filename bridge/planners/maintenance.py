"""Set-wide chores: expiring, pruning, erasing, revoking, and who does what for all processes."""

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
    PruneRows,
    RevokeTokens,
    StopErased,
)
from bridge.state.plan import Erase, Plan, Prune, Put
from bridge.state.records import LeaderRecord, RevocationRecord
from bridge.state.snapshot import Snapshot


def expire_suggestions(
    snapshot: Snapshot, command: ExpireSuggestions, rules: Rules, now: float
) -> Plan:
    """Expire what is offered and too old."""
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
    """Make tokens void."""
    del snapshot, rules
    record = RevocationRecord(command.subject, now, command.until)
    return Plan(answer=True, revocations=(record,), drop_revocations_before=now)


def drop_revocations(
    snapshot: Snapshot, command: DropRevocations, rules: Rules, now: float
) -> Plan:
    """Delete the revocations of tokens that are void anyway."""
    del snapshot, command, rules
    return Plan(answer=True, drop_revocations_before=now)


def lead(snapshot: Snapshot, command: LeadTask, rules: Rules, now: float) -> Plan:
    """Become, or stay, the one process that does a task; answers whether it is."""
    del rules
    found = snapshot.leaders.get(command.name) or LeaderRecord(command.name)
    held = found.held_until is not None and found.held_until >= now
    others = found.holder not in (None, command.holder)
    if others and held and not snapshot.process.is_dead(found.holder):
        return Plan(answer=False)
    record = replace(found, holder=command.holder, held_until=now + command.seconds)
    return Plan(answer=True, leaders=(record,))


def leave(snapshot: Snapshot, command: LeaveTask, rules: Rules, now: float) -> Plan:
    """Let another process do a task."""
    del rules, now
    found = snapshot.leaders.get(command.name)
    if found is None or found.holder != command.holder:
        return Plan(answer=False)
    done_at = found.done_at if command.done_at is None else command.done_at
    return Plan(
        answer=True,
        leaders=(replace(found, holder=None, held_until=None, done_at=done_at),),
    )


def prune(snapshot: Snapshot, command: PruneRows, rules: Rules, now: float) -> Plan:
    """Erase what is too old, where nothing was opened again; answers how many rows."""
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


def stop_erased(snapshot: Snapshot, command: StopErased, rules: Rules, now: float) -> Plan:
    """Delete what is open of somebody's data; answers how many rows, by table."""
    del snapshot, rules
    return Plan(
        erase=Erase(erasure=command.erasure, now=now),
        finish=lambda written: dict(written.counts),
    )


def erase(snapshot: Snapshot, command: EraseRows, rules: Rules, now: float) -> Plan:
    """Delete rows by their keys; answers how many."""
    del snapshot, rules, now
    return Plan(
        erase=Erase(command.table, tuple(command.keys)),
        finish=lambda written: written.counts.get(command.table, 0),
    )


def check(snapshot: Snapshot, command: CheckStore, rules: Rules, now: float) -> Plan:
    """Write something that changes nothing."""
    del snapshot, command, rules, now
    return Plan(answer=True, touch=True)

"""Decide which commands share a commit, and whether it may be lost."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.core.command_queue import QueuedCommand
from bridge.state.commands import (
    ClaimDeliveries,
    ClaimRequests,
    ClaimUpdates,
    Command,
    CorrectTimes,
    ExpireInquiries,
    ExpireSuggestions,
    ExplainAgent,
    RaiseAlerts,
    Recover,
    ReleaseHeld,
    SendingResult,
    SetSwitch,
    TakeOverSessions,
    WakeAgent,
)

BATCH = 16  # commands: large batches keep conversations in lockstep, small ones cost CPU

# Commands that select rows by a condition instead of by key: each is a batch of its own.
_ALONE = (
    ClaimDeliveries,
    ClaimUpdates,
    ClaimRequests,
    WakeAgent,
    ExplainAgent,
    ReleaseHeld,
    Recover,
    CorrectTimes,
    TakeOverSessions,
    SetSwitch,
    ExpireInquiries,
    ExpireSuggestions,
    RaiseAlerts,
)


def groups(batch: list[QueuedCommand]) -> Iterable[list[QueuedCommand]]:
    """Split a batch so that each command of ``_ALONE`` is committed alone."""
    group: list[QueuedCommand] = []
    for request in batch:
        if isinstance(request.command, _ALONE):
            if group:
                yield group
                group = []
            yield [request]
        else:
            group.append(request)
            if len(group) >= BATCH:
                yield group
                group = []
    if group:
        yield group


def can_be_lost(command: Command) -> bool:
    """Return True if the command may be committed without a sync: an accepted message.

    If the machine crashes and loses it, the message is sent again under the same code, as after
    any attempt with an unknown outcome. Waiting for the disk would cost each message more time
    than everything else in the core.
    """
    return (
        isinstance(command, SendingResult)
        and command.error is None
        and not command.unsent
        and command.new_guid in (None, command.guid)
    )

"""The channel is bounded for those who ask, never for results; chores are behind all others."""

from __future__ import annotations

import pytest

from bridge.core.command_queue import CAPACITY, CommandQueue, FullError, QueuedCommand
from bridge.errors import StoreError
from bridge.state.commands import CheckStore, Command, PruneRows
from tests.core.clock import HeldClock
from tests.core.rig import Asked


def put(channel: CommandQueue, *commands: Command, bounded: bool = True) -> None:
    for command in commands:
        channel.put(QueuedCommand(command, Asked()), bounded=bounded)


def test_it_takes_1024_and_no_more_until_some_are_taken() -> None:
    channel = CommandQueue(HeldClock())
    put(channel, *(CheckStore() for _ in range(1024)))
    assert CAPACITY == 1024
    with pytest.raises(FullError):
        put(channel, CheckStore())
    channel.take(most=16, until=0.0)
    put(channel, *(CheckStore() for _ in range(16)))
    with pytest.raises(FullError):
        put(channel, CheckStore())


def test_results_are_never_refused() -> None:
    channel = CommandQueue(HeldClock())
    put(channel, *(CheckStore() for _ in range(CAPACITY)))
    put(channel, *(CheckStore() for _ in range(100)), bounded=False)
    taken = sum(len(channel.take(most=16, until=0.0)) for _ in range(CAPACITY))
    assert taken == CAPACITY + 100


def test_chores_are_taken_when_nothing_else_is_there() -> None:
    channel = CommandQueue(HeldClock())
    chore = PruneRows(table="events", keys=(), before=0.0, quiet=0.0, whole=False)
    channel.put(QueuedCommand(chore), background=True)
    put(channel, CheckStore())
    taken = [channel.take(most=16, until=0.0) for _ in range(3)]
    assert [[type(item.command) for item in each] for each in taken] == [
        [CheckStore],
        [PruneRows],
        [],
    ]


def test_a_closed_channel_hands_back_what_waits_and_takes_nothing() -> None:
    channel = CommandQueue(HeldClock())
    put(channel, CheckStore())
    assert len(channel.close()) == 1
    with pytest.raises(StoreError):
        put(channel, CheckStore(), bounded=False)

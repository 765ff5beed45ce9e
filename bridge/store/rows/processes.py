"""Convert the rows that all processes share: switches, and the leaders of tasks."""

from __future__ import annotations

from bridge.state.records import LeaderRecord, SwitchRecord
from bridge.store.rows.converting import Row


def switch(row: Row) -> SwitchRecord:
    """Convert a row of ``switches``."""
    return SwitchRecord(*row)


def leader(row: Row) -> LeaderRecord:
    """Convert a row of ``leaders``."""
    return LeaderRecord(*row)

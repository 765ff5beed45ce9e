"""Judge whether the agents' opening hours allow a handoff at a moment.

A moment has exactly one wall time in a zone, and that wall time decides. When the clocks go
forward, the wall times that are left out never come, and spans within them do not open; when the
clocks go back, the wall times that come twice are open, or closed, both times.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bridge.triggers.conditions import Verdict

if TYPE_CHECKING:  # only for types: the package config reads files
    from bridge.config.settings import HoursSettings

_DAY = 24 * 60


def opening(hours: HoursSettings, at: float) -> Verdict:
    """Return whether the hours are open at a moment, in seconds since the epoch.

    A holiday is closed from 00:00 to 24:00. A span over midnight belongs to the day on which it
    begins: if that is a holiday, the span does not open on the next day either.
    """
    local = datetime.fromtimestamp(at, hours.time_zone)
    today = local.date()
    words = f"{local:%a %Y-%m-%d %H:%M} {hours.time_zone.key}"
    if hours.is_holiday(today):
        return Verdict(holds=False, words=f"{words} is a holiday")
    minute = local.hour * 60 + local.minute
    yesterday = today - timedelta(days=1)
    for begun, passed in ((today, minute), (yesterday, minute + _DAY)):
        if hours.is_holiday(begun):
            continue
        if any(span.begin <= passed < span.end for span in hours.spans(begun.weekday())):
            return Verdict(holds=True, words=f"{words} is within the hours")
    return Verdict(holds=False, words=f"{words} is outside the hours")

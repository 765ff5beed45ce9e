"""Read-only views for the API and the command line: lists and single objects from the store.

Nothing here writes to the store: every change is a command for the core. Read ``paging`` first,
then ``deliveries``.
"""

from bridge.queries.calls import Calls, CallView
from bridge.queries.changes import ChangedRow, ChangeLog
from bridge.queries.deliveries import Deliveries, History
from bridge.queries.paging import Page
from bridge.queries.report import Report
from bridge.queries.suggestions import Suggestions
from bridge.queries.timeline import EventKind, Timeline, TimelineEvent
from bridge.queries.tokens import Tokens

__all__ = [
    "CallView",
    "Calls",
    "ChangeLog",
    "ChangedRow",
    "Deliveries",
    "EventKind",
    "History",
    "Page",
    "Report",
    "Suggestions",
    "Timeline",
    "TimelineEvent",
    "Tokens",
]

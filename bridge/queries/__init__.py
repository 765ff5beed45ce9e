"""What the edge and the command line show: lists and single things, read from the store.

Nothing is changed here: what changes anything is a command for the core.
"""

from bridge.queries.calls import Calls, CallView
from bridge.queries.deliveries import Deliveries, History
from bridge.queries.paging import Page
from bridge.queries.suggestions import Suggestions
from bridge.queries.tokens import Tokens

__all__ = ["CallView", "Calls", "Deliveries", "History", "Page", "Suggestions", "Tokens"]

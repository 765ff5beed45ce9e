"""Everything that must not be lost, and the only SQL of the project.

The modules below hold functions that take a transaction first; ``Store.write`` and ``Store.read``
give them one. What belongs together is done in one ``write``.
"""

from bridge.store import (
    ageing,
    assignments,
    deliveries,
    errands,
    events,
    forgetting,
    handoffs,
    leases,
    queue,
    revocations,
    sessions,
    settlements,
    suggestions,
    switches,
    turns,
)
from bridge.store.store import Store, Tx

__all__ = [
    "Store",
    "Tx",
    "ageing",
    "assignments",
    "deliveries",
    "errands",
    "events",
    "forgetting",
    "handoffs",
    "leases",
    "queue",
    "revocations",
    "sessions",
    "settlements",
    "suggestions",
    "switches",
    "turns",
]

"""Two workers, and assignments that the messages bring: each handoff is answered by its outcome."""

from __future__ import annotations

from tests.bench.gateway import BenchGateway
from tests.bench.handoff import Contender, prepare, run
from tests.bench.programs import Bridge
from tests.bench.turns import TOKEN

HANDOFFS = 800
LANES = 16  # at a time; each is answered long before delivery.wait, however busy the machine is


def test_no_handoff_is_pending_because_nothing_was_stored_yet() -> None:
    workers = {"ACTION_SERVER_SANIC_WORKERS": "2"}
    with BenchGateway() as gateway, Bridge(gateway, environ=workers) as bridge:
        contender = Contender(TOKEN, bridge)
        # Counts the answers that say delivered, what the gateway got, each once, and the store.
        run(contender, prepare(contender, "two-workers", HANDOFFS, LANES))

"""The outbox at work against the simulated gateway, without Rasa: one process's half of the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from typing_extensions import Self

from bridge.config.settings import BridgeSettings
from bridge.gateway.client import GatewayClient
from bridge.gateway.courier import Courier
from bridge.gateway.events import Keeper
from bridge.gateway.sender import Sender
from bridge.gateway.sessions import Sessions
from bridge.model import Assignment, Delivery, Owner
from bridge.outbox.worker import Outbox
from bridge.store import Store, Tx, assignments, deliveries, queue

SIGN_IN = {"session": "sign_in", "password": "secret-password", "phone": "40038"}


def settings(url: str, **changes: Any) -> BridgeSettings:
    """``bridge.yml`` with 291 signed in by the bridge and everybody else pushed."""
    given: dict[str, Any] = {
        "gateway": {"url": url, "poll_pause": 0.05},
        "agents": {"291": SIGN_IN, "*": {"session": "pushed"}},
    }
    for key, value in changes.items():
        given[key] = {**given.get(key, {}), **value}
    return BridgeSettings.model_validate(given)


class Rig:
    """A store, a client, sessions, keepers and an outbox; a context manager."""

    def __init__(self, database: str, chosen: BridgeSettings, *, courier: bool = False) -> None:
        self.store = Store(database)
        self.client = GatewayClient(chosen.gateway, connections=32)
        self.keeper = Keeper(self.store, self.client, chosen.gateway)
        self.sessions = Sessions(
            self.store,
            self.client,
            chosen,
            renewed=lambda _agent: self.outbox.ring(),
            signed_in=self.keeper.keep,
            failed=lambda agent_id, error: self.outbox.not_signed_in(agent_id, error),  # noqa: PLW0108 - as in runtime
        )
        self.courier = Courier(chosen.gateway, workers=16)
        sender = Sender(
            self.client, self.sessions, chosen.gateway, self.courier if courier else None
        )
        self.outbox = Outbox(self.store, sender, chosen.delivery)
        self.moved = threading.Event()
        self.outbox.listen(lambda _delivery: self.moved.set())

    def __enter__(self) -> Self:
        self.keeper.start(self.sessions)
        self.outbox.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.outbox.close()
        self.courier.close()
        self.keeper.close()
        self.sessions.close()
        self.client.close()
        self.store.close()

    def assign(self, assignment: Assignment) -> None:
        """Store an assignment whose call the agent owns."""
        now = time.time()
        self.store.write(lambda tx: assignments.give(tx, assignment, Owner.AGENT, "http", now=now))

    def send(self, *batch: Delivery) -> None:
        """Store deliveries as of now, and ring."""

        def store(tx: Tx) -> None:
            queue.add(tx, batch)

        self.store.write(store)
        self.outbox.ring()

    def all(self) -> list[Delivery]:
        """Every delivery."""
        return self.store.read(
            lambda tx: deliveries.listing(
                tx, call_id=None, states=(), agent_id=None, after=0, limit=10_000
            )
        )

    def wait(self, condition: Callable[[list[Delivery]], bool], timeout: float = 15) -> None:
        """Wait until the store shows what is wanted."""
        until = time.monotonic() + timeout
        while not condition(self.all()):
            if time.monotonic() > until:
                shown = [(d.id, d.state.value, d.error) for d in self.all()]
                raise AssertionError(shown)
            self.moved.wait(0.05)
            self.moved.clear()

    def settled(self, count: int, timeout: float = 15) -> list[Delivery]:
        """Wait until ``count`` deliveries are settled; all of them."""
        self.wait(lambda batch: sum(item.state.settled for item in batch) >= count, timeout=timeout)
        return self.all()

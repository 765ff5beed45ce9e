"""A core and its senders at work against the simulated gateway, without Rasa and an edge."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from typing_extensions import Self

from bridge.config.media import MediaSettings
from bridge.config.settings import BridgeSettings, HandoffSettings
from bridge.core.clock import Clock
from bridge.core.core import Core
from bridge.gateway.client import GatewayClient
from bridge.model import Delivery
from bridge.planners import Rules
from bridge.senders import AllSenders
from bridge.senders.polls import LAST_POLL
from bridge.state.records import SessionRecord
from bridge.store import Store, lists, notify
from bridge.store.engine import BUSY_SECONDS
from bridge.translate import Translator
from tests.making import delivery
from tests.store.machine import keep_in

SIGN_IN = {"session": "sign_in", "password": "secret-password", "phone": "40038"}


def settings(url: str, **changes: Any) -> BridgeSettings:
    """``bridge.yml`` with 291 signed in by the bridge and everybody else pushed."""
    given: dict[str, Any] = {
        "gateway": {"url": url, "poll_pause": 0.05},
        "agents": {"291": SIGN_IN, "*": {"session": "pushed"}},
        "channel_config_ids": {"WEB": "202301032048582419"},
    }
    for key, value in changes.items():
        given[key] = {**given.get(key, {}), **value}
    return BridgeSettings.model_validate(given)


def fresh(number: int, *, lasts: float = 300, **changes: Any) -> Delivery:
    """A delivery as of now."""
    now = time.time()
    return delivery(number, created_at=now, due_at=now, expires_at=now + lasts, **changes)


class Rig:
    """A store, a client, senders and a core; a context manager.

    Args:
        database: ``storage.url``; several rigs may share one.
        chosen: the operators' settings.
        clock: the time, where the test sets it.
        busy_timeout: seconds that SQLite waits for another program's transaction.
        last_poll: seconds that a stop waits for polls under way.
    """

    def __init__(
        self,
        database: str,
        chosen: BridgeSettings,
        *,
        clock: Clock | None = None,
        busy_timeout: float = BUSY_SECONDS,
        last_poll: float = LAST_POLL,
    ) -> None:
        self.store = Store(database, busy_timeout=busy_timeout)
        self._elsewhere = Store(database)
        self.client = GatewayClient(chosen.gateway, connections=32)
        self.senders = AllSenders(self.client, None, chosen, last_poll=last_poll)
        rules = Rules.of(chosen, HandoffSettings(), Translator(MediaSettings()))
        self.core = Core(self.store, rules, senders=self.senders, clock=clock)

    def __enter__(self) -> Self:
        self.core.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.core.close()
        self.client.close()
        self.store.close()
        self._elsewhere.close()

    def send(self, *batch: Delivery) -> None:
        """Store deliveries as another process does, and let this one know."""
        with self._elsewhere.transaction() as tx:
            keep_in(tx, deliveries=batch)
            notify(tx, "elsewhere", due=True, turns=(), agents=())

    def keep(self, **rows: Any) -> None:
        """Store rows as they are, as another process does."""
        with self._elsewhere.transaction() as tx:
            keep_in(tx, **rows)

    def all(self) -> list[Delivery]:
        """Every delivery."""
        return self.store.read(lambda tx: lists.deliveries(tx, limit=10_000))

    def session(self, agent_id: str) -> SessionRecord | None:
        """An agent's session as it is stored."""
        return self.store.read(lambda tx: lists.session(tx, agent_id))

    @property
    def free(self) -> int:
        """How many deliveries could be begun."""
        return self.core._in_flight.free

    def wait(self, condition: Callable[[list[Delivery]], bool], timeout: float = 15) -> None:
        """Wait until the store shows what is wanted."""
        until = time.monotonic() + timeout
        while not condition(self.all()):
            if time.monotonic() > until:
                shown = [(d.id, d.state.value, d.error) for d in self.all()]
                raise AssertionError(shown)
            time.sleep(0.02)

    def settled(self, count: int, timeout: float = 15) -> list[Delivery]:
        """Wait until ``count`` deliveries are settled; all of them."""
        self.wait(lambda batch: sum(item.state.settled for item in batch) >= count, timeout=timeout)
        return self.all()


def until(met: Callable[[], object], seconds: float = 15) -> None:
    """Wait until something is so that nothing tells of."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)

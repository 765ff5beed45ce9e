"""Cores with threads of their own, each with a store of its own, as processes have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from bridge.core.clock import Clock
from bridge.core.core import Core
from bridge.errors import GatewayError
from bridge.model import Delivery
from bridge.planners import Rules
from bridge.store import Store, lists
from tests.core.rig import rules
from tests.core.senders import NotingSenders, Sending, ThreadedSenders

Attempt = Callable[[Sending], GatewayError | None]


def delivered(_: Sending) -> None:
    """A gateway that takes everything at once."""


class Running:
    """A store, and a core at work on it."""

    def __init__(
        self,
        url: str,
        attempt: Attempt | None = delivered,
        *,
        clock: Clock | None = None,
        chosen: Rules | None = None,
        busy_timeout: float = 15.0,
        **more: Any,
    ) -> None:
        self.store = Store(url, busy_timeout=busy_timeout)
        self.senders: NotingSenders | None = None
        if attempt is not None:
            self.senders = ThreadedSenders(attempt)
        self.core = Core(self.store, chosen or rules(), senders=self.senders, clock=clock, **more)

    def all(self) -> list[Delivery]:
        """Every delivery, in order."""
        return self.store.read(lambda tx: lists.deliveries(tx, limit=10_000))

    def settled(self) -> bool:
        """Whether there is something, and all of it is settled."""
        found = self.all()
        return bool(found) and all(item.state.settled for item in found)


@contextmanager
def running(url: str, *attempts: Attempt | None, **more: Any) -> Iterator[list[Running]]:
    """A core for each of ``attempts``; one of None sends nothing, as a command's does."""
    with ExitStack() as opened:
        made = []
        for attempt in attempts:
            one = Running(url, attempt, **more)
            opened.callback(one.store.close)
            opened.callback(one.core.close)
            one.core.start()
            made.append(one)
        yield made

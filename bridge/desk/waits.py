"""Who waits in this process for the deliveries of an action call."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field

from bridge.model import Delivery, DeliveryState


@dataclass(slots=True)
class _Open:
    """An action call that is waited for."""

    parts: set[tuple[str, int]]  # reply and part of what is not settled
    futures: list[Future[bool]] = field(default_factory=list)
    told: bool = True  # whatever was settled so far, the customer has


class Waits:
    """Futures by action call. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}

    def expect(self, key: str, batch: Iterable[Delivery]) -> Future[bool]:
        """A future that is done once all of ``batch`` was settled by this process.

        It says whether the customer has it all, as far as this process knows.
        """
        future: Future[bool] = Future()
        parts = {(delivery.reply_key, delivery.part) for delivery in batch}
        with self._lock:
            entry = self._open.setdefault(key, _Open(parts))
            entry.futures.append(future)
            if not entry.parts:
                future.set_result(False)  # nothing to settle: the store knows the rest
        return future

    def forget(self, key: str, future: Future[bool]) -> None:
        """Nobody waits on ``future`` any more."""
        with self._lock:
            entry = self._open.get(key)
            if entry is not None and future in entry.futures:
                entry.futures.remove(future)
                if not entry.futures:
                    del self._open[key]

    def moved(self, delivery: Delivery) -> None:
        """A delivery was moved; what fails takes the rest of its reply with it."""
        if delivery.turn_key is None or not delivery.state.settled:
            return
        with self._lock:
            entry = self._open.get(delivery.turn_key)
            if entry is None:
                return
            failed = delivery.state in (DeliveryState.FAILED, DeliveryState.EXPIRED)
            entry.told = entry.told and not failed
            entry.parts.difference_update(
                [
                    (reply, part)
                    for reply, part in entry.parts
                    if reply == delivery.reply_key
                    and (part == delivery.part or (failed and part > delivery.part))
                ]
            )
            done = [] if entry.parts else [each for each in entry.futures if not each.done()]
            told = entry.told
        for future in done:
            future.set_result(told)

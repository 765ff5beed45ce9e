"""Who waits in this process for the deliveries of an action call."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future

from bridge.model import Delivery, DeliveryState


class Waits:
    """Futures by action call. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[set[tuple[str, int]], list[Future[None]]]] = {}

    def expect(self, key: str, batch: Iterable[Delivery]) -> Future[None]:
        """A future that is done once all of ``batch`` was settled by this process."""
        future: Future[None] = Future()
        parts = {(delivery.reply_key, delivery.part) for delivery in batch}
        with self._lock:
            open_parts, futures = self._open.setdefault(key, (parts, []))
            futures.append(future)
            if not open_parts:
                future.set_result(None)
        return future

    def forget(self, key: str, future: Future[None]) -> None:
        """Nobody waits on ``future`` any more."""
        with self._lock:
            entry = self._open.get(key)
            if entry is not None and future in entry[1]:
                entry[1].remove(future)
                if not entry[1]:
                    del self._open[key]

    def moved(self, delivery: Delivery) -> None:
        """A delivery was moved; what fails takes the rest of its reply with it."""
        if delivery.turn_key is None or not delivery.state.settled:
            return
        with self._lock:
            entry = self._open.get(delivery.turn_key)
            if entry is None:
                return
            parts, futures = entry
            whole = delivery.state in (DeliveryState.FAILED, DeliveryState.EXPIRED)
            parts.difference_update(
                {
                    (reply, part)
                    for reply, part in parts
                    if reply == delivery.reply_key
                    and (part == delivery.part or (whole and part > delivery.part))
                }
            )
            if not parts:
                for future in futures:
                    if not future.done():
                        future.set_result(None)

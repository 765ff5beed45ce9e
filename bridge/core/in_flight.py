"""What the senders of this process are working on."""

from __future__ import annotations

from bridge.model import Delivery
from bridge.state.records import RasaUpdate, UpdateKind

_UPDATES = 4  # concurrent updates to Rasa
_INQUIRIES = 32  # concurrent inquiries, in whose time other updates are sent


class InFlight:
    """Belongs to the core's thread.

    Args:
        workers: maximum number of deliveries in flight.

    Attributes:
        sending: deliveries by number, until the result arrives.
        held: deliveries by number, until the result is committed.
        updates: updates for Rasa by number, until the result is committed.
        signing: agents that are being signed in.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.sending: dict[int, Delivery] = {}
        self.held: dict[int, Delivery] = {}
        self.updates: dict[int, RasaUpdate] = {}
        self.signing: set[str] = set()

    @property
    def free(self) -> int:
        """How many more deliveries may be sent."""
        return self.workers - len(self.sending)

    @property
    def free_updates(self) -> tuple[int, int]:
        """How many more inquiries and how many other updates may be sent."""
        sending = self.updates.values()
        asking = sum(update.kind is UpdateKind.INQUIRY for update in sending)
        return _INQUIRIES - asking, _UPDATES - (len(sending) - asking)

    def arrived(self, sent: Delivery) -> None:
        """Note that the result of a sending has arrived."""
        _forget(self.sending, sent)

    def stored(self, sent: Delivery) -> None:
        """Note that the result of a sending is committed."""
        _forget(self.held, sent)


def _forget(attempts: dict[int, Delivery], sent: Delivery) -> None:
    """Remove a finished attempt, unless a newer one holds another lease."""
    attempt = attempts.get(sent.seq)
    if attempt is not None and attempt.lease == sent.lease:
        del attempts[sent.seq]

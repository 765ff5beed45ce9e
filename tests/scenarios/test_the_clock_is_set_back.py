"""What Rasa is to be told does not wait for the clock to come to an hour once more."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bridge.desk.responses import Responses
from bridge.messenger import Messenger
from bridge.store import Store, errands
from bridge.store.errands import Errand, Kind

pytestmark = pytest.mark.both_engines


class Rasa:
    """Takes everything, and says when."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.events: list[dict[str, Any]] = []

    def add_events(
        self, sender_id: str, events: list[dict[str, Any]], *, to_customer: bool = False
    ) -> None:
        assert (sender_id, to_customer) == ("sender", False)
        self.events += events
        self.told.set()


def test_a_handback_is_told_though_its_time_is_an_hour_ahead(store_url: str) -> None:
    ahead = time.time() + 3600
    errand = Errand(
        seq=0,
        id="errand",
        sender_id="sender",
        call_id="call",
        kind=Kind.RESUME,
        body={"error": None},
        made_at=ahead,
        due_at=ahead,
        give_up_at=ahead + 3600,
    )
    store, rasa = Store(store_url), Rasa()
    store.write(lambda tx: errands.add(tx, errand))
    messenger = Messenger(store, rasa, Responses(None, None), None)  # type: ignore[arg-type]
    messenger.start()
    try:
        assert rasa.told.wait(10)
        assert rasa.events[0] == {"event": "resume"}
    finally:
        messenger.close()
        store.close()

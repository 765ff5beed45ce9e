"""What Rasa is to be told does not wait for the clock to come to an hour once more."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from bridge.state.records import RasaUpdate, UpdateKind
from bridge.store import Store
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.rasa_stub import RasaStub
from tests.store.machine import keep

pytestmark = pytest.mark.both_engines


def test_a_handback_is_told_though_its_time_is_an_hour_ahead(
    open_office: OpenOffice, store_url: str
) -> None:
    ahead = time.time() + 3600
    update = RasaUpdate(
        seq=0,
        id="update",
        sender_id="sender",
        call_id="call",
        kind=UpdateKind.RESUME,
        body={"error": None},
        created_at=ahead,
        due_at=ahead,
        expires_at=ahead + 3600,
    )
    with closing(Store(store_url)) as store:
        keep(store, updates=[update])
    with RasaStub() as rasa:
        open_office(rasa={"url": rasa.url})
        rasa.wait_for("resume")
        assert rasa.events()[0] == {"event": "resume"}

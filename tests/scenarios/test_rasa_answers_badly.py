"""Whatever Rasa's HTTP API does, it comes to a RasaError, and that holds no secret."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.config.settings import RasaSettings
from bridge.errors import RasaError
from bridge.rasa import Rasa
from tests.scenarios.rasa_stub import RasaStub

TOKEN = "the-token-of-rasa"


@pytest.fixture
def stub() -> Iterator[RasaStub]:
    with RasaStub() as found:
        yield found


@pytest.fixture
def rasa(stub: RasaStub) -> Iterator[Rasa]:
    settings = {"url": stub.url, "token": TOKEN, "timeout": 0.3}
    found = Rasa(RasaSettings.model_validate(settings))
    yield found
    found.close()


@pytest.mark.parametrize(
    ("fate", "status", "unknown"),
    [
        ("500", 500, False),
        ("html", 0, False),
        ("cut", 0, False),
        ("drop_after", 0, False),
        ("hold_pushed", 0, True),
    ],
)
def test_it_is_told_as_what_it_was(
    rasa: Rasa, stub: RasaStub, fate: str, status: int, *, unknown: bool
) -> None:
    stub.failures = [fate]
    with pytest.raises(RasaError) as raised:
        rasa.add_events("sender", [{"event": "bot", "text": "Hello"}])
    assert (raised.value.status, raised.value.unknown) == (status, unknown)
    assert TOKEN not in str(raised.value)


def test_where_nobody_listens(rasa: Rasa, stub: RasaStub) -> None:
    stub.close()
    with pytest.raises(RasaError) as raised:
        rasa.domain()
    assert (raised.value.status, raised.value.unknown) == (0, False)
    assert TOKEN not in str(raised.value)

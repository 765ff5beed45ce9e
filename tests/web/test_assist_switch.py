"""One word to stop or slow assist for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.serving import ActionServer, error
from tests.web.talking import Talk


@pytest.fixture(autouse=True)
def _lifted(server: ActionServer) -> Iterator[None]:
    yield
    server.put("/bridge/assist", json={"mode": None})


def test_it_is_put_read_and_lifted(server: ActionServer) -> None:
    assert server.get("/bridge/assist").json() == {
        "mode": "suggest",
        "configured": "suggest",
        "ceiling": None,
    }
    off = server.put("/bridge/assist", json={"mode": "off"})
    assert (off.status_code, off.json()) == (
        200,
        {"mode": "off", "configured": "suggest", "ceiling": "off"},
    )
    assert server.get("/bridge/assist").json() == off.json()
    lifted = server.put("/bridge/assist", json={"mode": None})
    assert lifted.json() == {"mode": "suggest", "configured": "suggest", "ceiling": None}


def test_a_ceiling_is_no_floor(server: ActionServer) -> None:
    put = server.put("/bridge/assist", json={"mode": "auto"}).json()
    assert put == {"mode": "suggest", "configured": "suggest", "ceiling": "auto"}


def test_off_nothing_is_offered_from_then_on(talk: Talk) -> None:
    assert len(talk.asks()) == 1
    talk.server.put("/bridge/assist", json={"mode": "off"})
    assert talk.asks() == []
    assert talk.server.get(talk.call).json()["assist"] == "off"
    talk.server.put("/bridge/assist", json={"mode": None})
    assert len(talk.asks()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mode": "loud"},
        {"mode": True},
        {"mode": ["off"]},
        {"mode": "OFF"},
        {"mode": "off", "a": 1},
    ],
)
def test_a_mode_that_is_none(server: ActionServer, body: dict[str, Any]) -> None:
    assert error(server.put("/bridge/assist", json=body), 422) == "invalid_mode"
    assert server.get("/bridge/assist").json()["ceiling"] is None

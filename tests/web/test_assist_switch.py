"""One word to stop or slow assist for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.web.routes import named_token
from tests.web.serving import API_TOKEN, ActionServer, error
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


def test_a_supervisor_lowers_it_and_only_a_system_raises_it(server: ActionServer) -> None:
    boss = server.post("/bridge/tokens", json={"supervisor": "boss"}).json()["token"]
    kb = named_token("suggestions")

    def put(mode: str | None, token: str = boss) -> requests.Response:
        return server.put("/bridge/assist", json={"mode": mode}, token=token)

    def ceiling() -> str | None:
        found: str | None = server.get("/bridge/assist", token=boss).json()["ceiling"]
        return found

    for mode in ("auto", None):  # the mode in force is suggest
        assert error(put(mode), 403) == "forbidden"
    assert ceiling() is None
    for mode in ("suggest", "off", "off"):
        assert put(mode).json()["ceiling"] == mode
    for mode in ("suggest", "auto", None):
        assert error(put(mode), 403) == "forbidden"
    assert ceiling() == "off"
    assert error(put("off", kb), 403) == "forbidden"
    for mode in ("auto", None):
        assert put(mode, API_TOKEN).json()["ceiling"] == mode


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

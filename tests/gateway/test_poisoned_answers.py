"""Whatever the gateway answers, it is stored, and all else goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.model import AgentId, DeliveryState
from bridge.store import lists
from tests import poison
from tests.gateway.rig import Rig, fresh, settings, until
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines

VALUES = ("\ud83d", "a\0b", "\x1b[31m\nINFO forged", 10**400, "x" * 5000, [[["deep"] * 3]], None)


def answers(gateway: Simulator, path: str, **body: Any) -> None:
    gateway.fault("garbage", path=path, body=json.dumps(body), times=1)


def test_a_retcode_fails_its_own_message(gateway: Simulator, store_url: str) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(0))
        rig.settled(1)
        for number, value in enumerate(VALUES, 1):
            answers(gateway, "*sendmessage", retcode=value, message=value)
            rig.send(fresh(2 * number, call="A"), fresh(2 * number + 1, call="B"))
            rig.settled(2 * number + 1)
        states = {item.state for item in rig.all()}
        assert states == {DeliveryState.DELIVERED, DeliveryState.FAILED}
        for item in rig.all():
            if item.error is not None:
                assert poison.is_storable([item.error.code, item.error.message])
                assert poison.is_one_line(item.error.code + item.error.message)


def test_an_event_stops_no_polling(gateway: Simulator, store_url: str) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        rig.settled(1)
        for value in VALUES:
            event = {"eventType": value, "content": {"value": value, str(value)[:40]: 1}}
            answers(gateway, "agentevent/*", retcode="0", event=event)
        nested = (
            '{"retcode":"0","event":{"eventType":"deep","content":' + "[" * 900 + "]" * 900 + "}}"
        )
        gateway.fault("garbage", path="agentevent/*", body=nested, times=1)

        def stored() -> list[Any]:
            return rig.store.read(lambda tx: lists.events_of_agent(tx, AgentId("291"), limit=1000))

        until(lambda: any(event.event_type == "deep" for event in stored()))
        assert poison.is_storable([[event.event_type, event.content] for event in stored()])
        polls = len(gateway.recorded(operation="poll"))
        gateway.wait_for(requests=polls + 3, operation="poll")
        assert rig.core._refusals.pending == []


@pytest.mark.parametrize("value", VALUES[:4], ids=range(4))
def test_a_sign_in_that_is_answered_oddly_is_explained(
    gateway: Simulator, store_url: str, value: Any
) -> None:
    answers(gateway, "onlineagent/*", retcode=value, message=value)
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(requests=1, operation="sign_in")
        rig.wait(lambda batch: batch[0].error is not None)
        error = rig.all()[0].error
        assert error is not None
        assert poison.is_one_line(error.code + error.message)
        session = rig.session("291")
        assert session is not None
        assert poison.is_one_line(f"{session.error_code}{session.error_message}")

"""Messages that a process of their own sends: as many as without, in order, and none twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from bridge.config.settings import GatewaySettings
from bridge.errors import (
    FinalError,
    GatewayError,
    RetryableError,
    SessionGoneError,
    UnknownOutcomeError,
    UnreachableError,
)
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.gateway.courier import Courier
from bridge.model import Delivery, DeliveryState, Guid, derive
from tests.gateway.rig import Rig, settings
from tests.making import delivery
from tests.simulator.harness import Simulator


@dataclass
class Heard:
    """What became of one call."""

    known: threading.Event = field(default_factory=threading.Event)
    guid: Guid | None = None
    cookies: tuple[str, ...] = ()
    error: GatewayError | None = None

    def __call__(
        self, guid: Guid | None, cookies: tuple[str, ...], error: GatewayError | None
    ) -> None:
        assert not self.known.is_set()  # once
        self.guid, self.cookies, self.error = guid, cookies, error
        self.known.set()


@pytest.fixture
def courier(gateway: Simulator) -> Iterator[Courier]:
    made = Courier(GatewaySettings(url=gateway.url), workers=8)
    made.start_soon()
    until(lambda: made.ready)
    yield made
    process = made._process
    made.close()
    assert process is None or process.returncode is not None


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something holds that nothing tells of."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def call(courier: Courier, guid: str, *, timeout: float = 8, cookies: str | None = None) -> Heard:
    heard = Heard()
    request = wire.send_message(delivery(), GatewaySettings(url="http://127.0.0.1:9"))
    assert courier.take("291", request, Guid(guid), cookies=cookies, timeout=timeout, done=heard)
    return heard


def made(courier: Courier, guid: str, *, timeout: float = 8) -> Heard:
    heard = call(courier, guid, timeout=timeout)
    assert heard.known.wait(timeout + 5)
    return heard


def test_a_call_is_made_by_another_process(courier: Courier, gateway: Simulator) -> None:
    heard = made(courier, gateway.sign_in("291"))
    assert heard.error is None
    assert len(gateway.messages()) == 1
    assert courier._process is not None
    assert courier._process.pid != os.getpid()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "7"}}, RetryableError),
        ({"kind": "status", "status": 500}, UnknownOutcomeError),
        ({"kind": "retcode", "retcode": "100-006"}, SessionGoneError),
        ({"kind": "retcode", "retcode": "106-002"}, FinalError),
        ({"kind": "drop_after"}, UnknownOutcomeError),
    ],
)
def test_what_a_call_came_to_is_told_as_it_is(
    courier: Courier, gateway: Simulator, fault: dict[str, object], kind: type[GatewayError]
) -> None:
    guid = gateway.sign_in("291")
    gateway.fault(**fault, path="*sendmessage")  # type: ignore[arg-type]
    error = made(courier, guid).error
    assert type(error) is kind
    if isinstance(error, RetryableError):
        assert error.retry_after == 7


def test_a_new_guid_and_cookies_are_told(courier: Courier, gateway: Simulator) -> None:
    guid = gateway.sign_in("291")
    headers = {"Set-GUID": "JSESSIONID=new.AgentGateway0", "Set-Cookie": "node=a1; Path=/"}
    answer = '{"message": "", "retcode": "0"}'
    gateway.fault("status", path="*sendmessage", status=200, body=answer, headers=headers)
    heard = made(courier, guid)
    assert heard.error is None
    assert heard.guid == "new.AgentGateway0"
    assert heard.cookies == ("node=a1; Path=/",)


def test_a_gateway_that_is_not_there_is_unreachable() -> None:
    away = Courier(GatewaySettings(url="http://127.0.0.1:9"), workers=1)
    away.start_soon()
    try:
        until(lambda: away.ready)
        assert type(made(away, "a-guid").error) is UnreachableError
    finally:
        away.close()


def test_a_call_ends_at_its_deadline(courier: Courier, gateway: Simulator) -> None:
    guid = gateway.sign_in("291")
    gateway.fault("hang", path="*sendmessage")
    assert type(made(courier, guid, timeout=0.5).error) is UnknownOutcomeError


def test_what_a_process_was_making_that_was_killed_is_unknown(
    courier: Courier, gateway: Simulator
) -> None:
    guid = gateway.sign_in("291")
    gateway.fault("hang", path="*sendmessage")
    heard = call(courier, guid)
    gateway.wait_for(requests=2)
    assert courier._process is not None
    courier._process.kill()
    assert heard.known.wait(10)
    assert type(heard.error) is UnknownOutcomeError
    assert not courier.ready


def test_a_process_that_does_not_answer_any_more_is_given_up(
    courier: Courier, gateway: Simulator
) -> None:
    guid = gateway.sign_in("291")
    assert courier._process is not None
    os.kill(courier._process.pid, signal.SIGSTOP)
    heard = call(courier, guid, timeout=0.5)
    assert heard.known.wait(10)
    assert type(heard.error) is UnknownOutcomeError
    assert not courier.ready
    assert gateway.messages() == []


def burst(rig: Rig, calls: int, each: int) -> None:
    """Store ``each`` messages for each of so many calls, call by call."""
    rig.send(*(fresh(number, f"call-{number // each}") for number in range(calls * each)))


def fresh(number: int, call: str) -> Delivery:
    now = time.time()
    return delivery(number, call=call, created_at=now, due_at=now, expires_at=now + 300)


def in_order(gateway: Simulator, calls: int, each: int) -> int:
    """How many messages were sent more than once, under one code; nothing else went wrong."""
    said: dict[str, list[str]] = {}
    for message in gateway.messages():
        said.setdefault(message["call"], []).append(message["code"])
    assert set(said) == {f"call-{call}" for call in range(calls)}
    for call, codes in said.items():
        first = int(call.removeprefix("call-")) * each
        wanted = [derive("test", number) for number in range(first, first + each)]
        assert list(dict.fromkeys(codes)) == wanted
    return sum(len(codes) for codes in said.values()) - calls * each


@pytest.fixture
def rig(gateway: Simulator, store_url: str) -> Iterator[Rig]:
    with Rig(store_url, settings(gateway.url), courier=True) as opened:
        yield opened


def with_courier(rig: Rig) -> None:
    rig.courier.start_soon()
    until(lambda: rig.courier.ready)


def test_few_messages_at_a_time_need_no_other_process(rig: Rig, gateway: Simulator) -> None:
    burst(rig, calls=3, each=4)
    gateway.wait_for(messages=12)
    rig.settled(12)
    assert rig.courier._process is None


def test_many_at_a_time_are_sent_by_another_process(rig: Rig, gateway: Simulator) -> None:
    gateway.fault("delay", path="*sendmessage", ms=100, times=None)
    burst(rig, calls=30, each=2)
    until(lambda: rig.courier.ready)
    assert {item.state for item in rig.settled(60)} == {DeliveryState.DELIVERED}
    assert in_order(gateway, calls=30, each=2) == 0


def test_a_burst_keeps_its_order_and_says_nothing_twice(rig: Rig, gateway: Simulator) -> None:
    with_courier(rig)
    burst(rig, calls=40, each=4)
    assert {item.state for item in rig.settled(160)} == {DeliveryState.DELIVERED}
    assert in_order(gateway, calls=40, each=4) == 0
    assert rig.courier._number > 100  # they did go that way


def test_a_process_that_is_killed_in_a_burst_loses_nothing(rig: Rig, gateway: Simulator) -> None:
    with_courier(rig)
    gateway.fault("delay", path="*sendmessage", ms=30, times=None)
    burst(rig, calls=30, each=4)
    gateway.wait_for(messages=20)
    assert rig.courier._process is not None
    rig.courier._process.kill()
    assert {item.state for item in rig.settled(120, timeout=60)} == {DeliveryState.DELIVERED}
    again = in_order(gateway, calls=30, each=4)
    assert again <= 16  # what was under way, under its own code


def test_a_session_that_is_gone_in_a_burst_is_renewed_once(rig: Rig, gateway: Simulator) -> None:
    with_courier(rig)
    burst(rig, calls=1, each=1)
    rig.settled(1)
    gateway.expire("291")
    before = len(gateway.recorded(operation="sign_in"))
    rig.send(*(fresh(number, f"c-{number}") for number in range(1, 41)))
    assert {item.state for item in rig.settled(41)} == {DeliveryState.DELIVERED}
    assert len(gateway.recorded(operation="sign_in")) - before == 1


def test_the_load_balancers_cookie_goes_with_the_message(store_url: str) -> None:
    with (
        Simulator("--cookie", "required", "--poll-seconds", "0.1") as strict,
        Rig(store_url, settings(strict.url), courier=True) as rig,
    ):
        with_courier(rig)
        burst(rig, calls=10, each=1)
        assert {item.state for item in rig.settled(10)} == {DeliveryState.DELIVERED}
        rig.send(*(fresh(number, f"call-{number}") for number in range(10, 20)))
        rig.settled(20)
        assert in_order(strict, calls=20, each=1) == 0
        assert rig.courier._number >= 10


def test_a_new_cookie_that_the_process_was_given_is_kept(gateway: Simulator) -> None:
    client = GatewayClient(GatewaySettings(url=gateway.url), connections=1)
    request = wire.send_message(delivery(), GatewaySettings(url=gateway.url))
    assert client.cookies("291", request) is None
    client.keep("291", request, ["node=a1; Path=/", "more=2; Path=/elsewhere"])
    assert client.cookies("291", request) == "node=a1"
    client.close()

"""Messages that a process of their own sends: in order, none lost, and none twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.config.settings import BridgeSettings
from bridge.core.clock import Clock
from bridge.core.command_queue import CommandQueue
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
from bridge.model import DeliveryState, Guid, derive
from bridge.senders.deliveries import SenderProcess
from bridge.state.commands import Command, SendingResult
from tests.gateway.rig import Rig, fresh, settings, until
from tests.making import delivery
from tests.simulator.harness import Simulator


class Sender:
    """A sender process, and what its calls came to, in the order in which that was told."""

    def __init__(self, url: str) -> None:
        chosen = BridgeSettings.model_validate({"gateway": {"url": url}})
        self._client = GatewayClient(chosen.gateway, connections=1)
        self._came = threading.Condition()
        self._results: dict[int, SendingResult] = {}
        self._numbers = iter(range(1, 1000))
        self.process = SenderProcess(self._client, chosen, self._put, CommandQueue(Clock()).watch)

    def _put(self, command: Command) -> None:
        assert isinstance(command, SendingResult)
        with self._came:
            assert command.delivery.seq not in self._results  # once
            self._results[command.delivery.seq] = command
            self._came.notify_all()

    def begin(self, guid: str, *, timeout: float = 8) -> int:
        """Hand a message over; its number."""
        number = next(self._numbers)
        item = delivery(number, seq=number)
        self.process.submit(item, Guid(guid), timeout, retried=False)
        self.process.flush()
        return number

    def result(self, number: int, *, within: float = 15) -> SendingResult:
        """What a message came to."""
        with self._came:
            assert self._came.wait_for(lambda: number in self._results, within)
            return self._results[number]

    def made(self, guid: str, *, timeout: float = 8) -> SendingResult:
        """Send a message, and wait for what it came to."""
        return self.result(self.begin(guid, timeout=timeout), within=timeout + 7)

    @property
    def pid(self) -> int:
        until(lambda: self.process._process is not None)
        assert self.process._process is not None
        return self.process._process.pid

    def close(self) -> None:
        self.process.close()
        self._client.close()


@pytest.fixture
def sender(gateway: Simulator) -> Iterator[Sender]:
    opened = Sender(gateway.url)
    pid = opened.pid
    yield opened
    opened.close()
    until(lambda: not running(pid))


def is_stopped(pid: int) -> bool:
    """Whether every thread of a process has stopped."""
    states = [
        stat.read_text(encoding="utf-8") for stat in Path("/proc", str(pid)).glob("task/*/stat")
    ]
    return all(state.rpartition(")")[2].split()[0] == "T" for state in states)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_call_is_made_by_another_process(sender: Sender, gateway: Simulator) -> None:
    made = sender.made(gateway.sign_in("291"))
    assert made.error is None
    assert len(gateway.messages()) == 1
    assert sender.pid != os.getpid()


def test_it_starts_without_a_word(gateway: Simulator) -> None:
    """What it writes goes where the server's own errors go."""
    script = (
        "import sys, time\n"
        "from bridge.config.settings import BridgeSettings\n"
        "from bridge.gateway.client import GatewayClient\n"
        "from bridge.core.command_queue import CommandQueue\n"
        "from bridge.core.clock import Clock\n"
        "from bridge.senders.deliveries import SenderProcess\n"
        "chosen = BridgeSettings.model_validate({'gateway': {'url': sys.argv[1]}})\n"
        "client = GatewayClient(chosen.gateway, connections=1)\n"
        "process = SenderProcess(client, chosen, print, CommandQueue(Clock()).watch)\n"
        "time.sleep(2)\n"
        "process.close()\n"
    )
    command = [sys.executable, "-c", script, gateway.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("", "")


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
    sender: Sender, gateway: Simulator, fault: dict[str, Any], kind: type[GatewayError]
) -> None:
    guid = gateway.sign_in("291")
    gateway.fault(**fault, path="*sendmessage")
    error = sender.made(guid).error
    assert type(error) is kind
    if isinstance(error, RetryableError):
        assert error.retry_after == 7


def test_a_new_guid_is_told_and_cookies_are_kept(sender: Sender, gateway: Simulator) -> None:
    guid = gateway.sign_in("291")
    headers = {"Set-GUID": "JSESSIONID=new.AgentGateway0", "Set-Cookie": "node=a1; Path=/"}
    answer = '{"message": "", "retcode": "0"}'
    gateway.fault("status", path="*sendmessage", status=200, body=answer, headers=headers)
    made = sender.made(guid)
    assert made.error is None
    assert made.new_guid == "new.AgentGateway0"
    request = wire.send_message(delivery(), sender.process._settings.gateway)
    assert sender._client.cookies("291", request) == "node=a1"


def test_a_gateway_that_is_not_there_is_unreachable() -> None:
    away = Sender("http://127.0.0.1:9")
    try:
        assert type(away.made("a-guid").error) is UnreachableError
    finally:
        away.close()


def test_a_call_ends_at_its_deadline(sender: Sender, gateway: Simulator) -> None:
    guid = gateway.sign_in("291")
    sender.made(guid)  # it has started
    gateway.fault("hang", path="*sendmessage")
    assert type(sender.made(guid, timeout=0.5).error) is UnknownOutcomeError


def test_what_a_process_was_making_that_was_killed_is_unknown_and_another_goes_on(
    sender: Sender, gateway: Simulator
) -> None:
    guid = gateway.sign_in("291")
    hang = gateway.fault("hang", path="*sendmessage")
    number = sender.begin(guid)
    gateway.wait_for(requests=2)
    first = sender.pid
    os.kill(first, signal.SIGKILL)
    assert type(sender.result(number).error) is UnknownOutcomeError
    gateway.clear_faults(hang)
    assert sender.made(guid).error is None
    assert sender.pid != first


def test_a_process_that_does_not_answer_any_more_is_given_up(
    sender: Sender, gateway: Simulator
) -> None:
    guid = gateway.sign_in("291")
    sender.made(guid)
    first = sender.pid
    os.kill(first, signal.SIGSTOP)
    until(lambda: is_stopped(first))
    number = sender.begin(guid, timeout=0.5)
    assert type(sender.result(number).error) is UnknownOutcomeError
    assert len(gateway.messages()) == 1
    assert sender.made(guid).error is None
    assert not running(first)


def test_a_process_whose_bridge_was_killed_ends(gateway: Simulator) -> None:
    script = (
        "import sys, time\n"
        "from bridge.config.settings import BridgeSettings\n"
        "from bridge.gateway.client import GatewayClient\n"
        "from bridge.core.command_queue import CommandQueue\n"
        "from bridge.core.clock import Clock\n"
        "from bridge.senders.deliveries import SenderProcess\n"
        "chosen = BridgeSettings.model_validate({'gateway': {'url': sys.argv[1]}})\n"
        "client = GatewayClient(chosen.gateway, connections=1)\n"
        "process = SenderProcess(client, chosen, print, CommandQueue(Clock()).watch)\n"
        "while process._process is None:\n"
        "    time.sleep(0.01)\n"
        "print(process._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, gateway.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bridge:
        assert bridge.stdout is not None
        pid = int(bridge.stdout.readline())
        bridge.kill()
    until(lambda: not running(pid))


def burst(rig: Rig, calls: int, each: int) -> None:
    """Store ``each`` messages for each of so many calls, call by call."""
    rig.send(*(fresh(number, call=f"call-{number // each}") for number in range(calls * each)))


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
    with Rig(store_url, settings(gateway.url)) as opened:
        yield opened


def test_a_burst_keeps_its_order_and_says_nothing_twice(rig: Rig, gateway: Simulator) -> None:
    burst(rig, calls=40, each=4)
    assert {item.state for item in rig.settled(160)} == {DeliveryState.DELIVERED}
    assert in_order(gateway, calls=40, each=4) == 0


def test_a_process_that_is_killed_in_a_burst_loses_nothing(rig: Rig, gateway: Simulator) -> None:
    gateway.fault("delay", path="*sendmessage", ms=30, times=None)
    burst(rig, calls=30, each=4)
    gateway.wait_for(messages=20)
    process = rig.senders._deliveries._process
    assert process is not None
    process.kill()
    assert {item.state for item in rig.settled(120, timeout=60)} == {DeliveryState.DELIVERED}
    again = in_order(gateway, calls=30, each=4)
    assert again <= 30  # what was under way, one of a call, under its own code


def test_a_session_that_is_gone_in_a_burst_is_renewed_once(rig: Rig, gateway: Simulator) -> None:
    burst(rig, calls=1, each=1)
    rig.settled(1)
    gateway.expire("291")
    before = len(gateway.recorded(operation="sign_in"))
    rig.send(*(fresh(number, call=f"c-{number}") for number in range(1, 41)))
    assert {item.state for item in rig.settled(41)} == {DeliveryState.DELIVERED}
    assert len(gateway.recorded(operation="sign_in")) - before == 1


def test_the_load_balancers_cookie_goes_with_the_message(store_url: str) -> None:
    with (
        Simulator("--cookie", "required", "--poll-seconds", "0.1") as strict,
        Rig(store_url, settings(strict.url)) as rig,
    ):
        burst(rig, calls=10, each=1)
        assert {item.state for item in rig.settled(10)} == {DeliveryState.DELIVERED}
        rig.send(*(fresh(number, call=f"call-{number}") for number in range(10, 20)))
        rig.settled(20)
        assert in_order(strict, calls=20, each=1) == 0


def test_a_new_cookie_that_the_process_was_given_is_kept(gateway: Simulator) -> None:
    client = GatewayClient(settings(gateway.url).gateway, connections=1)
    request = wire.send_message(delivery(), settings(gateway.url).gateway)
    assert client.cookies("291", request) is None
    client.keep("291", request, ["node=a1; Path=/", "more=2; Path=/elsewhere"])
    assert client.cookies("291", request) == "node=a1"
    client.close()

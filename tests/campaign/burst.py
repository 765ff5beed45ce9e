"""A whole bridge in this process, agents who write much at once, and what became of it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from types import TracebackType
from typing import Any

from typing_extensions import Self

from bridge.config.settings import BridgeSettings, HandoffSettings, Settings
from bridge.context import Context
from bridge.core.clock import Clock
from bridge.errors import StoreError
from bridge.model import Delivery, DeliveryState
from bridge.runtime import Runtime
from bridge.service import Service
from bridge.state.commands import SendReply
from bridge.state.records import AssignmentRecord, Stored
from bridge.store import lists
from bridge.store.engine import BUSY_SECONDS
from bridge.web.api import assignments
from bridge.web.requests import AssignmentRequest
from tests.campaign.customer import Seen, seen
from tests.simulator.harness import Simulator

SETTLED_WITHIN = 40.0  # seconds
SEND = "*/sendmessage"
# Deadlines with which a gateway that hangs costs a test little. A machine that is busy may take
# longer to answer: then a message is said again.
HASTY: dict[str, Any] = {
    "gateway": {"connect_timeout": 0.5, "read_timeout": 0.7},
    "delivery": {"attempt_timeout": 1.5},
}
_AGENT = {"session": "sign_in", "password": "secret-password", "phone": "40038"}


@dataclass(frozen=True)
class Told:
    """What became of a burst.

    Attributes:
        states: of the deliveries of each call, in the order in which they were stored.
        seen: what the customers got.
    """

    states: dict[str, list[str]]
    seen: Seen

    def all_delivered(self) -> bool:
        return {state for states in self.states.values() for state in states} == {"delivered"}


class Burst:
    """A bridge with its usual deadlines, unless ``changes`` say otherwise.

    Attributes:
        refused: set once an agent was told that the store took nothing.
    """

    def __init__(
        self,
        gateway: Simulator,
        database: str,
        /,
        *,
        clock: Clock | None = None,
        busy_timeout: float = BUSY_SECONDS,
        **changes: Any,
    ) -> None:
        self._gateway = gateway
        given: dict[str, Any] = {
            "gateway": {
                "url": gateway.url,
                "poll_pause": 0.05,
            },
            "agents": {"*": _AGENT},
            "channel_config_ids": {"WEB": "202301032048582419"},
            "storage": {"url": database},
            "delivery": {"expire_after": 60},
        }
        for key, value in changes.items():
            given[key] = {**given.get(key, {}), **value}
        settings = Settings(bridge=BridgeSettings.model_validate(given), designer=HandoffSettings())
        self.refused = threading.Event()
        context = Context.of(settings)
        self.runtime = Runtime(
            replace(
                context,
                clock=clock or context.clock,
                busy_timeout=context.busy_timeout if busy_timeout is None else busy_timeout,
            )
        )
        self._numbers: dict[str, count[int]] = defaultdict(count)

    @property
    def service(self) -> Service:
        """The core of this process, and what it works with."""
        assert self.runtime.service is not None
        return self.runtime.service

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.runtime.close()

    # -- what is done ----------------------------------------------------------------------------

    def assign(self, customer: str, **fields: Any) -> AssignmentRecord:
        """Give a conversation its assignment, as a routing system does."""
        body = AssignmentRequest(**fields)
        command, _warning = assignments.command_of(customer, body, self.runtime.settings.bridge)
        stored: Stored[AssignmentRecord] = self.runtime.core.call(command)
        return stored.value

    def open(self, *calls: str, agent: str = "291") -> None:
        """Give calls to an agent, who answers them from now on."""
        for call in calls:
            self.assign(
                f"customer-{call}", agent_id=agent, call_id=call, user_id="40001", owner="agent"
            )

    def say(self, call: str, times: int = 1) -> None:
        """The agent of a call writes; who is told that it could not be stored writes it again."""
        for _ in range(times):
            number = next(self._numbers[call])
            until = time.monotonic() + SETTLED_WITHIN
            while not self._said(call, f"{call} {number}"):
                assert time.monotonic() < until, "the store takes nothing"
                time.sleep(0.02)

    def _said(self, call: str, text: str) -> bool:
        reply = SendReply(call_id=call, text=text, client_id=text, agent_id=None)
        try:
            self.runtime.core.call(reply)
        except StoreError:
            self.refused.set()
            return False
        return True

    def say_in_each(self, calls: Iterable[str], times: int = 1) -> None:
        """The agents of all these calls write at once, each a few messages, one by one."""
        with ThreadPoolExecutor(8) as agents:
            list(agents.map(lambda call: self.say(call, times), calls))

    # -- what became of it -----------------------------------------------------------------------

    def all(self) -> list[Delivery]:
        """Everything in the outbox, in the order of storing."""
        return self.runtime.store.read(lambda tx: lists.deliveries(tx, limit=100_000))

    def until(self, met: Callable[[], bool], seconds: float = SETTLED_WITHIN) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not met():
            if time.monotonic() > end:
                left = [(d.id, d.state.value, d.error) for d in self.all() if not d.state.settled]
                raise AssertionError(left)
            time.sleep(0.02)

    def told(self) -> Told:
        """Wait until all is settled, and compare what is stored with what customers saw.

        Raises:
            AssertionError: something was lost, doubled, out of order or said of a call in the
                wrong state.
        """
        self.until(lambda: all(item.state.settled for item in self.all()))
        stored, found = self.all(), seen(self._gateway)
        codes = {code for messages in found.calls.values() for code, _ in messages}
        for item in stored:
            arrived = item.message_code in codes
            if item.state is DeliveryState.DELIVERED:
                assert arrived, f"lost: {item}"
            elif item.state is not DeliveryState.UNCERTAIN:
                assert not arrived, f"said, and called {item.state.value}: {item}"
        assert codes <= {item.message_code for item in stored}
        in_order = [item.message_code for item in stored]
        for call, messages in found.calls.items():
            arrived_as = [code for code, _ in messages]
            assert arrived_as == [code for code in in_order if code in set(arrived_as)], call
        beside = [entry for entry in self._gateway.recorded() if entry["beside"]]
        assert [entry for entry in beside if not entry["fault"]] == [], "two at a time"
        states: dict[str, list[str]] = defaultdict(list)
        for item in stored:
            states[item.envelope.call_id].append(item.state.value)
        return Told(states, found)

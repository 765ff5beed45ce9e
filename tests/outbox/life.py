"""A model of what may happen to deliveries, on the real store and the real outbox.

Several outboxes share a store; an attempt is made when the model says so, not when a thread is
free. After each step the store is compared with what it may be: see ``Life.check``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import delete

from bridge.config.settings import BridgeSettings
from bridge.desk.deliveries import Deliveries
from bridge.errors import (
    FinalError,
    RefusedError,
    RetryableError,
    SessionGoneError,
    SigningInError,
    SignInRefusedError,
    UnknownOutcomeError,
    UnreachableError,
)
from bridge.model import (
    AgentId,
    CallId,
    Delivery,
    DeliveryError,
    DeliveryState,
    MessageCode,
    Owner,
    SenderId,
    derive,
)
from bridge.outbox.worker import LEASE, Outbox
from bridge.store import Store, assignments, deliveries, queue, schema
from tests.making import NOW, assignment, delivery, envelope
from tests.outbox.diagram import BORN, PAGES, arrows, reached

CALLS = ("A", "B")
WORKERS = (0, 1, 2)
SENT, UNKNOWN, FINAL = "delivered", "unknown", "final"
OUTCOMES: dict[str, Callable[[], Exception | None]] = {
    SENT: lambda: None,
    UNKNOWN: lambda: UnknownOutcomeError("no answer"),
    FINAL: lambda: FinalError("refused", retcode="106-001"),
    "busy": lambda: RetryableError("busy", status=503),
    "asked": lambda: RetryableError("busy", status=429, retry_after=40),
    "unreachable": lambda: UnreachableError("no connection"),
    "gone": lambda: SessionGoneError("gone", retcode="100-006"),
    "signing in": lambda: SigningInError("a moment"),
    "not let in": lambda: SignInRefusedError("locked", retcode="110-016"),
    "broken": lambda: RuntimeError("a fault of ours"),
}
UNSURE = (UNKNOWN, "broken")
calls, workers = st.sampled_from("AAAB"), st.sampled_from(WORKERS)
outcomes = st.sampled_from([*OUTCOMES, SENT, SENT, SENT, UNKNOWN, UNKNOWN, FINAL])
numbers = st.integers(0, 1000)


class _Hands:
    """Instead of a pool: what is to be attempted waits here."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[Delivery], None], Delivery]] = []

    def submit(self, attempt: Callable[[Delivery], None], given: Delivery) -> None:
        self.waiting.append((attempt, given))


class Life(RuleBasedStateMachine):
    """Deliveries of two calls and three outboxes, one of which may die at any time."""

    store: Store  # set by the test; emptied for each example
    moves = arrows(PAGES[0])
    seen: set[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        for table in (schema.deliveries, schema.assignments):
            emptied = delete(table)
            self.store.write(lambda tx, emptied=emptied: tx.execute(emptied))  # type: ignore[misc]
        self.now = NOW
        self.before: dict[int, Delivery] = {}
        self.batches: list[list[Delivery]] = []
        self.seen = set()
        self.unsure: Counter[int] = Counter()  # attempts of unknown fate since a person's word
        self.said: list[Delivery] = []
        self.faults: list[str] = []  # of what was sent
        self.behave: Callable[[Delivery], None] = lambda _: None
        self.claimed: dict[int, str | None] = {}
        self.retried: set[int] = set()
        self.discarded: set[int] = set()
        self.dead: set[str] = set()
        self.choose(hold=False)

    @initialize(hold=st.booleans())
    def choose(self, *, hold: bool) -> None:
        """Whether what nobody knows of is said again, or held."""
        self.settings = BridgeSettings.model_validate(
            {
                "gateway": {"url": "http://127.0.0.1:9"},
                "delivery": {"uncertain": "hold" if hold else "resend", "workers": 2},
            }
        )
        self.hold = hold
        self.desk = Deliveries(self.store, self.settings, ring=lambda: None, clock=lambda: self.now)
        self.outboxes = [self._outbox() for _ in WORKERS]
        for call in CALLS:
            self.assign(call, "291")

    def _outbox(self) -> Outbox:
        made = Outbox(self.store, self, self.settings.delivery, clock=lambda: self.now)
        made._pool.shutdown()
        made._pool = _Hands()  # type: ignore[assignment]
        return made

    def hands(self, worker: int) -> list[tuple[Callable[[Delivery], None], Delivery]]:
        found: Any = self.outboxes[worker]._pool
        waiting: list[tuple[Callable[[Delivery], None], Delivery]] = found.waiting
        return waiting

    # -- what the gateway is sent --------------------------------------------------------------

    def send(self, given: Delivery, *, timeout: float) -> None:
        """The gateway: what it is sent was claimed, first of its call, and may be said."""
        stored = self.before[given.seq]
        allowed = {
            "in time": 0 < timeout < LEASE,
            "what was stored": stored.message_code == given.message_code
            and stored.draft == given.draft,
            "not again if it may have been said": not self.hold or not self.unsure[given.seq],
            "not more than three times again": self.unsure[given.seq] <= 3,
        }
        # Raised here, it would be taken for an outcome.
        self.faults += [rule for rule, kept in allowed.items() if not kept]
        self.said.append(given)
        self.behave(given)

    # -- steps ---------------------------------------------------------------------------------

    @rule(call=calls, parts=st.integers(1, 3), reserved=st.none() | workers)
    def store_reply(self, call: str, parts: int, reserved: int | None) -> None:
        """A reply of some parts; a worker may stand ready for it."""
        number = len(self.batches)
        batch = [
            delivery(
                1,
                message_code=MessageCode(derive("life", number, part)),
                sender_id=SenderId(f"customer-{call}"),
                envelope=envelope(call_id=CallId(call), agent_id=self.agent(call)),
                reply_key=derive("reply", number),
                part=part,
                created_at=self.now,
                due_at=self.now,
                expires_at=self.now + (600 if part else 300),
            )
            for part in range(parts)
        ]
        self.batches.append(batch)
        self._add(batch, reserved)

    @precondition(lambda self: self.batches)
    @rule(which=numbers, reserved=st.none() | workers)
    def store_again(self, which: int, reserved: int | None) -> None:
        """The same request once more, with other words: the first stored wins."""
        batch = self.batches[which % len(self.batches)]
        other = replace(batch[0].draft, content="other words")
        self._add([replace(each, draft=other) for each in batch], reserved)

    def _add(self, batch: list[Delivery], reserved: int | None) -> None:
        outbox = self.outboxes[reserved or 0]
        reservation = outbox.reserve() if reserved is not None else None
        claimed = self.store.write(lambda tx: queue.add(tx, batch, reservation))
        if reservation is not None:
            outbox.launch(claimed)
        self.check()

    @rule(worker=workers)
    def claim(self, worker: int) -> None:
        """An outbox looks for what is due."""
        self.outboxes[worker]._work()
        self.check()

    @precondition(lambda self: any(self.hands(worker) for worker in WORKERS))
    @rule(outcome=outcomes, which=numbers)
    def attempt(self, outcome: str, which: int) -> None:
        """One of the attempts that are to be made is, with some outcome."""
        self._attempt(which, outcome, lambda: None)

    @precondition(lambda self: any(self.hands(worker) for worker in WORKERS))
    @rule(outcome=outcomes, which=numbers, thief=workers)
    def attempt_too_long(self, outcome: str, which: int, thief: int) -> None:
        """An attempt outlasts its lease; another outbox may look meanwhile."""

        def meanwhile() -> None:
            given = self.said[-1]
            # Another may have it already, where the clock was set back since.
            held = self.before[given.seq].lease == given.lease
            self.now += LEASE + 1
            self.outboxes[thief]._work()
            self.check()
            if held and str(given.lease).startswith(self.outboxes[thief]._name):
                taken = self.before[given.seq].lease != given.lease
                self.faults += ["its own outbox waits for it"] if taken else []

        self._attempt(which, outcome, meanwhile)

    def _attempt(self, which: int, outcome: str, meanwhile: Callable[[], None]) -> None:
        busy = [worker for worker in WORKERS if self.hands(worker)]
        waiting = self.hands(busy[which % len(busy)])
        run, given = waiting.pop(which % len(waiting))
        was = len(self.said)

        def behave(_: Delivery) -> None:
            meanwhile()
            error = OUTCOMES[outcome]()
            if error is not None:
                raise error

        self.behave = behave
        run(given)
        until = time.monotonic() + 10  # what it came to is stored by another thread
        while any(outbox._outcomes.holds(given) for outbox in self.outboxes):
            assert time.monotonic() < until, "an outcome was not stored"
            time.sleep(0.0002)
        if len(self.said) > was and outcome in UNSURE:
            self.unsure[given.seq] += 1
        fenced = self.before[given.seq].lease != given.lease
        after = self.all()[given.seq]
        if len(self.said) > was and outcome == SENT and not fenced:
            assert after.state is DeliveryState.DELIVERED
        self.check()

    @rule(worker=workers, begun=st.booleans())
    def die(self, worker: int, *, begun: bool) -> None:
        """A process ends; what it was to send may have left."""
        for _, given in self.hands(worker):
            if begun and self.before[given.seq].lease == given.lease:
                self.unsure[given.seq] += 1
        self.dead.add(self.outboxes[worker]._name)
        self.outboxes[worker] = self._outbox()

    @rule(worker=workers)
    def start(self, worker: int) -> None:
        """What a process does first, when its machine's others may be dead."""
        dead, now = self.dead, self.now
        self.store.write(
            lambda tx: queue.start_afresh(
                tx, lambda lease: any(lease.startswith(name) for name in dead), now=now
            )
        )
        self.outboxes[worker]._set_right(now + 60)
        self.check()

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 11.0, 60.0, 200.0, 400.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(seconds=st.sampled_from([5.0, 3600.0]), worker=workers)
    def set_the_clock_back(self, seconds: float, worker: int) -> None:
        """And an outbox notices."""
        self.now -= seconds
        self.outboxes[worker]._set_right(self.now)
        self.check()

    @rule(call=calls, agent=st.sampled_from(["291", "292"]))
    def assign(self, call: str, agent: str) -> None:
        """A call is given, perhaps to somebody else, perhaps again after its end."""
        given = assignment(
            sender_id=SenderId(f"customer-{call}"), call_id=CallId(call), agent_id=AgentId(agent)
        )
        now = self.now
        self.store.write(lambda tx: assignments.give(tx, given, Owner.AGENT, "http", now=now))

    @rule(call=calls, withdrawn=st.booleans())
    def end_call(self, call: str, *, withdrawn: bool) -> None:
        """A call ends; what waits is withdrawn with it, or stored just after."""
        now = self.now
        ended = DeliveryError("call_ended", "over")

        def end(tx: Any) -> None:
            assignments.end(tx, f"customer-{call}", call, now=now)
            if withdrawn:
                queue.withdraw(tx, ended, now=now, call_id=call)

        self.store.write(end)
        self.check()

    @rule(agent=st.sampled_from(["291", "292"]))
    def renew_session(self, agent: str) -> None:
        """An agent has a GUID again."""
        now = self.now
        self.store.write(lambda tx: queue.wake(tx, agent, now=now))
        self.check()

    @precondition(lambda self: self.before)
    @rule(which=numbers)
    def retry(self, which: int) -> None:
        """A person has something said once more."""
        self._on_a_persons_word(which, self.desk.retry, self.retried)

    @precondition(lambda self: self.before)
    @rule(which=numbers)
    def discard(self, which: int) -> None:
        """A person takes something off the list."""
        self._on_a_persons_word(which, self.desk.discard, self.discarded)

    def _on_a_persons_word(
        self, which: int, move: Callable[..., Delivery], moved: set[int]
    ) -> None:
        seq = sorted(self.before)[which % len(self.before)]
        with suppress(RefusedError):  # 409: it is on its way, delivered, or its call is over
            move(str(seq), agent_id=None)
            moved.add(seq)
            self.unsure[seq] = 0
        self.check()
        moved.clear()

    # -- what holds ----------------------------------------------------------------------------

    def agent(self, call: str) -> AgentId:
        found = self.store.read(lambda tx: assignments.of_call(tx, call))
        assert found is not None
        return found.assignment.agent_id

    def all(self) -> dict[int, Delivery]:
        found = self.store.read(
            lambda tx: deliveries.listing(
                tx, call_id=None, states=(), agent_id=None, after=0, limit=10_000
            )
        )
        return {each.seq: each for each in found}

    def check(self) -> None:
        """Compare the store with what it was before the step."""
        before, now = self.before, self.all()
        assert not self.faults, self.faults
        assert before.keys() <= now.keys(), "a delivery vanished"
        for seq, each in now.items():
            former = before.get(seq)
            start = former.state.value if former else BORN
            self._moved(start, each)
            if former is not None:
                self._same(former, each)
        self._in_order(before, now)
        self.before = now

    def _moved(self, start: str, each: Delivery) -> None:
        end = each.state.value
        if start != end:
            assert end in reached(start, self.moves), (start, end)
            if (start, end) in self.moves:
                self.seen.add((start, end))
        if start not in (end, BORN, "waiting", "sending"):
            assert each.seq in self.retried | self.discarded, "it moved by itself"
        assert (each.lease is not None) == (each.state is DeliveryState.SENDING)
        assert (each.settled_at is not None) == each.state.settled

    def _same(self, former: Delivery, each: Delivery) -> None:
        kept = (former.message_code, former.draft, former.envelope, former.created_at)
        assert kept == (each.message_code, each.draft, each.envelope, each.created_at)
        assert each.attempts >= former.attempts
        if former.state.settled or each.state not in (DeliveryState.FAILED, DeliveryState.EXPIRED):
            return
        if each.seq in self.discarded:
            return
        rest = [
            other
            for other in self.all().values()
            if other.reply_key == each.reply_key and other.part > each.part
        ]
        assert all(other.state is not DeliveryState.WAITING for other in rest), "a torn reply"

    def _in_order(self, before: dict[int, Delivery], now: dict[int, Delivery]) -> None:
        for call in CALLS:
            of_call = [each for each in now.values() if each.envelope.call_id == call]
            sending = [each for each in of_call if each.state is DeliveryState.SENDING]
            assert len(sending) <= 1, "two at a time"
            for each in sending:
                former = before.get(each.seq)
                if former is not None and former.lease == each.lease:
                    continue
                earlier = [other for other in of_call if other.seq < each.seq]
                assert all(other.state.settled for other in earlier), "out of order"
                assert each.expires_at > self.now, "too late"
                if former is not None:
                    assert self.agent(call) == each.envelope.agent_id, "another's by now"

    def teardown(self) -> None:
        """In the end, with nothing in the way, everything is settled: nothing is stuck."""
        for worker in WORKERS:
            self.die(worker, begun=False)
        self.now += LEASE + 1
        for _ in range(4 * len(self.before) + 8):
            self.renew_session("291")
            self.renew_session("292")
            self.now += 61
            self.claim(0)
            while any(self.hands(worker) for worker in WORKERS):
                self.attempt(SENT, 0)
        stuck = [each for each in self.all().values() if not each.state.settled]
        assert stuck == []

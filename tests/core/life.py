"""A model of what may happen to deliveries: real cores on a real store, and no thread.

Three cores share a store. Each works when the model says so, an attempt ends when the model says
so, and no time goes by but what the model lets go by. After each step the store is compared with
what it may be: see ``Life.check``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bridge.errors import (
    FinalError,
    GatewayError,
    RefusedError,
    RetryableError,
    SessionGoneError,
    SigningInError,
    SignInRefusedError,
    UnknownOutcomeError,
    UnreachableError,
)
from bridge.metrics import Metrics
from bridge.model import AgentId, Delivery, DeliveryState, Guid, Owner
from bridge.planners import PLANNERS, Rules
from bridge.state.commands import (
    ActionKind,
    AssignCall,
    Command,
    DiscardDelivery,
    EndCall,
    PushGuid,
    RetryDelivery,
    SendingResult,
)
from bridge.state.plan import Plan
from bridge.state.records import LEASE
from bridge.state.snapshot import Snapshot
from bridge.store import EVERYTHING, Notice, Store, lists, schema
from tests.core.clock import HeldClock
from tests.core.diagram import BORN, arrows, reached
from tests.core.rig import Asked, Rig, call, given, reply, rules
from tests.core.senders import NotingSenders, Sending

CALLS = ("A", "B")
AGENTS = ("291", "292")
WORKERS = (0, 1, 2)
SENT, UNKNOWN, FINAL, BROKEN = "delivered", "unknown", "final", "broken"
OUTCOMES: dict[str, Callable[[], GatewayError | None]] = {
    SENT: lambda: None,
    UNKNOWN: lambda: UnknownOutcomeError("no answer"),
    FINAL: lambda: FinalError("refused", retcode="106-001"),
    "busy": lambda: RetryableError("busy", status=503),
    "asked": lambda: RetryableError("busy", status=429, retry_after=40),
    "unreachable": lambda: UnreachableError("no connection"),
    "gone": lambda: SessionGoneError("gone", retcode="100-006"),
    "signing in": lambda: SigningInError("a moment"),
    "not let in": lambda: SignInRefusedError("locked", retcode="110-016"),
    BROKEN: lambda: NotUnderstoodError("what it came to makes a planner raise"),
}
UNSURE = (UNKNOWN, BROKEN)
METRICS = Metrics()  # takes longer to make than all the rest
PART = "A sentence that fills a message all by itself."  # gateway.max_content_chars is 50
calls, workers = st.sampled_from("AAAB"), st.sampled_from(WORKERS)
agents = st.sampled_from(AGENTS)
outcomes = st.sampled_from([*OUTCOMES, SENT, SENT, SENT, UNKNOWN, UNKNOWN, FINAL])
numbers = st.integers(0, 1000)


class NotUnderstoodError(UnknownOutcomeError):
    """An outcome that the planner of this model cannot take."""


def _complete(snapshot: Snapshot, command: SendingResult, chosen: Rules, now: float) -> Plan:
    if isinstance(command.error, NotUnderstoodError):
        raise TypeError
    return PLANNERS[SendingResult](snapshot, command, chosen, now)


def words(parts: int, number: int) -> str:
    """A text that becomes so many messages."""
    return " ".join([f"{number:02} {PART}"[:50]] * parts)


class Senders(NotingSenders):
    """What is given to be sent is said at that moment; what comes of it, later."""

    def __init__(self, said: Callable[[Sending], None]) -> None:
        super().__init__()
        self._said = said

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        super().send(delivery, guid, timeout, retried=retried)
        self._said(self.sent[-1])


class Life(RuleBasedStateMachine):
    """Deliveries of two calls and three cores, one of which may die at any time."""

    store: Store  # set by the test; emptied for each example
    moves = arrows()
    seen: set[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        with self.store.transaction() as tx:
            for table in schema.metadata.sorted_tables:
                tx.execute(f"DELETE FROM {table.name}")  # noqa: S608 - our own tables
        self.clock = HeldClock()
        self.before: dict[int, Delivery] = {}
        self.replies: list[Command] = []
        self.handoffs: list[Command] = []
        self.asked: list[tuple[str, Command, Asked]] = []  # by which core, until answered
        self.seen = set()
        self.unsure: Counter[int] = Counter()  # attempts of unknown fate since a person's word
        self.words: Counter[int] = Counter()  # of persons, on each delivery
        self.said: dict[tuple[int, str | None], int] = {}  # by lease: after how many of these words
        self.faults: list[str] = []  # of what was sent
        self.retried: set[int] = set()
        self.discarded: set[int] = set()
        self.dead: set[str] = set()
        self.made = 0
        self.choose(hold=False)

    @initialize(hold=st.booleans())
    def choose(self, *, hold: bool) -> None:
        """Whether what nobody knows of is said again, or held."""
        self.hold = hold
        self.chosen = rules(
            gateway={"max_content_chars": 50},
            delivery={"uncertain": "hold" if hold else "resend", "workers": 2},
        )
        self.rigs = [self._rig() for _ in WORKERS]
        for agent in AGENTS:
            self.renew_session(agent, 0)
        for each in CALLS:
            self.assign(each, "291", Owner.AGENT, 0)

    def _rig(self) -> Rig:
        self.made += 1
        planners: Mapping[type[Command], Any] = {**PLANNERS, SendingResult: _complete}
        rig = Rig(
            self.store,
            clock=self.clock,
            senders=Senders(self._say),
            chosen=self.chosen,
            planners=planners,
            name=f"core-{self.made}",
            metrics=METRICS,
            is_dead=lambda holder: any(holder.startswith(name) for name in self.dead),
        )
        rig.core.prepare()
        return rig

    def senders(self, worker: int) -> NotingSenders:
        return self.rigs[worker].senders

    # -- steps ---------------------------------------------------------------------------------

    def ask(self, worker: int, command: Command) -> Asked:
        """Put a command to a core, which works."""
        asked = self.rigs[worker].ask(command)
        self.asked.append((self.rigs[worker].core.name, command, asked))
        self.check()
        return asked

    @rule(call=calls, parts=st.integers(1, 3), worker=workers)
    def store_reply(self, call: str, parts: int, worker: int) -> None:
        """An agent writes something that becomes some messages."""
        number = len(self.replies)
        command = reply(call, words(parts, number), f"c-{number}")
        before = set(self.before)
        asked = self.ask(worker, command)
        if asked.error is None:
            assert asked.value.created
            assert len(set(self.before) - before) == parts, "a part is missing"
            self.replies.append(command)

    @precondition(lambda self: self.replies)
    @rule(which=numbers, worker=workers, other=st.booleans())
    def store_again(self, which: int, worker: int, *, other: bool) -> None:
        """The same request once more, perhaps with other words: the first stored wins."""
        first: Any = self.replies[which % len(self.replies)]
        text = "other words" if other else first.text
        before = set(self.before)
        asked = self.ask(worker, reply(first.call_id, text, first.client_id))
        assert set(self.before) == before, "it was stored twice"
        if asked.error is None:
            assert not other
            assert not asked.value.created
            codes = {item.message_code for item in asked.value.value}
            stored = {item.message_code for item in self.before.values()}
            assert codes
            assert codes <= stored
        else:
            assert isinstance(asked.error, RefusedError)
            assert asked.error.status in (404, 409)

    @rule(call_id=calls, parts=st.integers(1, 3), worker=workers)
    def hand_off(self, call_id: str, parts: int, worker: int) -> None:
        """A customer asks for a person."""
        number = len(self.handoffs)
        said = {"utter_handoff_started": [{"text": words(parts, number)}]}
        command = call(
            f"customer-{call_id}", number=number, at=self.clock.now() + 1, responses=said
        )
        self.handoffs.append(command)
        self.ask(worker, command)

    @precondition(lambda self: self.handoffs)
    @rule(which=numbers, worker=workers)
    def hand_off_again(self, which: int, worker: int) -> None:
        """Rasa calls once more, perhaps another replica: see ``_told``."""
        self.ask(worker, self.handoffs[which % len(self.handoffs)])

    @rule(call_id=calls, worker=workers)
    def hand_back(self, call_id: str, worker: int) -> None:
        """The bot has the conversation again."""
        self.made += 1
        sender = f"customer-{call_id}"
        kind = ActionKind.HANDBACK
        self.ask(worker, call(sender, action=kind, number=1000 + self.made, at=self.clock.now()))

    @rule(worker=workers, everything=st.booleans())
    def claim(self, worker: int, *, everything: bool = True) -> None:
        """A core is told that another one stored something."""
        self.rigs[worker].core.notified(EVERYTHING if everything else Notice(due=True))
        self.rigs[worker].step()
        self.check()

    @precondition(lambda self: any(self.senders(worker).sent for worker in WORKERS))
    @rule(outcome=outcomes, which=numbers)
    def attempt(self, outcome: str, which: int) -> None:
        """One of the attempts that are to be made is, with some outcome."""
        self._attempt(which, outcome, lambda _: None)

    @precondition(lambda self: any(self.senders(worker).sent for worker in WORKERS))
    @rule(outcome=outcomes, which=numbers, thief=workers)
    def attempt_too_long(self, outcome: str, which: int, thief: int) -> None:
        """An attempt outlasts its lease; another core may look meanwhile."""

        def meanwhile(sending: Sending) -> None:
            lease, seq = sending.delivery.lease, sending.delivery.seq
            # Another may have it already, where the clock was set back since.
            held = self.before[seq].lease == lease
            self.clock.move(LEASE + 1)
            self.claim(thief)
            if held and str(lease).startswith(f"{self.rigs[thief].core.name}:"):
                assert self.before[seq].lease == lease, "its own core waits for it"

        self._attempt(which, outcome, meanwhile)

    def _attempt(self, which: int, outcome: str, meanwhile: Callable[[Sending], None]) -> None:
        busy = [worker for worker in WORKERS if self.senders(worker).sent]
        rig = self.rigs[busy[which % len(busy)]]
        sending = rig.senders.sent.pop(which % len(rig.senders.sent))
        seq, lease = sending.delivery.seq, sending.delivery.lease
        meanwhile(sending)
        # What was said before a person's word is not to be had against what follows from that.
        if outcome in UNSURE and self.said[seq, lease] == self.words[seq]:
            self.unsure[seq] += 1
        fenced = self.before[seq].lease != lease
        rig.core.put(sending.result(OUTCOMES[outcome]()))
        rig.step()
        if outcome == SENT and not fenced:
            assert self.all()[seq].state is DeliveryState.DELIVERED
        self.check()

    def _say(self, sending: Sending) -> None:
        """The gateway: what it is sent was claimed, and may be said."""
        found = sending.delivery
        stored = self.before.get(found.seq, found)
        allowed = {
            "in time": 0 < sending.timeout < LEASE,
            "what was stored": stored.message_code == found.message_code
            and stored.draft == found.draft,
            "not again if it may have been said": not self.hold or not self.unsure[found.seq],
            "not more than three times again": self.unsure[found.seq] <= 3,
        }
        # Raised here, it would be the core's affair.
        self.faults += [rule for rule, kept in allowed.items() if not kept]
        self.said[found.seq, found.lease] = self.words[found.seq]

    @rule(worker=workers, begun=st.booleans())
    def die(self, worker: int, *, begun: bool) -> None:
        """A process ends; what it was to send may have left. Another takes its place."""
        for sending in self.senders(worker).sent:
            seq = sending.delivery.seq
            if begun and self.before[seq].lease == sending.delivery.lease:
                self.unsure[seq] += 1
        name = self.rigs[worker].core.name
        self.dead.add(f"{name}:")
        self.asked = [each for each in self.asked if each[0] != name]
        dead, self.dead = self.dead, set()  # whoever starts does not know it yet
        self.rigs[worker] = self._rig()
        self.dead = dead
        self.check()

    @rule(worker=workers)
    def start(self, worker: int) -> None:
        """What a process does first, when its machine's others may be dead."""
        if not self.senders(worker).sent:
            name = self.rigs[worker].core.name
            self.asked = [each for each in self.asked if each[0] != name]
            self.rigs[worker] = self._rig()
            self.check()

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 11.0, 60.0, 200.0, 400.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)

    @rule(seconds=st.sampled_from([5.0, 3600.0]), worker=workers)
    def set_the_clock_back(self, seconds: float, worker: int) -> None:
        """And a core notices."""
        self.clock.leap(-seconds)
        self.rigs[worker].step(2)
        self.check()

    @rule(
        call=calls,
        agent=agents,
        owner=st.sampled_from([Owner.AGENT, Owner.AGENT, Owner.BOT]),
        worker=workers,
    )
    def assign(self, call: str, agent: str, owner: Owner, worker: int) -> None:
        """A call is given, perhaps to somebody else, perhaps again after its end."""
        self.ask(worker, AssignCall(assignment=given(call, agent=agent), owner=owner))

    @rule(call=calls, worker=workers)
    def end_call(self, call: str, worker: int) -> None:
        """A call ends; what waits is withdrawn with it."""
        self.ask(worker, EndCall(sender_id=f"customer-{call}"))

    @rule(agent=agents, worker=workers)
    def renew_session(self, agent: str, worker: int) -> None:
        """An agent has a GUID again."""
        self.made += 1
        self.ask(worker, PushGuid(agent_id=agent, guid=Guid(f"guid-{self.made}")))
        self.rigs[worker].step()  # what waited for it is due
        self.check()

    @precondition(lambda self: self.before)
    @rule(which=numbers, worker=workers, again=st.booleans())
    def retry(self, which: int, worker: int = 0, *, again: bool = True) -> None:
        """Retry a delivery by hand; ``again`` overrules the objections that can be overruled."""
        seq = self._one_of_all(which)
        command = RetryDelivery(delivery_id=seq, agent_id=None, again=again)
        self._on_a_persons_word(seq, command, self.retried, worker)

    @precondition(lambda self: self.before)
    @rule(which=numbers, worker=workers)
    def discard(self, which: int, worker: int = 0) -> None:
        """A person takes something off the list."""
        seq = self._one_of_all(which)
        self._on_a_persons_word(
            seq, DiscardDelivery(delivery_id=seq, agent_id=None), self.discarded, worker
        )

    def _one_of_all(self, which: int) -> int:
        return sorted(self.before)[which % len(self.before)]

    def _on_a_persons_word(self, seq: int, command: Command, moved: set[int], worker: int) -> None:
        moved.add(seq)
        unsure, self.unsure[seq] = self.unsure[seq], 0
        self.words[seq] += 1
        before = self.before[seq].state
        asked = self.ask(worker, command)
        moved.clear()
        if asked.error is not None:  # 409: it is on its way, delivered, or its call is over
            assert isinstance(asked.error, RefusedError)
            assert not before.settled or self.before[seq].state is before
            self.unsure[seq] = unsure
            self.words[seq] -= 1

    # -- what holds ----------------------------------------------------------------------------

    def agent(self, call: str) -> AgentId:
        found = self.store.read(lambda tx: lists.assignment_of_call(tx, call))
        assert found is not None
        return found.assignment.agent_id

    def all(self) -> dict[int, Delivery]:
        found = self.store.read(lambda tx: lists.deliveries(tx, limit=10_000))
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
                self._same(former, each, now)
        self._in_order(before, now)
        self.before = now
        self._told()

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

    def _same(self, former: Delivery, each: Delivery, now: Mapping[int, Delivery]) -> None:
        kept = (former.message_code, former.draft, former.envelope, former.created_at)
        assert kept == (each.message_code, each.draft, each.envelope, each.created_at)
        assert each.attempts >= former.attempts
        if former.state.settled or each.state not in (DeliveryState.FAILED, DeliveryState.EXPIRED):
            return
        if each.seq in self.discarded:
            return
        rest = [
            other
            for other in now.values()
            if other.reply_key == each.reply_key and other.part > each.part
        ]
        assert all(other.state is not DeliveryState.WAITING for other in rest), "a torn reply"

    def _in_order(self, before: dict[int, Delivery], now: dict[int, Delivery]) -> None:
        for call_id in CALLS:
            of_call = [each for each in now.values() if each.envelope.call_id == call_id]
            sending = [each for each in of_call if each.state is DeliveryState.SENDING]
            assert len(sending) <= 1, "two at a time"
            for each in sending:
                former = before.get(each.seq)
                if former is not None and former.lease == each.lease:
                    continue
                earlier = [other for other in of_call if other.seq < each.seq]
                assert all(other.state.settled for other in earlier), "out of order"
                assert each.expires_at > self.clock.now(), "too late"
                assert self.agent(call_id) == each.envelope.agent_id, "another's by now"

    def _told(self) -> None:
        """Whoever called an action got one answer; that of a call that is stored is everybody's."""
        answered = [each for each in self.asked if each[2].answered]
        self.asked = [each for each in self.asked if not each[2].answered]
        for _, command, asked in answered:
            assert len(asked.answers) == 1, "answered twice"
            if command in self.handoffs:
                found = self.store.read(lambda tx, key=command.key: lists.turn(tx, key))  # type: ignore[misc]
                if found is not None:
                    assert asked.value == found.answer, "another answer than the first"

    def teardown(self) -> None:
        """In the end, with nothing in the way, everything is settled: nothing is stuck."""
        self.clock.move(3.0)
        for rig in self.rigs:
            rig.step(2)
        self.check()
        assert self.asked == [], "somebody still waits for an answer"
        for worker in WORKERS:
            self.die(worker, begun=False)
        self.clock.move(LEASE + 1)
        for _ in range(4 * len(self.before) + 8):
            for agent in AGENTS:
                self.renew_session(agent, 0)
            self.clock.move(61)
            self.claim(0)
            while any(self.senders(worker).sent for worker in WORKERS):
                self.attempt(SENT, 0)
        stuck = [each for each in self.all().values() if not each.state.settled]
        assert stuck == []

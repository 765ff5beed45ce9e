"""The core's loop: take what came, load, plan, commit, and do what follows.

Whatever changes what is stored comes through here as a command. What comes during a commit is the
next batch. Waiting is done in memory: whoever called an action is answered by the commit that
settles its last delivery, or by the judgement at the end of its wait.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from itertools import count
from typing import Any, Protocol

from cachetools import LRUCache

from bridge import identity
from bridge.core import breaker
from bridge.core.breaker import Breaker, Evidence
from bridge.core.channel import Channel, Reply, Request
from bridge.core.clock import Clock
from bridge.core.port import Status
from bridge.core.timers import Timers
from bridge.errors import (
    BridgeError,
    GatewayError,
    RetryableError,
    StoreError,
    UnknownOutcomeError,
    describe,
)
from bridge.metrics import Metrics
from bridge.model import Delivery, DeliveryError, DeliveryState, Guid
from bridge.planners import PLANNERS, Planner, Rules
from bridge.state import plan as plans
from bridge.state.commands import (
    CallAction,
    ClaimDeliveries,
    ClaimUpdates,
    Command,
    ContinuePolling,
    CorrectTimes,
    DomainResult,
    ExpireSuggestions,
    ExplainAgent,
    JudgeTurn,
    Recover,
    ReleaseHeld,
    ReleasePolls,
    SendingResult,
    SetSwitch,
    SignInResult,
    TakeOverSessions,
    UpdateResult,
    WakeAgent,
    WithdrawTurn,
)
from bridge.state.plan import UNANSWERED, Plan, Written
from bridge.state.records import LEASE, RasaUpdate, SessionRecord
from bridge.state.snapshot import Needs, Process, Snapshot
from bridge.store import (
    EVERYTHING,
    CrossedError,
    Loader,
    LostError,
    Notice,
    Store,
    UnavailableError,
    UnstorableError,
    lists,
    notify,
    write,
)
from bridge.store.loading import is_current

logger = logging.getLogger(__name__)

BATCH = 16  # commands: whole batches keep conversations in lockstep, small ones cost CPU
_TRIES = 3  # where another transaction was in the way, or the connection was lost
_LONGEST_WAIT = 60.0  # seconds that an action call waits, whatever it asks for
_LOOK = 1.0  # seconds between looks at what nobody told us of
_VERSION = 0.25  # seconds between looks at whether another process committed (SQLite)
_PENDING = 0.25  # seconds until what could not be committed is tried again, doubled up to
_LONGEST_PENDING = 2.0
_WATCH = 5.0  # seconds between looks for sessions that nobody polls for
_LEAST = 1.0  # seconds of its lease that an attempt needs
_JUMP = 2.0  # seconds that the clock has to go back at once to be noticed
_UNEASY = 10.0  # seconds after that in which former times may still be stored
_DOMAIN_FRESH = 60.0  # seconds that Rasa's domain is used before it is asked for again
_DOMAIN_FAILED = 10.0  # seconds before Rasa is asked again after a failure
_DOMAIN_WAIT = 1.0  # seconds that a command waits for the domain
_SESSIONS = 65536  # sessions in memory; one that falls out is read from the store again
_ONCE = 4096  # sentences that are logged once, to remember
_QUIET = 30.0  # seconds in which the same warning is not logged again
_UPDATES = 4  # at a time

_UNSTORED = UnknownOutcomeError("its outcome could not be stored; the log says where")

# Set-wide commands: each is a batch of its own.
_ALONE = (
    ClaimDeliveries,
    ClaimUpdates,
    WakeAgent,
    ExplainAgent,
    ReleaseHeld,
    Recover,
    CorrectTimes,
    TakeOverSessions,
    SetSwitch,
    ExpireSuggestions,
)
_CLAIMS = (ClaimDeliveries, ClaimUpdates, TakeOverSessions)


Watch = Callable[[socket.socket, Callable[[], bool]], Callable[[], None]]  # ``Channel.watch``


class Senders(Protocol):
    """What blocks, on threads of its own. Each call returns at once; its result is a command."""

    def start(self, put: Callable[[Command], None], watch: Watch) -> None:
        """Begin; results are given to ``put``, and ``watch`` tells when something came."""

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Send a delivery, once ``flush`` is called: ``SendingResult``."""

    def flush(self) -> None:
        """Hand over the deliveries that were given to ``send``, in one go."""

    def sign_in(self, agent_id: str, *, forced: bool, interrupted: bool) -> None:
        """Sign an agent in: ``SignInResult``."""

    def sign_out(self, agent_id: str, guid: Guid, reply: Reply | None) -> None:
        """Sign an agent out, and tell ``reply`` what came of it."""

    def poll(self, agent_id: str, guid: Guid, failures: int) -> None:
        """Poll for an agent's events: ``PollResult``."""

    def stop_polling(self) -> None:
        """Begin no other poll."""

    def tell_rasa(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        """Tell Rasa something: ``UpdateResult``."""

    def ask_domain(self) -> None:
        """Ask Rasa for its domain: ``DomainResult``."""

    def close(self) -> None:
        """Let what is under way finish within its deadlines; begin nothing."""


class Core:
    """One core. ``start`` it once; ``close`` it once.

    Args:
        store: the database; this core is the only one who writes through it.
        rules: what the planners decide by.
        senders: None for a core that sends nothing, such as a command-line tool's.
        responses: the domain's, where a file names them.
        workers: how many deliveries are sent at a time.
        name: begins the leases of this core.
        planners: what decides about each kind of command.
        is_dead: whether the holder of a lease has surely died.
        channel: where commands come from; one of this process's own where none is given.
    """

    def __init__(
        self,
        store: Store,
        rules: Rules,
        *,
        senders: Senders | None = None,
        responses: Mapping[str, Any] | None = None,
        metrics: Metrics | None = None,
        clock: Clock | None = None,
        workers: int | None = None,
        name: str | None = None,
        planners: Mapping[type[Command], Planner] = PLANNERS,
        is_dead: Callable[[str], bool] = identity.is_dead,
        channel: Channel | None = None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._planners = planners
        self._is_dead = is_dead
        self._senders = senders
        self._metrics = metrics or Metrics()
        self._clock = clock or Clock()
        self._workers = rules.bridge.delivery.workers if workers is None else workers
        self.name = name or identity.name()
        self._channel = Channel(self._clock) if channel is None else channel
        self._timers: Timers[Command] = Timers()
        self._waiters: dict[str, list[Reply]] = {}
        self._sending: dict[int, Delivery] = {}  # by number, until its result came
        self._held: dict[int, Delivery] = {}  # the same until the result is committed
        self._telling: dict[int, str | None] = {}  # updates, by number, until committed
        self._signing: set[str] = set()
        self._polling: set[str] = set()
        self._pending: list[Request] = []  # what the store would not take yet
        self._pending_at = 0.0
        self._pending_pause = _PENDING
        self._parked: list[tuple[CallAction, Reply | None]] = []  # waiting for the domain
        self._responses = responses
        self._responses_until = float("inf") if responses is not None else 0.0
        self._domain_asked = False
        self._sessions: LRUCache[str, SessionRecord] = LRUCache(_SESSIONS)
        self._logged: LRUCache[str, None] = LRUCache(_ONCE)
        self._quiet_until: LRUCache[str, float] = LRUCache(_ONCE)  # monotonic, by warning
        self._breaker = Breaker(since=self._clock.now())
        self._swept_at = 0.0
        self._backlog = False
        self._due: float | None = None
        self._update_due: float | None = None
        self._look_at = 0.0
        self._version_at = 0.0
        self._watch_at = 0.0
        self._ahead = 0.0
        self._uneasy_until = 0.0
        self._notices: list[Notice] = []
        self._commits = count(1)
        self._stopping = False
        self._polls_end = False
        self._stop_at = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)
        self._effects: dict[type[Any], Callable[[Any, Request, Snapshot], None]] = {
            plans.Send: self._send,
            plans.SignInAgent: self._sign_in,
            plans.SignOutAgent: self._sign_out,
            plans.Poll: self._poll,
            plans.StopPolling: self._stop_polling,
            plans.TellRasa: self._tell_rasa,
            plans.AskDomain: self._ask_domain,
            plans.Keep: self._keep_domain,
            plans.AwaitTurn: self._await_turn,
            plans.Put: self._put_effect,
            plans.Count: self._count,
            plans.Log: self._log,
            plans.Heard: self._heard,
        }

    # -- for everybody: any thread -------------------------------------------------------------

    def start(self) -> None:
        """Begin with what is there, and go on in a thread.

        Raises:
            StoreError: the store cannot be read or written.
        """
        self.prepare()
        self._store.listen(self.name, self.notified)
        self._thread.start()

    def prepare(self) -> None:
        """Recover what is there; from then on ``step`` can be called, or the thread started."""
        self._ahead = self._clock.now() - self._clock.monotonic()
        if self._senders is not None:
            self._senders.start(self.put, self._channel.watch)
            self._serve([Request(Recover())], must=True)
            self._serve([Request(self._correct(self._clock.now() + 60.0))], must=True)
            self._due = self._update_due = 0.0

    def submit(self, command: Command, reply: Reply, *, background: bool = False) -> None:
        """Put a command from outside; ``reply`` is called once, in the core's thread.

        Raises:
            FullError: too many commands wait already.
            StoreError: the core is stopping.
        """
        self._channel.put(Request(command, reply), background=background)

    def put(self, command: Command) -> None:
        """Put a result or a timer's command; nobody is answered."""
        try:
            self._channel.put(Request(command), bounded=False)
        except StoreError:
            logger.debug("A result came too late: %s", type(command).__name__)

    def call(self, command: Command, *, seconds: float = 60.0, background: bool = False) -> Any:
        """Put a command and wait for its answer.

        Raises:
            BridgeError: why it cannot be done; StoreError where no answer came in time.
        """
        answered: Future[Any] = Future()

        def reply(value: Any, error: BaseException | None) -> None:
            if error is not None:
                answered.set_exception(error)
            else:
                answered.set_result(value)

        self.submit(command, reply, background=background)
        try:
            return answered.result(seconds)
        except TimeoutError:
            raise StoreError("the store did not answer in time") from None

    @property
    def alive(self) -> bool:
        """Whether the loop runs and takes commands."""
        return self._thread.is_alive() and not self._stopping

    @property
    def breaker(self) -> Breaker:
        """Whether the gateway serves, as far as this process knows."""
        return self._breaker

    def status(self) -> Status:
        """What ``/bridge/ready`` tells; costs nothing."""
        breaker = self._breaker
        return Status(alive=self.alive, breaker=breaker.state.value, since=breaker.since)

    def tell_metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """What Prometheus is told: see ``Metrics.tell``. Blocks for the store."""
        return self._metrics.tell(
            accept,
            read=lambda: self._store.read(lists.figures),
            breaker=self._breaker.state.value,
            version=version,
        )

    @property
    def clock(self) -> Clock:
        """The time, as the core sees it."""
        return self._clock

    def stop_polling(self) -> None:
        """Poll for events no more: the process is to end. Everything else goes on.

        As each agent's last poll ends, another process may go on with it.
        """
        self._polls_end = True
        if self._senders is not None:
            self._senders.stop_polling()

    def stop(self) -> None:
        """Begin nothing more; what is under way is completed."""
        if not self._stopping:
            self._stop_at = self._clock.monotonic()
            self._stopping = True
            self._channel.wake()

    def close(self, *, within: float = LEASE + 1) -> None:
        """Complete what is under way, within so many seconds, then end the thread."""
        self.stop()
        if self._senders is not None:
            self._senders.close()
        self._closing = True
        self._channel.wake()
        if self._thread.ident is not None:
            self._thread.join(within)
        for request in self._channel.close():
            _answer(request.reply, None, StoreError("the bridge is stopping"))

    # -- the loop ------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended():
            try:
                self.step(until=self._next())
            except Exception as error:  # noqa: BLE001 - the one writer must not end
                logger.error("Unexpected error in the core loop, continuing: %s", describe(error))  # noqa: TRY400
        self._release_all()

    def step(self, *, until: float = 0.0) -> None:
        """Take the next batch, and what it is time for, and commit that.

        Waits for a command until ``until``. Called by the core's own thread, or by a program that
        has not started one.
        """
        batch = self._channel.take(most=BATCH, until=until)
        batch += self._timed(self._clock.now())
        for group in _groups(batch):
            self._serve(group)

    def _ended(self) -> bool:
        if not self._closing:
            return False
        busy = len(self._channel) or self._sending or (self._pending and self._patient())
        return not busy

    def _patient(self) -> bool:
        """Whether what the store would not take is still offered to it."""
        return self._clock.monotonic() < self._stop_at + LEASE

    def _next(self) -> float:
        """When there is something to do, if no command comes before."""
        now = self._clock.now()
        until = [now + _LOOK]
        if self._closing:
            return now + _VERSION
        if (at := self._timers.next()) is not None:
            until.append(at)
        if self._pending:
            until.append(self._pending_at)
        if self._senders is not None:
            if not self._stopping:
                until.append(self._claim_at(now))
                if self._update_due is not None and len(self._telling) < _UPDATES:
                    until.append(self._update_due)
            if self._store.dialect == "sqlite":
                until.append(self._version_at)
        return min(until)

    def _timed(self, now: float) -> list[Request]:
        """What it is time for, as commands."""
        self._watch_clock(now)
        found: list[Request] = []
        if self._pending and now >= self._pending_at:
            found, self._pending = self._pending, []
        found += [Request(command) for command in self._fired(now)]
        self._hear(now)
        if now >= self._look_at:
            self._look_at = now + _LOOK
            found += [Request(JudgeTurn(turn_key=key, final=False)) for key in self._unheld()]
            self._due = self._update_due = now  # others' leases, and what nobody told us of
        if self._senders is None or self._stopping:
            return found
        if now >= self._watch_at and not self._polls_end:
            self._watch_at = now + _WATCH
            found.append(Request(TakeOverSessions()))
        if now >= self._claim_at(now) and (claim := self._claim(now)) is not None:
            found.append(Request(claim))
        free = _UPDATES - len(self._telling)
        if self._update_due is not None and now >= self._update_due and free > 0:
            if self._rules.asks_rasa:
                found.append(Request(self._claim_updates(now, free)))
            self._update_due = None
        return found

    def _fired(self, now: float) -> Iterator[Command]:
        """The commands of timers whose time has come; that may be long ago."""
        for command in self._timers.due(now):
            if isinstance(command, JudgeTurn) and command.turn_key not in self._waiters:
                continue  # it was answered
            if isinstance(command, CorrectTimes):
                yield self._correct(max(now, command.latest_due))
            else:
                yield command

    def _unheld(self) -> list[str]:
        """Action calls that somebody waits for and whose deliveries are not being sent here."""
        if not self._waiters:
            return []
        held = {item.turn_key for item in self._sending.values()}
        return [key for key in self._waiters if key not in held]

    # -- one batch -----------------------------------------------------------------------------

    def _serve(self, batch: list[Request], *, must: bool = False) -> None:
        """Commit a batch and do what follows; if it fails, each command is done by itself."""
        for request in batch:
            if isinstance(request.command, SendingResult):
                _forget(self._sending, request.command.delivery)
        tries = 1
        while True:
            try:
                self._commit(batch)
            except (LostError, CrossedError) as error:
                alone = len(batch) == 1
                if tries < _TRIES and (alone or isinstance(error, LostError)):
                    tries += 1
                    continue
                self._failed(batch, error, must=must)
            except StoreError as error:
                self._failed(batch, error, must=must)
            except Exception as error:  # noqa: BLE001 - one command must not end the loop
                self._failed(batch, error, must=must)
            else:
                self._pending_pause = _PENDING
            return

    def _failed(self, batch: list[Request], error: Exception, *, must: bool) -> None:
        if must:
            raise error
        if len(batch) > 1 and not isinstance(error, UnavailableError):
            for request in batch:
                self._serve([request])
            return
        lasting = isinstance(error, UnstorableError)
        if not isinstance(error, BridgeError):
            logger.error("A command failed: %s", describe(error))
            error, lasting = StoreError("the request failed; the log says where"), True
        for request in batch:
            self._refuse(request, error, lasting=lasting)

    def _refuse(self, request: Request, error: Exception, *, lasting: bool) -> None:
        """Handle a command that could not be committed: tell its caller, or keep it for later.

        What would fail ``lasting``ly is dropped; of a sending, nobody knows then what it came to.
        """
        if request.reply is not None:
            _answer(request.reply, None, error)
            return
        now = self._clock.now()
        if isinstance(request.command, _CLAIMS):
            if isinstance(request.command, ClaimUpdates):
                self._update_due = now + _LOOK
            elif isinstance(request.command, ClaimDeliveries):
                self._due = now + _LOOK
            self._warn_once(f"claim {error}", "The outbox cannot be read: %s", error)
            return
        if lasting:
            self._drop(request.command, error)
            return
        if not self._pending:
            self._pending_at = now + self._pending_pause
            self._pending_pause = min(2 * self._pending_pause, _LONGEST_PENDING)
            self._warn_once("pending", "A result could not be stored yet: %s", error)
        self._pending.append(request)

    def _drop(self, command: Command, error: Exception) -> None:
        logger.error("A result cannot be stored: %s command=%s", error, type(command).__name__)
        self._finished(command)
        if isinstance(command, SendingResult) and command.error is not _UNSTORED:
            self.put(SendingResult(delivery=command.delivery, guid=None, error=_UNSTORED))

    def _commit(self, batch: list[Request]) -> None:
        now = self._clock.now()
        commands = [self._completed(request.command, now) for request in batch]
        made: list[Plan] = []
        written = Written()
        durable = not all(_can_be_lost(command) for command in commands)
        with self._store.transaction(durable=durable) as tx:
            loader = Loader(tx, self._process(commands), self._sessions, now, self._is_dead)
            snapshot = loader.load(Needs.of(command.needs() for command in commands))
            for command in commands:
                made.append(plan := self._planned(snapshot, command, now))
                if plan.error is None:
                    snapshot = snapshot.after(plan)
            good = [plan for plan in made if plan.error is None]
            if any(plan.writes for plan in good):
                written = write(tx, snapshot, good)
                self._notify(tx, good)
        self._remember(snapshot)
        for request, command, plan in zip(batch, commands, made, strict=True):
            self._follow(request._replace(command=command), plan, snapshot, written)
        self._flush()
        if isinstance(commands[0], _CLAIMS):
            self._claimed(commands[0], made[0], snapshot)

    def _flush(self) -> None:
        """Hand what is to be sent over; the batch is committed, so a failure must not repeat it."""
        if self._senders is None:
            return
        try:
            self._senders.flush()
        except Exception as error:  # noqa: BLE001 - senders tell what is overdue
            logger.error("Deliveries could not be handed over: %s", describe(error))  # noqa: TRY400

    def _completed(self, command: Command, now: float) -> Command:
        """An action call with the domain's responses, where it came without them."""
        if not isinstance(command, CallAction) or command.responses is not None:
            return command
        if now < self._responses_until:
            return replace(command, responses=self._responses, domain_asked=True)
        return command

    def _process(self, commands: Sequence[Command]) -> Process:
        free = self._workers - len(self._sending)
        probe = isinstance(commands[0], ClaimDeliveries) and commands[0].probe
        return Process(
            self.name,
            free=min(free, 1) if probe else free,
            sends=self._senders is not None and not self._stopping,
            closed=self._breaker.closed or probe,
            backlog=self._backlog,
        )

    def _planned(self, snapshot: Snapshot, command: Command, now: float) -> Plan:
        if command.answer_by is not None and now > command.answer_by:
            return Plan(error=StoreError("the store is too busy: it was not done in time"))
        try:
            return self._planners[type(command)](snapshot, command, self._rules, now)
        except BridgeError as error:
            return Plan(error=error)
        except Exception as error:  # noqa: BLE001 - a command's fault is its own
            logger.error(  # noqa: TRY400 - no customer's words
                "A command could not be planned: %s command=%s",
                describe(error),
                type(command).__name__,
            )
            if isinstance(command, SendingResult):
                return _parked(snapshot, command, now)
            return Plan(error=PlanningError("the request failed; the log says where"))

    def _notify(self, tx: Any, made: Sequence[Plan]) -> None:
        """Tell other machines what they have to do, or wait for."""
        waiting = any(
            item.state is DeliveryState.WAITING for plan in made for item in plan.deliveries
        )
        updates = any(update.state.value == "waiting" for plan in made for update in plan.updates)
        notify(
            tx,
            self.name,
            due=waiting or updates,
            turns=[key for plan in made for key in plan.answers],
            agents=[session.agent_id for plan in made for session in plan.sessions],
        )

    def _remember(self, snapshot: Snapshot) -> None:
        """Keep the sessions that are current; nothing else is kept between batches."""
        for agent, record in snapshot.sessions.items():
            if is_current(record):
                self._sessions[agent] = record
            else:
                self._sessions.pop(agent, None)

    # -- what follows --------------------------------------------------------------------------

    def _follow(self, request: Request, plan: Plan, snapshot: Snapshot, written: Written) -> None:
        command = request.command
        self._finished(command)
        if plan.error is not None:
            _answer(request.reply, None, plan.error)
            return
        late = self._is_late(command, plan)
        for effect in plan.effects:
            if late and isinstance(effect, plans.Send):
                continue
            self._do(effect, request, snapshot)
        if late:
            self._timers.add(0.0, WithdrawTurn(turn_key=command.key))
        self._due = _earlier(self._due, plan.due)
        self._update_due = _earlier(self._update_due, plan.update_due)
        for key, answer in plan.answers.items():
            for reply in self._waiters.pop(key, ()):
                _answer(reply, answer, None)
        try:
            answer = plan.answer if plan.finish is None else plan.finish(written)
        except Exception as error:  # noqa: BLE001 - it is committed, and so are the batch's others
            logger.error("An answer could not be made: %s", describe(error))  # noqa: TRY400
            _answer(request.reply, None, PlanningError("the request failed; the log says where"))
            return
        if answer is not UNANSWERED:
            _answer(request.reply, answer, None)

    def _finished(self, command: Command) -> None:
        """What a sender was doing is over, and stored."""
        if isinstance(command, SendingResult):
            _forget(self._held, command.delivery)
        elif isinstance(command, UpdateResult):
            self._telling.pop(command.update.seq, None)
        elif isinstance(command, SignInResult):
            self._signing.discard(command.agent_id)

    def _do(self, effect: plans.Effect, request: Request, snapshot: Snapshot) -> None:
        """Do what follows. Whatever fails here, the plan is committed and stays so."""
        try:
            self._effects[type(effect)](effect, request, snapshot)
        except Exception as error:  # noqa: BLE001 - the commands of the batch are done
            logger.error(  # noqa: TRY400 - no customer's words
                "An effect failed: %s effect=%s", describe(error), type(effect).__name__
            )
            if isinstance(effect, plans.Send):
                unsent = RetryableError("it could not be handed to a sender", retcode="internal")
                delivery = snapshot.deliveries[effect.message_code]
                self.put(SendingResult(delivery=delivery, guid=None, error=unsent))

    def _is_late(self, command: Command, plan: Plan) -> bool:
        """Whether its caller has already been told that it could not be done."""
        if not isinstance(command, CallAction) or command.answer_by is None:
            return False
        waits = any(isinstance(effect, plans.AwaitTurn) for effect in plan.effects)
        return waits and self._clock.now() > command.answer_by

    def _send(self, effect: plans.Send, _request: Request, snapshot: Snapshot) -> None:
        assert self._senders is not None  # noqa: S101 - only those who send claim
        item = snapshot.deliveries[effect.message_code]
        wanted = self._rules.bridge.delivery.attempt_timeout
        left = (item.lease_until or 0.0) - self._clock.now()
        self._held[item.seq] = item
        if left < min(_LEAST, wanted) or self._stopping:
            # The commit was slow, or the clock was set: it is claimed again.
            self.put(SendingResult(delivery=item, guid=None, unsent=True))
            return
        self._sending[item.seq] = item
        self._senders.send(item, effect.guid, min(wanted, left), retried=effect.retried)

    def _sign_in(self, effect: plans.SignInAgent, _request: Request, _snapshot: Snapshot) -> None:
        if self._senders is None or self._stopping or effect.agent_id in self._signing:
            return
        self._signing.add(effect.agent_id)
        self._senders.sign_in(effect.agent_id, forced=effect.forced, interrupted=effect.interrupted)

    def _sign_out(self, effect: plans.SignOutAgent, request: Request, _snapshot: Snapshot) -> None:
        if self._senders is not None:
            self._senders.sign_out(effect.agent_id, effect.guid, request.reply)

    def _poll(self, effect: plans.Poll, _request: Request, _snapshot: Snapshot) -> None:
        self._polling.add(effect.agent_id)
        if self._senders is None or self._stopping:
            return
        if self._polls_end:
            self._polling.discard(effect.agent_id)
            self._timers.add(0.0, ReleasePolls(agent_ids=frozenset({effect.agent_id})))
            return
        if effect.guid is None or effect.pause > 0:
            at = self._clock.now() + effect.pause
            again = ContinuePolling(agent_id=effect.agent_id, failures=effect.failures)
            self._timers.add(at, again)
        else:
            self._senders.poll(effect.agent_id, effect.guid, effect.failures)

    def _stop_polling(
        self, effect: plans.StopPolling, _request: Request, _snapshot: Snapshot
    ) -> None:
        self._polling.discard(effect.agent_id)

    def _tell_rasa(self, effect: plans.TellRasa, _request: Request, snapshot: Snapshot) -> None:
        assert self._senders is not None  # noqa: S101 - only those who send claim
        update = snapshot.updates[effect.update_id]
        self._telling[update.seq] = update.lease
        self._senders.tell_rasa(update, effect.events)

    def _ask_domain(self, _effect: plans.AskDomain, request: Request, _snapshot: Snapshot) -> None:
        if isinstance(request.command, CallAction):
            self._parked.append((request.command, request.reply))
        if self._senders is None or self._domain_asked:
            return
        self._domain_asked = True
        self._senders.ask_domain()
        # A Rasa that does not answer must not keep its own action waiting.
        self._timers.add(self._clock.now() + _DOMAIN_WAIT, DomainResult(responses=None))

    def _keep_domain(self, effect: plans.Keep, _request: Request, _snapshot: Snapshot) -> None:
        now = self._clock.now()
        if effect.responses is not None:
            self._responses = effect.responses
            self._responses_until = now + _DOMAIN_FRESH
        elif self._responses_until <= now and self._domain_asked:
            self._responses_until = now + _DOMAIN_FAILED
        self._domain_asked = False
        parked, self._parked = self._parked, []
        for command, reply in parked:
            again = replace(command, responses=self._responses, domain_asked=True)
            self._channel.put(Request(again, reply), bounded=False)

    def _await_turn(self, effect: plans.AwaitTurn, request: Request, _snapshot: Snapshot) -> None:
        if request.reply is None:
            return
        self._waiters.setdefault(effect.turn_key, []).append(request.reply)
        longest = self._clock.now() + _LONGEST_WAIT
        at = min(longest, effect.judge_at)  # in this order: what is no number is never less
        self._timers.add(at, JudgeTurn(turn_key=effect.turn_key))

    def _put_effect(self, effect: plans.Put, request: Request, _snapshot: Snapshot) -> None:
        del request
        self._timers.add(0.0, effect.command)

    def _count(self, effect: plans.Count, _request: Request, _snapshot: Snapshot) -> None:
        getattr(self._metrics, effect.name)(*effect.arguments)

    def _log(self, effect: plans.Log, _request: Request, _snapshot: Snapshot) -> None:
        if effect.once is not None:
            if effect.once in self._logged:
                return
            self._logged[effect.once] = None
        logger.log(effect.level, effect.message, *effect.arguments)

    def _warn_once(self, name: str, message: str, *arguments: Any) -> None:
        """Log a warning, and the same not again for a while."""
        now = self._clock.monotonic()
        if now >= self._quiet_until.get(name, now):
            self._quiet_until[name] = now + _QUIET
            logger.warning(message, *arguments)

    # -- claiming ------------------------------------------------------------------------------

    def _claim_at(self, now: float) -> float:
        """When to claim deliveries."""
        if not self._breaker.closed:
            left = self._breaker.probe_at - now
            swept = self._swept_at + _LOOK
            return now if self._breaker.due(now) else min(swept, now + max(left, 0.0))
        if self._due is None or len(self._sending) >= self._workers:
            return now + LEASE
        return self._due

    def _claim(self, now: float) -> ClaimDeliveries | None:
        free = self._workers - len(self._sending)
        held = {seq: item.lease for seq, item in self._held.items()}
        if self._breaker.closed:
            if free <= 0:
                return None
            self._due = None
            return ClaimDeliveries(limit=min(free, BATCH * 4), held=held)
        self._swept_at = now
        probe = self._breaker.due(now)
        return ClaimDeliveries(limit=1, probe=probe, sweep=not probe, held=held)

    def _claim_updates(self, now: float, free: int) -> ClaimUpdates:
        fresh = now < self._responses_until
        return ClaimUpdates(
            limit=free,
            held=dict(self._telling),
            responses=self._responses if fresh else None,
            domain_asked=fresh,
        )

    def _claimed(self, command: Command, plan: Plan, snapshot: Snapshot) -> None:
        now = self._clock.now()
        if isinstance(command, ClaimUpdates):
            self._update_due = _earlier(self._update_due, snapshot.next_update_due)
            return
        if not isinstance(command, ClaimDeliveries):
            return
        if command.probe and not self._breaker.closed:
            if plan.answer:
                self._breaker = breaker.probed(self._breaker, now=now)
            return
        self._backlog = snapshot.more
        self._due = _earlier(self._due, now if snapshot.more else snapshot.next_due)

    def _heard(self, effect: plans.Heard, _request: Request, _snapshot: Snapshot) -> None:
        """An attempt told something of the gateway."""
        error = effect.error if isinstance(effect.error, GatewayError) else None
        evidence = breaker.read(error)
        if effect.signing_in and evidence is not Evidence.AWAY:
            return  # a sign-in that succeeds says nothing of messages
        before, now = self._breaker, self._clock.now()
        if before.closed and evidence is Evidence.SERVED and not before.failures:
            return
        after = self._breaker = breaker.heard(before, evidence, effect.source, now=now)
        if before.closed and not after.closed:
            self._metrics.breaker_opened()
            logger.warning(
                "The gateway does not serve: messages wait, except for a probe now and then"
                " failures=%d",
                breaker.FAILURES,
            )
        elif after.closed and not before.closed:
            logger.info(
                "The gateway serves again: what waits is sent away_for=%.0fs", now - before.since
            )
            self._due = now
            self._timers.add(0.0, ReleaseHeld())

    # -- other processes, and the clock --------------------------------------------------------

    def notified(self, notice: Notice) -> None:
        """Note that another process committed something; called in the notifier's thread."""
        self._notices.append(notice)
        self._channel.wake()

    def _hear(self, now: float) -> None:
        if self._store.dialect == "sqlite" and now >= self._version_at:
            self._version_at = now + _VERSION
            if self._store.changed_elsewhere():
                self._notices.append(EVERYTHING)
        notices, self._notices = self._notices, []
        for notice in notices:
            if notice.everything:
                self._sessions.clear()
            for agent in notice.agents:
                self._sessions.pop(agent, None)
            if notice.due:
                self._due = self._update_due = now
            keys = self._unheld() if notice.everything else notice.turns
            for key in keys:
                if key in self._waiters:
                    self._timers.add(0.0, JudgeTurn(turn_key=key, final=False))

    def _watch_clock(self, now: float) -> None:
        """Correct what is stored and what is timed where the clock was set back.

        Again and again for a while: what was being sent then is stored with the former time.
        """
        ahead = now - self._clock.monotonic()
        went, self._ahead = ahead - self._ahead, ahead
        if went >= -_JUMP:
            return
        self._timers.shift(went)
        self._look_at = self._version_at = self._watch_at = self._swept_at = 0.0
        self._pending_at = 0.0
        self._due = self._update_due = now
        if self._senders is not None:
            for seconds in range(int(_UNEASY) + 1):
                self._timers.add(now + seconds, self._correct(now + seconds))

    def _correct(self, latest_due: float) -> CorrectTimes:
        now, expire = self._clock.now(), self._rules.bridge.delivery.expire_after
        return CorrectTimes(
            latest_due=latest_due, latest_expiry=now + expire, latest_rest=now + 2 * expire
        )

    def _release_all(self) -> None:
        """Give up the right to poll, and answer the callers that still wait."""
        if self._polling:
            try:
                self._commit([Request(ReleasePolls(agent_ids=frozenset(self._polling)))])
            except Exception as error:  # noqa: BLE001 - the leases run out by themselves
                logger.warning("Polling could not be given back: %s", describe(error))
        waiting = [reply for replies in self._waiters.values() for reply in replies]
        for reply in (*waiting, *[reply for _, reply in self._parked]):
            _answer(reply, None, StoreError("the bridge is stopping"))


class PlanningError(BridgeError):
    """A planner failed in a way that it should not."""


def _groups(batch: list[Request]) -> Iterable[list[Request]]:
    """A batch, with each set-wide command by itself."""
    together: list[Request] = []
    for request in batch:
        if isinstance(request.command, _ALONE):
            if together:
                yield together
                together = []
            yield [request]
        else:
            together.append(request)
            if len(together) >= BATCH:
                yield together
                together = []
    if together:
        yield together


def _parked(snapshot: Snapshot, command: SendingResult, now: float) -> Plan:
    """A result that cannot be understood: a person decides about its delivery."""
    found = snapshot.deliveries.get(command.delivery.message_code)
    if found is None or found.lease != command.delivery.lease:
        return Plan()
    error = DeliveryError("internal", "its outcome could not be understood; the log says where")
    parked = replace(
        found,
        state=DeliveryState.UNCERTAIN,
        error=error,
        settled_at=now,
        lease=None,
        lease_until=None,
    )
    return Plan(deliveries=(parked,))


def _can_be_lost(command: Command) -> bool:
    """Whether the machine may die and forget it: a message that was taken.

    It would be sent again, under the same code, as after any attempt whose outcome is not known;
    waiting for the disk would cost each message more than the rest of its way through the core.
    """
    return (
        isinstance(command, SendingResult)
        and command.error is None
        and not command.unsent
        and command.new_guid in (None, command.guid)
    )


def _forget(attempts: dict[int, Delivery], sent: Delivery) -> None:
    """An attempt is over; one that began meanwhile, under another lease, is not."""
    found = attempts.get(sent.seq)
    if found is not None and found.lease == sent.lease:
        del attempts[sent.seq]


def _earlier(one: float | None, other: float | None) -> float | None:
    """The earlier of two times; None stands for never."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _answer(reply: Reply | None, value: Any, error: BaseException | None) -> None:
    if reply is None:
        return
    try:
        reply(value, error)
    except Exception as raised:  # noqa: BLE001 - whoever waits must not end the loop
        logger.error("An answer could not be given: %s", describe(raised))  # noqa: TRY400

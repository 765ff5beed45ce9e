"""The core's loop: take a batch of commands, load, plan, commit, run the effects.

Every change to the store passes through this loop as a command. Commands that arrive during a
commit form the next batch. Callers wait in memory: an action call is answered by the commit that
settles its last delivery, or by ``JudgeTurn`` when its wait ends.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from cachetools import LRUCache

from bridge import identity
from bridge.core import breaker, unstorable
from bridge.core.breaker import Breaker, Evidence
from bridge.core.call_requests import CallRequests
from bridge.core.clock import Clock
from bridge.core.command_queue import CommandQueue, QueuedCommand
from bridge.core.port import Status
from bridge.core.timers import Timers
from bridge.core.watchers import ChangeWatchers
from bridge.errors import (
    BridgeError,
    GatewayError,
    RetryableError,
    StoreError,
    describe,
)
from bridge.frames import Watch
from bridge.metrics import Metrics
from bridge.model import Delivery, DeliveryError, DeliveryState, Guid
from bridge.planners import PLANNERS, Planner, Rules, alerts
from bridge.state import plan as plans
from bridge.state.calls import CallRequest
from bridge.state.commands import (
    BotAnswered,
    CallAction,
    ClaimDeliveries,
    ClaimRequests,
    ClaimUpdates,
    Command,
    ContinuePolling,
    CorrectTimes,
    DomainResult,
    ExpireSuggestions,
    ExplainAgent,
    JudgeRequest,
    JudgeTurn,
    PruneChanges,
    PutCommand,
    RaiseAlerts,
    Recover,
    ReleaseHeld,
    ReleasePolls,
    RequestResult,
    ResultCallback,
    SendingResult,
    SetSwitch,
    SignInResult,
    TakeOverSessions,
    UpdateResult,
    WakeAgent,
    WithdrawTurn,
)
from bridge.state.inquiries import Inquiry
from bridge.state.plan import UNANSWERED, Plan, Written
from bridge.state.records import (
    CHANGES_PRUNED,
    LEASE,
    AgentRequest,
    Alert,
    RasaUpdate,
    SessionRecord,
    UpdateKind,
    UpdateState,
)
from bridge.state.snapshot import Needs, Process, Snapshot
from bridge.store import (
    EVERYTHING,
    CrossedError,
    Loader,
    LostError,
    Notice,
    Store,
    UnavailableError,
    UndecodedError,
    UnstorableError,
    changes,
    lists,
    notify,
    write,
)
from bridge.store.loading import is_current
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

BATCH = 16  # commands: large batches keep conversations in lockstep, small ones cost CPU
_TRIES = 3  # attempts to commit after a conflict with another transaction or a lost connection
_LONGEST_WAIT = 60.0  # seconds, the upper limit of an action call's wait
_LOOK = 1.0  # seconds between checks for work that no notification announced
_VERSION = 0.25  # seconds between checks for commits of other processes (SQLite)
_PENDING = 0.25  # seconds before a failed commit is retried, doubled each time up to
_LONGEST_PENDING = 2.0
_WATCH = 5.0  # seconds between checks for sessions that no process polls
_PRUNE = 60.0  # seconds between prunings of the log of changes
_LEAST = 1.0  # seconds of its lease that an attempt needs
_JUMP = 2.0  # seconds; a smaller step back of the clock is ignored
_UNEASY = 10.0  # seconds after such a step in which old timestamps may still be written
_DOMAIN_FRESH = 60.0  # seconds that Rasa's domain is cached
_DOMAIN_FAILED = 10.0  # seconds before the domain is requested again after a failure
_DOMAIN_WAIT = 1.0  # seconds that a command waits for the domain
_SESSIONS = 65536  # sessions cached in memory; an evicted one is read from the store again
_ONCE = 4096  # size of the caches that suppress repeated log messages
_QUIET = 30.0  # seconds during which the same warning is not logged again
_UPDATES = 4  # concurrent updates to Rasa
_INQUIRIES = 16  # concurrent inquiries, in whose time other updates are sent
_RELEASING = 2.0  # seconds that a stop waits until the leases on polling are released

# Commands that select rows by a condition instead of by key: each is a batch of its own.
_ALONE = (
    ClaimDeliveries,
    ClaimUpdates,
    ClaimRequests,
    WakeAgent,
    ExplainAgent,
    ReleaseHeld,
    Recover,
    CorrectTimes,
    TakeOverSessions,
    SetSwitch,
    ExpireSuggestions,
    RaiseAlerts,
)
_CLAIMS = (ClaimDeliveries, ClaimUpdates, ClaimRequests, TakeOverSessions)


class Senders(Protocol):
    """Blocking HTTP calls, outside the core's thread.

    Each method returns at once; its result arrives as a command.
    """

    def start(self, put: PutCommand, watch: Watch) -> None:
        """Start; pass results to ``put``, and register sockets with ``watch``."""

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Queue a delivery for the next ``flush``. Result: ``SendingResult``."""

    def flush(self) -> None:
        """Hand the queued deliveries to the sender process in one write."""

    def sign_in(self, wanted: plans.SignInAgent) -> None:
        """Sign an agent in. Result: ``SignInResult``."""

    def sign_out(self, agent_id: str, guid: Guid, reply: ResultCallback | None) -> None:
        """Sign an agent out, and pass the outcome to ``reply``."""

    def ask_agent(
        self, agent_id: str, guid: Guid, request: AgentRequest, reply: ResultCallback | None
    ) -> None:
        """Make a request for an agent. Result: ``AgentAnswered``, with ``reply``."""

    def poll(self, agent_id: str, guid: Guid, failures: int) -> None:
        """Poll for an agent's events, or shake hands. Result: ``PollResult``."""

    def stop_polling(self) -> None:
        """Start no further polls."""

    def finish_polling(self) -> None:
        """Wait for the polls in flight, within their deadlines."""

    def send_update(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        """Append events to a conversation in Rasa. Result: ``UpdateResult``."""

    def send_alert(self, alert: Alert) -> None:
        """Report an alert to the operator's webhook. Result: ``AlertResult``."""

    def request(self, request: CallRequest, guid: Guid, caller: str) -> None:
        """Make a request about a call. Result: ``RequestResult``."""

    def ask_bot(self, update: RasaUpdate, inquiry: Inquiry) -> None:
        """Ask the bot about a customer's message. Result: ``BotAnswered``."""

    def ask_domain(self) -> None:
        """Request Rasa's domain. Result: ``DomainResult``."""

    def close(self) -> None:
        """Finish the calls in flight within their deadlines; start no new ones."""


class Core:
    """One core. Call ``start`` once and ``close`` once.

    Args:
        store: the database; only this core writes through it.
        rules: the planners' configuration.
        senders: None for a core that sends nothing, such as a command-line tool's.
        responses: the domain's responses, if they come from a file.
        workers: maximum number of deliveries in flight.
        name: prefix of this core's leases.
        planners: the planner for each type of command.
        is_dead: returns True if the holder of a lease has certainly died.
        channel: the source of commands; defaults to an in-process channel.
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
        channel: CommandQueue | None = None,
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
        self._channel = CommandQueue(self._clock) if channel is None else channel
        self._timers: Timers[Command] = Timers()
        self._waiters: dict[str, list[ResultCallback]] = {}
        self._sending: dict[int, Delivery] = {}  # by number, until the result arrives
        self._held: dict[int, Delivery] = {}  # by number, until the result is committed
        self._sending_updates: dict[int, RasaUpdate] = {}  # until the result is committed
        self._requests = CallRequests()
        self._signing: set[str] = set()
        self._polling: set[str] = set()
        self._paused: set[str] = set()  # agents whose next poll waits for a timer
        self._released = threading.Event()  # set when polling has ended for all agents
        self._pending: list[QueuedCommand] = []  # could not be committed yet
        self._pending_at = 0.0
        self._pending_pause = _PENDING
        self._parked: list[tuple[CallAction, ResultCallback | None]] = []  # waiting for the domain
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
        self._claims_from = 0.0  # no claim before this time: the last one could not be committed
        self._update_due: float | None = None
        self._look_at = 0.0
        self._version_at = 0.0
        self._watch_at = 0.0
        self._prune_at = self._clock.now() + _PRUNE
        self._ahead = 0.0
        self._uneasy_until = 0.0
        self._notices: list[Notice] = []
        self._commits = 0
        self.changes = ChangeWatchers()
        self._stopping = self._closing = False
        self._polls_end = False
        self._stop_at = 0.0
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)
        self._effects: dict[type[Any], Callable[[Any, QueuedCommand, Snapshot], None]] = {
            plans.Send: self._send,
            plans.SignInAgent: self._sign_in,
            plans.SignOutAgent: self._sign_out,
            plans.AskAgent: self._ask_agent,
            plans.Poll: self._poll,
            plans.StopPolling: self._stop_polling,
            plans.SendUpdate: self._send_update,
            plans.SendAlert: self._send_alert,
            plans.RequestGateway: self._request_gateway,
            plans.AwaitRequest: self._await_request,
            plans.AskBot: self._ask_bot,
            plans.AskDomain: self._ask_domain,
            plans.Keep: self._keep_domain,
            plans.AwaitTurn: self._await_turn,
            plans.Put: self._put_effect,
            plans.Count: self._count,
            plans.Log: self._log,
            plans.UpdateBreaker: self._update_breaker,
        }

    # -- public: callable from any thread ------------------------------------------------------

    def start(self) -> None:
        """Recover stored work, then run the loop in a thread.

        Raises:
            StoreError: the store cannot be read or written.
        """
        self.prepare()
        self._store.listen(self.name, self.notified)
        self._thread.start()

    def prepare(self) -> None:
        """Recover stored work; afterwards ``step`` may be called, or the thread started."""
        self._ahead = self._clock.now() - self._clock.monotonic()
        if self._senders is not None:
            self._senders.start(self.put, self._channel.watch)
            self._serve([QueuedCommand(Recover())], must=True)
            self._serve([QueuedCommand(self._correct(self._clock.now() + 60.0))], must=True)
            self._due = self._update_due = self._requests.due = 0.0

    def submit(self, command: Command, reply: ResultCallback, *, background: bool = False) -> None:
        """Queue an external command; ``reply`` is called once, in the core's thread.

        Raises:
            FullError: the queue is full.
            StoreError: the core is stopping.
        """
        self._channel.put(QueuedCommand(command, reply), background=background)

    def put(self, command: Command, reply: ResultCallback | None = None) -> None:
        """Queue a sender's result or a timer's command."""
        try:
            self._channel.put(QueuedCommand(command, reply), bounded=False)
        except StoreError:
            logger.debug("A result arrived after the core had stopped: %s", type(command).__name__)

    def call(self, command: Command, *, seconds: float = 60.0, background: bool = False) -> Any:
        """Queue a command and return its answer.

        Raises:
            BridgeError: the command failed; StoreError if no answer arrives within ``seconds``.
        """
        future: Future[Any] = Future()

        def reply(value: Any, error: BaseException | None) -> None:
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)

        self.submit(command, reply, background=background)
        try:
            return future.result(seconds)
        except TimeoutError:
            raise StoreError("the store did not answer in time") from None

    @property
    def alive(self) -> bool:
        """True while the loop runs and accepts commands."""
        return self._thread.is_alive() and not self._stopping

    @property
    def breaker(self) -> Breaker:
        """The circuit breaker around the gateway; each process has its own."""
        return self._breaker

    def status(self) -> Status:
        """Return the status for ``/bridge/ready``; does not block."""
        breaker = self._breaker
        return Status(alive=self.alive, breaker=breaker.state.value, since=breaker.since)

    def render_metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """Render the metrics for Prometheus, see ``Metrics.render``. Blocks: reads the store."""
        return self._metrics.render(
            accept,
            read=lambda: self._store.read(lists.figures),
            breaker=self._breaker.state.value,
            version=version,
        )

    @property
    def clock(self) -> Clock:
        """The core's clock."""
        return self._clock

    def stop_polling(self) -> None:
        """Stop polling for events because the process is about to end; all else continues.

        When an agent's last poll ends, its lease is released and another process may take over.
        Readers without calls are signed out.
        """
        self._polls_end = True
        if self._senders is not None:
            self._senders.stop_polling()
        self._channel.wake()

    def stop(self) -> None:
        """Start no new work; complete the work in progress."""
        if not self._stopping:
            self.stop_polling()
            self._stop_at = self._clock.monotonic()
            self._stopping = True
            self._channel.wake()

    def close(self, *, within: float = LEASE + 1) -> None:
        """Complete the work in progress within ``within`` seconds, then end the thread."""
        self.stop()
        if self._senders is not None:
            self._senders.finish_polling()
            if self._thread.is_alive():  # readers are signed out before their sender is closed
                self._released.wait(_RELEASING)
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
            with Unexpected(logger, "Unexpected error in the core loop, continuing: %s"):
                self.step(until=self._next())
        self._release_all()

    def step(self, *, until: float = 0.0) -> None:
        """Take the next batch of commands, add those that are due, and commit them.

        Waits for a command until the time ``until``. Called by the core's own thread, or by a
        program that has not started one.
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
        """Return True while pending commits are still retried after a stop."""
        return self._clock.monotonic() < self._stop_at + LEASE

    def _next(self) -> float:
        """Return the time of the next scheduled work, used as the limit of the wait."""
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
                if self._update_due is not None and any(self._free_updates):
                    until.append(self._update_due)
                if (at := self._requests.next_claim) is not None:
                    until.append(at)
            if self._store.dialect == "sqlite":
                until.append(self._version_at)
        return min(until)

    def _timed(self, now: float) -> list[QueuedCommand]:
        """Return the commands that are due: retries, timers, periodic checks, claims."""
        self._watch_clock(now)
        due: list[QueuedCommand] = []
        if self._pending and now >= self._pending_at:
            due, self._pending = self._pending, []
        due += [QueuedCommand(command) for command in self._fired(now)]
        self._handle_notices(now)
        if now >= self._look_at:
            self._look_at = now + _LOOK
            due += [QueuedCommand(JudgeTurn(turn_key=key, final=False)) for key in self._unheld()]
            due += [QueuedCommand(command) for command in self._requests.judgements()]
            # Expired leases, and missed notifications.
            self._due = self._update_due = self._requests.due = now
            self.changes.announce()  # likewise
        if self._polls_end:
            due += self._releases()
        if self._senders is None or self._stopping:
            return due
        due += [QueuedCommand(command) for command in self._periodic(now)]
        if now >= self._claim_at(now) and (claim := self._claim(now)) is not None:
            due.append(QueuedCommand(claim))
        return [*due, *self._queued(now)]

    def _queued(self, now: float) -> Iterator[QueuedCommand]:
        """Yield the claims of updates for Rasa and of requests about calls that are due."""
        if self._update_due is not None and now >= self._update_due and any(self._free_updates):
            if self._rules.asks_rasa:
                yield QueuedCommand(self._claim_updates(now))
            self._update_due = None
        requests = self._requests.claim(now)
        if requests is not None and self._rules.bridge.readers:
            yield QueuedCommand(requests)

    def _releases(self) -> list[QueuedCommand]:
        """Return the release of the agents that are not being polled at this moment."""
        paused, self._paused = frozenset(self._paused), set()
        if not self._polling:
            self._released.set()
        return [QueuedCommand(ReleasePolls(agent_ids=paused))] if paused else []

    def _periodic(self, now: float) -> Iterator[Command]:
        """Yield the commands that are put every few seconds."""
        if now >= self._watch_at and not self._polls_end:
            self._watch_at = now + _WATCH
            yield TakeOverSessions(readers=frozenset(self._rules.bridge.readers))
            yield ExpireSuggestions()
            if (alert_at := alerts.due_at(self._rules, now)) is not None:
                yield RaiseAlerts(latest=alert_at + alerts.LEASE)
        if now >= self._prune_at:
            self._prune_at = now + _PRUNE
            yield PruneChanges()

    @property
    def _free_updates(self) -> tuple[int, int]:
        """How many more inquiries and how many other updates may be sent."""
        sending = self._sending_updates.values()
        asking = sum(update.kind is UpdateKind.INQUIRY for update in sending)
        return _INQUIRIES - asking, _UPDATES - (len(sending) - asking)

    def _fired(self, now: float) -> Iterator[Command]:
        """Yield the commands of expired timers; a timer may have expired long ago."""
        for command in self._timers.due(now):
            if isinstance(command, JudgeTurn) and command.turn_key not in self._waiters:
                continue  # already answered
            if isinstance(command, JudgeRequest) and not self._requests.is_awaited(
                command.request_id
            ):
                continue
            if isinstance(command, ContinuePolling) and self._polls_end:
                continue  # see ``_releases``
            if isinstance(command, CorrectTimes):
                yield self._correct(max(now, command.latest_due))
            else:
                yield command

    def _unheld(self) -> list[str]:
        """Return the keys of waiting action calls with no delivery in flight in this process."""
        if not self._waiters:
            return []
        held = {item.turn_key for item in self._sending.values()}
        return [key for key in self._waiters if key not in held]

    # -- one batch -----------------------------------------------------------------------------

    def _serve(self, batch: list[QueuedCommand], *, must: bool = False) -> None:
        """Commit a batch and run its effects; if that fails, commit each command alone."""
        for request in batch:
            if isinstance(request.command, SendingResult):
                _forget(self._sending, request.command.delivery)
        tries = 1
        while True:
            try:
                self._commit(batch)
            except (LostError, CrossedError, UndecodedError) as error:
                again = len(batch) == 1 or not isinstance(error, CrossedError)
                if tries < _TRIES and again:
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

    def _failed(self, batch: list[QueuedCommand], error: Exception, *, must: bool) -> None:
        lasting = isinstance(error, UnstorableError) or not isinstance(error, BridgeError)
        if must and not lasting:
            raise error
        if len(batch) > 1 and not isinstance(error, UnavailableError):
            for request in batch:
                self._serve([request])
            return
        if not isinstance(error, BridgeError):
            logger.error(
                "A command failed: %s command=%s", describe(error), type(batch[0].command).__name__
            )
            error = StoreError("the request failed; the log says where")
        for request in batch:
            self._refuse(request, error, lasting=lasting)

    def _refuse(self, request: QueuedCommand, error: Exception, *, lasting: bool) -> None:
        """Handle a command that could not be committed: answer its caller, or retry it later.

        A command whose failure is ``lasting``, or that the store refuses again and again while it
        commits others, is dropped; see ``unstorable.substitute``.
        """
        if request.reply is not None:
            _answer(request.reply, None, error)
            return
        now = self._clock.now()
        if isinstance(request.command, _CLAIMS):
            if isinstance(request.command, ClaimUpdates):
                self._update_due = now + _LOOK
            elif isinstance(request.command, ClaimRequests):
                self._requests.due = now + _LOOK
            elif isinstance(request.command, ClaimDeliveries):
                self._due = self._claims_from = now + _LOOK
            self._warn_once(f"claim {error}", "The outbox cannot be read: %s", error)
            return
        request = unstorable.counted(request, error, self._commits)
        if lasting or unstorable.is_refused_alone(request, self._commits):
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
        instead = unstorable.substitute(command)
        if instead is not None:
            self.put(instead)

    def _commit(self, batch: list[QueuedCommand]) -> None:
        now = self._clock.now()
        commands = [self._completed(request.command, now) for request in batch]
        plans_made: list[Plan] = []
        written, newest = Written(), 0
        durable = not all(_can_be_lost(command) for command in commands)
        with self._store.transaction(durable=durable) as tx:
            loader = Loader(tx, self._process(commands), self._sessions, now, self._is_dead)
            snapshot = loader.load(Needs.of(command.needs() for command in commands))
            for command in commands:
                plans_made.append(plan := self._planned(snapshot, command, now))
                if plan.error is None:
                    snapshot = snapshot.after(plan)
            valid = [plan for plan in plans_made if plan.error is None]
            if any(plan.writes for plan in valid):
                written = write(tx, snapshot, valid)
                newest = changes.append(tx, changes.of_plans(valid, snapshot, written), now)
                self._notify(tx, valid, newest)
        self._commits += any(plan.writes for plan in valid)
        self._remember(snapshot)
        for request, command, plan in zip(batch, commands, plans_made, strict=True):
            self._follow(request._replace(command=command), plan, snapshot, written)
        self._flush()
        if newest:
            self.changes.announce(newest)
        if written.counts.get("changes", 0) >= CHANGES_PRUNED:
            self._prune_at = now  # there are more
        if isinstance(commands[0], _CLAIMS):
            self._claimed(commands[0], plans_made[0], snapshot)

    def _flush(self) -> None:
        """Flush the senders' queue; the batch is committed, so an error must not repeat it."""
        if self._senders is None:
            return
        with Unexpected(logger, "Deliveries could not be handed over: %s"):
            self._senders.flush()

    def _completed(self, command: Command, now: float) -> Command:
        """Add the cached domain responses to an action call that carries none."""
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
            signing=len(self._signing),
            nonce=secrets.token_hex(16),
        )

    def _planned(self, snapshot: Snapshot, command: Command, now: float) -> Plan:
        if command.answer_by is not None and now > command.answer_by:
            return Plan(error=StoreError("the store is too busy: the request timed out"))
        kind = type(command)
        with Unexpected(logger, "A command could not be planned: %s command=%s", kind.__name__):
            try:
                return self._planners[kind](snapshot, command, self._rules, now)
            except BridgeError as error:
                return Plan(error=error)
        if isinstance(command, SendingResult):
            return _parked(snapshot, command, now)
        return Plan(error=PlanningError("the request failed; the log says where"))

    def _notify(self, tx: Any, valid: Sequence[Plan], newest: int) -> None:
        """Notify other processes of due work, answers, changed sessions and the last change."""
        waiting = any(
            item.state is DeliveryState.WAITING for plan in valid for item in plan.deliveries
        )
        states = {item.state for plan in valid for item in plan.updates}
        states |= {item.state for plan in valid for item in plan.requests}
        updates = UpdateState.WAITING in states
        notify(
            tx,
            self.name,
            due=waiting or updates,
            turns=[key for plan in valid for key in plan.answers],
            agents=[session.agent_id for plan in valid for session in plan.sessions],
            changes=newest,
        )

    def _remember(self, snapshot: Snapshot) -> None:
        """Cache the current sessions; nothing else is kept between batches."""
        for agent, record in snapshot.sessions.items():
            if is_current(record):
                self._sessions[agent] = record
            else:
                self._sessions.pop(agent, None)

    # -- effects -------------------------------------------------------------------------------

    def _follow(
        self, request: QueuedCommand, plan: Plan, snapshot: Snapshot, written: Written
    ) -> None:
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
        self._requests.make_due(plan.request_due)
        self._answer_waiting(plan)
        answer: Any = None
        with Unexpected(logger, "An answer could not be made: %s") as failure:
            answer = plan.answer if plan.finish is None else plan.finish(written)
        if failure.error is not None:
            _answer(request.reply, None, PlanningError("the request failed; the log says where"))
            return
        if answer is not UNANSWERED:
            _answer(request.reply, answer, None)

    def _answer_waiting(self, plan: Plan) -> None:
        """Answer the callers that wait for what a plan settles."""
        for reply, outcome, error in self._requests.answers(plan.outcomes):
            _answer(reply, outcome, error)
        for key, turn_answer in plan.answers.items():
            for reply in self._waiters.pop(key, ()):
                _answer(reply, turn_answer, None)

    def _finished(self, command: Command) -> None:
        """Drop the in-memory record of a sender's call whose result is committed."""
        if isinstance(command, SendingResult):
            _forget(self._held, command.delivery)
        elif isinstance(command, (UpdateResult, BotAnswered)):
            self._sending_updates.pop(command.update.seq, None)
        elif isinstance(command, RequestResult):
            self._requests.finished(command.call_request)
        elif isinstance(command, SignInResult):
            self._signing.discard(command.agent_id)
        elif isinstance(command, ReleasePolls):
            self._polling -= command.agent_ids

    def _do(self, effect: plans.Effect, request: QueuedCommand, snapshot: Snapshot) -> None:
        """Run an effect; an error is logged, because the plan is committed already."""
        kind = type(effect)
        with Unexpected(logger, "An effect failed: %s effect=%s", kind.__name__) as failure:
            self._effects[kind](effect, request, snapshot)
        if failure.error is not None and isinstance(effect, plans.Send):
            unsent = RetryableError("it could not be handed to a sender", retcode="internal")
            delivery = snapshot.deliveries[effect.message_code]
            self.put(SendingResult(delivery=delivery, guid=None, error=unsent))

    def _is_late(self, command: Command, plan: Plan) -> bool:
        """Return True if the caller has already received a timeout for this action call."""
        if not isinstance(command, CallAction) or command.answer_by is None:
            return False
        waits = any(isinstance(effect, plans.AwaitTurn) for effect in plan.effects)
        return waits and self._clock.now() > command.answer_by

    def _send(self, effect: plans.Send, _request: QueuedCommand, snapshot: Snapshot) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        item = snapshot.deliveries[effect.message_code]
        wanted = self._rules.bridge.delivery.attempt_timeout
        left = (item.lease_until or 0.0) - self._clock.now()
        self._held[item.seq] = item
        if left < min(_LEAST, wanted) or self._stopping:
            # The commit was slow, or the clock was set: release it to be claimed again.
            self.put(SendingResult(delivery=item, guid=None, unsent=True))
            return
        self._sending[item.seq] = item
        self._senders.send(item, effect.guid, min(wanted, left), retried=effect.retried)

    def _sign_in(
        self, effect: plans.SignInAgent, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        if self._senders is None or self._stopping or effect.agent_id in self._signing:
            return
        self._signing.add(effect.agent_id)
        self._senders.sign_in(effect)

    def _sign_out(
        self, effect: plans.SignOutAgent, request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        if self._senders is not None:
            self._senders.sign_out(effect.agent_id, effect.guid, request.reply)

    def _ask_agent(
        self, effect: plans.AskAgent, request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        if self._senders is not None:
            self._senders.ask_agent(effect.agent_id, effect.guid, effect.request, request.reply)

    def _poll(self, effect: plans.Poll, _request: QueuedCommand, _snapshot: Snapshot) -> None:
        self._polling.add(effect.agent_id)
        self._paused.discard(effect.agent_id)
        if self._senders is None:
            return
        if self._polls_end:
            self._timers.add(0.0, ReleasePolls(agent_ids=frozenset({effect.agent_id})))
            return
        if effect.guid is None or effect.pause > 0:
            self._paused.add(effect.agent_id)
            at = self._clock.now() + effect.pause
            again = ContinuePolling(agent_id=effect.agent_id, failures=effect.failures)
            self._timers.add(at, again)
        else:
            self._senders.poll(effect.agent_id, effect.guid, effect.failures)

    def _stop_polling(
        self, effect: plans.StopPolling, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        self._polling.discard(effect.agent_id)
        self._paused.discard(effect.agent_id)

    def _send_update(
        self, effect: plans.SendUpdate, _request: QueuedCommand, snapshot: Snapshot
    ) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        update = snapshot.updates[effect.update_id]
        self._sending_updates[update.seq] = update
        self._senders.send_update(update, effect.events)

    def _send_alert(
        self, effect: plans.SendAlert, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders raises no alerts
        self._senders.send_alert(effect.alert)

    def _request_gateway(
        self, effect: plans.RequestGateway, _request: QueuedCommand, snapshot: Snapshot
    ) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        request = snapshot.requests[effect.request_id]
        call = snapshot.calls.get((request.call_id, request.agent_id))
        self._requests.begun(request)
        self._senders.request(request, effect.guid, call.caller if call is not None else "")

    def _await_request(
        self, effect: plans.AwaitRequest, request: QueuedCommand, snapshot: Snapshot
    ) -> None:
        if request.reply is None:
            return
        asked = snapshot.requests[effect.request_id]
        self._timers.add(effect.until, self._requests.wait(asked, request.reply))

    def _ask_bot(self, effect: plans.AskBot, _request: QueuedCommand, snapshot: Snapshot) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        update = snapshot.updates[effect.update_id]
        self._sending_updates[update.seq] = update
        self._senders.ask_bot(update, effect.inquiry)

    def _ask_domain(
        self, _effect: plans.AskDomain, request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        if isinstance(request.command, CallAction):
            self._parked.append((request.command, request.reply))
        if self._senders is None or self._domain_asked:
            return
        self._domain_asked = True
        self._senders.ask_domain()
        # Limit the wait: the action must not block on a Rasa that does not answer.
        self._timers.add(self._clock.now() + _DOMAIN_WAIT, DomainResult(responses=None))

    def _keep_domain(
        self, effect: plans.Keep, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
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
            self._channel.put(QueuedCommand(again, reply), bounded=False)

    def _await_turn(
        self, effect: plans.AwaitTurn, request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        if request.reply is None:
            return
        self._waiters.setdefault(effect.turn_key, []).append(request.reply)
        longest = self._clock.now() + _LONGEST_WAIT
        at = min(longest, effect.judge_at)  # in this order: a NaN never compares as less
        self._timers.add(at, JudgeTurn(turn_key=effect.turn_key))

    def _put_effect(self, effect: plans.Put, request: QueuedCommand, _snapshot: Snapshot) -> None:
        del request
        self._timers.add(effect.at, effect.command)

    def _count(self, effect: plans.Count, _request: QueuedCommand, _snapshot: Snapshot) -> None:
        getattr(self._metrics, effect.name)(*effect.arguments)

    def _log(self, effect: plans.Log, _request: QueuedCommand, _snapshot: Snapshot) -> None:
        if effect.once is not None:
            if effect.once in self._logged:
                return
            self._logged[effect.once] = None
        logger.log(effect.level, effect.message, *effect.arguments)

    def _warn_once(self, name: str, message: str, *arguments: Any) -> None:
        """Log a warning, at most once per ``_QUIET`` seconds for each ``name``."""
        now = self._clock.monotonic()
        if now >= self._quiet_until.get(name, now):
            self._quiet_until[name] = now + _QUIET
            logger.warning(message, *arguments)

    # -- claiming ------------------------------------------------------------------------------

    def _claim_at(self, now: float) -> float:
        """Return the time of the next claim of deliveries."""
        if not self._breaker.closed:
            left = self._breaker.probe_at - now
            sweep_at = self._swept_at + _LOOK
            at = now if self._breaker.due(now) else min(sweep_at, now + max(left, 0.0))
            return max(at, self._claims_from)
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

    def _claim_updates(self, now: float) -> ClaimUpdates:
        fresh = now < self._responses_until
        inquiries, others = self._free_updates
        return ClaimUpdates(
            limit=others,
            inquiries=inquiries,
            held={seq: update.lease for seq, update in self._sending_updates.items()},
            responses=self._responses if fresh else None,
            domain_asked=fresh,
        )

    def _claimed(self, command: Command, plan: Plan, snapshot: Snapshot) -> None:
        now = self._clock.now()
        if isinstance(command, ClaimUpdates):
            self._update_due = _earlier(self._update_due, snapshot.next_update_due)
            return
        if isinstance(command, ClaimRequests):
            self._requests.make_due(snapshot.next_request_due)
            return
        if not isinstance(command, ClaimDeliveries):
            return
        if command.probe and not self._breaker.closed:
            if plan.answer:
                self._breaker = breaker.probed(self._breaker, now=now)
            return
        self._backlog = snapshot.more
        self._due = _earlier(self._due, now if snapshot.more else snapshot.next_due)

    def _update_breaker(
        self, effect: plans.UpdateBreaker, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        """Update the circuit breaker with the outcome of an attempt."""
        error = effect.error if isinstance(effect.error, GatewayError) else None
        evidence = breaker.read(error)
        if effect.signing_in and evidence is not Evidence.AWAY:
            return  # a successful sign-in is no evidence that messages are accepted
        before, now = self._breaker, self._clock.now()
        if before.closed and evidence is Evidence.SERVED and not before.failures:
            return
        after = self._breaker = breaker.record(before, evidence, effect.source, now=now)
        if before.closed and not after.closed:
            self._metrics.breaker_opened()
            logger.warning(
                "The gateway is unavailable: messages wait, except for periodic probes failures=%d",
                breaker.FAILURES,
            )
        elif after.closed and not before.closed:
            logger.info(
                "The gateway is available again: waiting messages are sent away_for=%.0fs",
                now - before.since,
            )
            self._due = now
            self._timers.add(0.0, ReleaseHeld())

    # -- other processes, and the clock --------------------------------------------------------

    def notified(self, notice: Notice) -> None:
        """Queue the notification of another process's commit; runs in the notifier's thread."""
        self._notices.append(notice)
        self._channel.wake()

    def _handle_notices(self, now: float) -> None:
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
                self._due = self._update_due = self._requests.due = now
            if notice.everything or notice.changes:
                self.changes.announce(notice.changes)
            keys = self._unheld() if notice.everything else notice.turns
            for key in keys:
                if key in self._waiters:
                    self._timers.add(0.0, JudgeTurn(turn_key=key, final=False))

    def _watch_clock(self, now: float) -> None:
        """If the clock was set back, shift the timers and correct stored timestamps.

        The correction is repeated every second for ``_UNEASY`` seconds, because deliveries in
        flight at that moment are stored with timestamps of the old clock.
        """
        ahead = now - self._clock.monotonic()
        step, self._ahead = ahead - self._ahead, ahead
        if step >= -_JUMP:
            return
        self._timers.shift(step)
        self._look_at = self._version_at = self._watch_at = self._swept_at = 0.0
        self._claims_from = 0.0
        self._prune_at = min(self._prune_at, now + _PRUNE)
        self._pending_at = 0.0
        self._due = self._update_due = self._requests.due = now
        if self._senders is not None:
            for seconds in range(int(_UNEASY) + 1):
                self._timers.add(now + seconds, self._correct(now + seconds))

    def _correct(self, latest_due: float) -> CorrectTimes:
        now, expire = self._clock.now(), self._rules.bridge.delivery.expire_after
        return CorrectTimes(
            latest_due=latest_due, latest_expiry=now + expire, latest_rest=now + 2 * expire
        )

    def _release_all(self) -> None:
        """Release the polling leases, and answer the callers that still wait."""
        if self._polling:
            # On failure, the leases expire by themselves.
            message = "The polling leases could not be released: %s"
            with Unexpected(logger, message, level=logging.WARNING):
                # The sender of sign-outs is closed.
                release = ReleasePolls(agent_ids=frozenset(self._polling), sign_out=False)
                self._commit([QueuedCommand(release)])
        self.changes.close()
        waiting = [reply for replies in self._waiters.values() for reply in replies]
        waiting += self._requests.waiting()
        for reply in (*waiting, *[reply for _, reply in self._parked]):
            _answer(reply, None, StoreError("the bridge is stopping"))


class PlanningError(BridgeError):
    """A planner raised an unexpected exception."""


def _groups(batch: list[QueuedCommand]) -> Iterable[list[QueuedCommand]]:
    """Split a batch so that each command of ``_ALONE`` is committed alone."""
    group: list[QueuedCommand] = []
    for request in batch:
        if isinstance(request.command, _ALONE):
            if group:
                yield group
                group = []
            yield [request]
        else:
            group.append(request)
            if len(group) >= BATCH:
                yield group
                group = []
    if group:
        yield group


def _parked(snapshot: Snapshot, command: SendingResult, now: float) -> Plan:
    """Mark the delivery of an unplannable result as uncertain, for a person to decide."""
    delivery = snapshot.deliveries.get(command.delivery.message_code)
    if delivery is None or delivery.lease != command.delivery.lease:
        return Plan()
    error = DeliveryError("internal", "its outcome could not be understood; the log says where")
    parked = replace(
        delivery,
        state=DeliveryState.UNCERTAIN,
        error=error,
        settled_at=now,
        lease=None,
        lease_until=None,
    )
    return Plan(deliveries=(parked,))


def _can_be_lost(command: Command) -> bool:
    """Return True if the command may be committed without a sync: an accepted message.

    If the machine crashes and loses it, the message is sent again under the same code, as after
    any attempt with an unknown outcome. Waiting for the disk would cost each message more time
    than everything else in the core.
    """
    return (
        isinstance(command, SendingResult)
        and command.error is None
        and not command.unsent
        and command.new_guid in (None, command.guid)
    )


def _forget(attempts: dict[int, Delivery], sent: Delivery) -> None:
    """Remove a finished attempt, unless a newer one holds another lease."""
    attempt = attempts.get(sent.seq)
    if attempt is not None and attempt.lease == sent.lease:
        del attempts[sent.seq]


def _earlier(first: float | None, second: float | None) -> float | None:
    """Return the earlier of two times; None means never."""
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


def _answer(reply: ResultCallback | None, value: Any, error: BaseException | None) -> None:
    if reply is None:
        return
    with Unexpected(logger, "An answer could not be delivered: %s"):
        reply(value, error)

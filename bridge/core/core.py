"""The core's loop: take a batch of commands, load, plan, commit, run the effects.

Every change to the store passes through this loop as a command. Commands that arrive during a
commit form the next batch. Callers wait in memory: an action call is answered by the commit that
settles its last delivery, or by ``JudgeTurn`` when its wait ends.

What the loop consists of is in the modules beside it: ``schedule`` says what is due and when,
``batches`` what shares a commit, ``planning`` how a command is planned, ``follow_up`` what a
committed plan leads to, and ``refusals`` what becomes of a command that cannot be committed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from bridge import identity
from bridge.core.batches import BATCH, can_be_lost, groups
from bridge.core.breaker import Breaker
from bridge.core.call_requests import CallRequests
from bridge.core.callers import TurnCallers, answer
from bridge.core.claiming import CLAIMS, Claiming
from bridge.core.clock import Clock
from bridge.core.command_queue import CommandQueue, QueuedCommand
from bridge.core.domain import DomainCache
from bridge.core.effects import Effects
from bridge.core.follow_up import FollowUp
from bridge.core.in_flight import InFlight
from bridge.core.notices import Notices, notify_others
from bridge.core.planning import Planning
from bridge.core.polls import Polls
from bridge.core.port import Status
from bridge.core.refusals import Refusals
from bridge.core.schedule import Schedule
from bridge.core.senders import Senders
from bridge.core.session_cache import SessionCache
from bridge.core.shutdown import Shutdown
from bridge.core.timers import Timers
from bridge.core.watchers import ChangeWatchers
from bridge.errors import BridgeError, StoreError, describe
from bridge.metrics import Metrics
from bridge.planners import PLANNERS, Planner, Rules
from bridge.state.commands import Command, Recover, ReleasePolls, ResultCallback, SendingResult
from bridge.state.plan import Plan, Written
from bridge.state.records import CHANGES_PRUNED, LEASE
from bridge.state.snapshot import Needs
from bridge.store import (
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
    write,
)
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

_TRIES = 3  # attempts to commit after a conflict with another transaction or a lost connection
_RELEASING = 2.0  # seconds that a stop waits until the leases on polling are released


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
        self.name = name or identity.name()
        self.changes = ChangeWatchers()
        self._store = store
        self._senders = senders
        self._is_dead = is_dead
        self._metrics = metrics or Metrics()
        self._clock = clock = clock or Clock()
        self._channel = channel = CommandQueue(clock) if channel is None else channel
        self._sessions = SessionCache()
        self._commits = 0
        timers: Timers[Command] = Timers()
        self._shutdown = shutdown = Shutdown(clock)
        self._in_flight = in_flight = InFlight(
            rules.bridge.delivery.workers if workers is None else workers
        )
        self._requests = requests = CallRequests()
        self._callers = callers = TurnCallers(in_flight)
        self._domain = domain = DomainCache(senders, clock, timers, channel, responses)
        self._polls = polls = Polls(senders, clock, timers)
        self._claiming = claiming = Claiming(
            rules, clock, timers, self._metrics, in_flight, requests, domain
        )
        self._planning = Planning(self.name, planners, rules, in_flight, claiming)
        self._effects = effects = Effects(
            senders,
            self.put,
            rules=rules,
            clock=clock,
            timers=timers,
            metrics=self._metrics,
            shutdown=shutdown,
            in_flight=in_flight,
            requests=requests,
            callers=callers,
            claiming=claiming,
            domain=domain,
            polls=polls,
        )
        self._follow_up = FollowUp(clock, timers, effects, claiming, requests, callers)
        self._refusals = refusals = Refusals(clock, claiming, effects, self.put)
        self._notices = notices = Notices(
            store,
            timers,
            sessions=self._sessions,
            claiming=claiming,
            callers=callers,
            changes=self.changes,
            wake=channel.wake,
        )
        self._schedule = Schedule(
            rules,
            clock,
            timers,
            sends=senders is not None,
            shutdown=shutdown,
            requests=requests,
            callers=callers,
            claiming=claiming,
            domain=domain,
            polls=polls,
            refusals=refusals,
            notices=notices,
            changes=self.changes,
        )
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)

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
        self._schedule.read_clock()
        if self._senders is not None:
            self._senders.start(self.put, self._channel.watch)
            self._serve([QueuedCommand(Recover())], must=True)
            correction = self._schedule.correction(self._clock.now() + 60.0)
            self._serve([QueuedCommand(correction)], must=True)
            self._claiming.make_due(0.0)

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

    def notified(self, notice: Notice) -> None:
        """Queue the notification of another process's commit; runs in the notifier's thread."""
        self._notices.receive(notice)

    @property
    def alive(self) -> bool:
        """True while the loop runs and accepts commands."""
        return self._thread.is_alive() and not self._shutdown.stopping

    @property
    def breaker(self) -> Breaker:
        """The circuit breaker around the gateway; each process has its own."""
        return self._claiming.breaker

    def status(self) -> Status:
        """Return the status for ``/bridge/ready``; does not block."""
        breaker = self._claiming.breaker
        return Status(alive=self.alive, breaker=breaker.state.value, since=breaker.since)

    def render_metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """Render the metrics for Prometheus, see ``Metrics.render``. Blocks: reads the store."""
        return self._metrics.render(
            accept,
            read=lambda: self._store.read(lists.figures),
            breaker=self._claiming.breaker.state.value,
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
        self._polls.end()
        self._channel.wake()

    def stop(self) -> None:
        """Start no new work; complete the work in progress."""
        if not self._shutdown.stopping:
            self.stop_polling()
            self._shutdown.stop()
            self._channel.wake()

    def close(self, *, within: float = LEASE + 1) -> None:
        """Complete the work in progress within ``within`` seconds, then end the thread."""
        self.stop()
        if self._senders is not None:
            self._senders.finish_polling()
            if self._thread.is_alive():  # readers are signed out before their sender is closed
                self._polls.wait_released(_RELEASING)
            self._senders.close()
        self._shutdown.closing = True
        self._channel.wake()
        if self._thread.ident is not None:
            self._thread.join(within)
        for request in self._channel.close():
            answer(request.reply, None, StoreError("the bridge is stopping"))

    # -- the loop ------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended():
            with Unexpected(logger, "Unexpected error in the core loop, continuing: %s"):
                self.step(until=self._schedule.next())
        self._release_all()

    def step(self, *, until: float = 0.0) -> None:
        """Take the next batch of commands, add those that are due, and commit them.

        Waits for a command until the time ``until``. Called by the core's own thread, or by a
        program that has not started one.
        """
        batch = self._channel.take(most=BATCH, until=until)
        batch += self._schedule.due(self._clock.now())
        for group in groups(batch):
            self._serve(group)

    def _ended(self) -> bool:
        if not self._shutdown.closing:
            return False
        pending = self._refusals.pending and self._shutdown.patient
        return not (len(self._channel) or self._in_flight.sending or pending)

    def _release_all(self) -> None:
        """Release the polling leases, and answer the callers that still wait."""
        if self._polls.agents:
            # On failure, the leases expire by themselves.
            message = "The polling leases could not be released: %s"
            with Unexpected(logger, message, level=logging.WARNING):
                # The sender of sign-outs is closed.
                release = ReleasePolls(agent_ids=frozenset(self._polls.agents), sign_out=False)
                self._commit([QueuedCommand(release)])
        self.changes.close()
        waiting = (*self._callers.waiting(), *self._requests.waiting(), *self._domain.waiting())
        for reply in waiting:
            answer(reply, None, StoreError("the bridge is stopping"))

    # -- one batch -----------------------------------------------------------------------------

    def _serve(self, batch: list[QueuedCommand], *, must: bool = False) -> None:
        """Commit a batch and run its effects; if that fails, commit each command alone."""
        for request in batch:
            if isinstance(request.command, SendingResult):
                self._in_flight.arrived(request.command.delivery)
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
                self._refusals.relax()
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
            self._refusals.refuse(request, error, lasting=lasting, commits=self._commits)

    def _commit(self, batch: list[QueuedCommand]) -> None:
        now = self._clock.now()
        commands = [self._domain.complete(request.command, now) for request in batch]
        plans_made: list[Plan] = []
        written, newest = Written(), 0
        durable = not all(can_be_lost(command) for command in commands)
        with self._store.transaction(durable=durable) as tx:
            sends = self._senders is not None and not self._shutdown.stopping
            process = self._planning.process(commands[0], sends=sends)
            loader = Loader(tx, process, self._sessions, now, self._is_dead)
            snapshot = loader.load(Needs.of(command.needs() for command in commands))
            for command in commands:
                plans_made.append(plan := self._planning.plan(snapshot, command, now))
                if plan.error is None:
                    snapshot = snapshot.after(plan)
            valid = [plan for plan in plans_made if plan.error is None]
            if any(plan.writes for plan in valid):
                written = write(tx, snapshot, valid)
                newest = changes.append(tx, changes.of_plans(valid, snapshot, written), now)
                notify_others(tx, self.name, valid, newest)
        self._commits += any(plan.writes for plan in valid)
        self._sessions.remember(snapshot)
        for request, command, plan in zip(batch, commands, plans_made, strict=True):
            self._follow_up.carry_out(request._replace(command=command), plan, snapshot, written)
        self._effects.flush()
        if newest:
            self.changes.announce(newest)
        if written.counts.get("changes", 0) >= CHANGES_PRUNED:
            self._schedule.prune_at(now)  # there are more
        if isinstance(commands[0], CLAIMS):
            self._claiming.claimed(commands[0], plans_made[0], snapshot)

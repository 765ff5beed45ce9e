"""Decide which commands the core puts by itself, and when: timers, checks, claims, retries."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.core.call_requests import CallRequests
from bridge.core.callers import TurnCallers
from bridge.core.claiming import Claiming
from bridge.core.clock import Clock
from bridge.core.command_queue import QueuedCommand
from bridge.core.domain import DomainCache
from bridge.core.notices import Notices
from bridge.core.polls import Polls
from bridge.core.refusals import Refusals
from bridge.core.shutdown import Shutdown
from bridge.core.timers import Timers
from bridge.core.watchers import ChangeWatchers
from bridge.planners import Rules, alerts
from bridge.state.commands import (
    Command,
    ContinuePolling,
    CorrectTimes,
    ExpireInquiries,
    ExpireSuggestions,
    JudgeRequest,
    JudgeTurn,
    PruneChanges,
    RaiseAlerts,
    TakeOverSessions,
)

_LOOK = 1.0  # seconds between checks for work that no notification announced
_CLOSING = 0.25  # seconds between checks whether the work in progress is done
_WATCH = 5.0  # seconds between checks for sessions that no process polls
_PRUNE = 60.0  # seconds between prunings of the log of changes
_JUMP = 2.0  # seconds; a smaller step back of the clock is ignored
_UNEASY = 10  # seconds after such a step in which old timestamps may still be written


class Schedule:
    """Belongs to the core's thread.

    Args:
        sends: False for a core without senders, which claims nothing.
    """

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        timers: Timers[Command],
        *,
        sends: bool,
        shutdown: Shutdown,
        requests: CallRequests,
        callers: TurnCallers,
        claiming: Claiming,
        domain: DomainCache,
        polls: Polls,
        refusals: Refusals,
        notices: Notices,
        changes: ChangeWatchers,
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._timers = timers
        self._sends = sends
        self._shutdown = shutdown
        self._requests = requests
        self._callers = callers
        self._claiming = claiming
        self._domain = domain
        self._polls = polls
        self._refusals = refusals
        self._notices = notices
        self._changes = changes
        self._look_at = 0.0
        self._watch_at = 0.0
        self._prune_at = clock.now() + _PRUNE
        self._ahead = 0.0  # of the clock, compared with the monotonic one

    # -- when ----------------------------------------------------------------------------------

    def next(self) -> float:
        """Return the time of the next scheduled work, used as the limit of the wait."""
        now = self._clock.now()
        if self._shutdown.closing:
            return now + _CLOSING
        until = [now + _LOOK]
        if (at := self._timers.next()) is not None:
            until.append(at)
        if (at := self._refusals.next) is not None:
            until.append(at)
        if self._sends:
            if not self._shutdown.stopping:
                until.append(self._claiming.next(now))
            if (at := self._notices.next) is not None:
                until.append(at)
        return min(until)

    def prune_at(self, at: float) -> None:
        """Prune the log of changes at a time."""
        self._prune_at = at

    # -- what ----------------------------------------------------------------------------------

    def due(self, now: float) -> list[QueuedCommand]:
        """Return the commands that are due: retries, timers, periodic checks, claims."""
        self._watch_clock(now)
        due = self._refusals.due(now)
        due += [QueuedCommand(command) for command in self._fired(now)]
        self._notices.handle(now)
        if now >= self._look_at:
            self._look_at = now + _LOOK
            due += [QueuedCommand(command) for command in self._callers.judgements()]
            due += [QueuedCommand(command) for command in self._requests.judgements()]
            # Expired leases, and missed notifications.
            self._claiming.make_due(now)
            self._changes.announce()  # likewise
        if self._polls.ended:
            due += [QueuedCommand(command) for command in self._polls.releases()]
        if not self._sends or self._shutdown.stopping:
            return due
        due += [QueuedCommand(command) for command in self._periodic(now)]
        due += [QueuedCommand(command) for command in self._claiming.claims(now)]
        return due

    def _periodic(self, now: float) -> Iterator[Command]:
        """Yield the commands that are put every few seconds."""
        if now >= self._watch_at and not self._polls.ended:
            started, self._watch_at = self._watch_at > 0.0, now + _WATCH
            yield TakeOverSessions(readers=frozenset(self._rules.bridge.readers))
            yield ExpireSuggestions()
            if self._rules.asks_rasa and started:  # at first, what is overdue is asked once more
                yield ExpireInquiries(responses=self._domain.responses)
            if (alert_at := alerts.due_at(self._rules, now)) is not None:
                yield RaiseAlerts(latest=alert_at + alerts.LEASE)
        if now >= self._prune_at:
            self._prune_at = now + _PRUNE
            yield PruneChanges()

    def _fired(self, now: float) -> Iterator[Command]:
        """Yield the commands of expired timers; a timer may have expired long ago."""
        for command in self._timers.due(now):
            if isinstance(command, JudgeTurn) and not self._callers.is_awaited(command.turn_key):
                continue  # already answered
            if isinstance(command, JudgeRequest) and not self._requests.is_awaited(
                command.request_id
            ):
                continue
            if isinstance(command, ContinuePolling) and self._polls.ended:
                continue  # see ``Polls.releases``
            if isinstance(command, CorrectTimes):
                yield self.correction(max(now, command.latest_due))
            else:
                yield command

    # -- the clock -----------------------------------------------------------------------------

    def read_clock(self) -> None:
        """Note how the clock stands, so that a step back from now on is noticed."""
        self._ahead = self._clock.now() - self._clock.monotonic()

    def correction(self, latest_due: float) -> CorrectTimes:
        """Return the command that corrects stored times too far in the future."""
        now, expire = self._clock.now(), self._rules.bridge.delivery.expire_after
        return CorrectTimes(
            latest_due=latest_due, latest_expiry=now + expire, latest_rest=now + 2 * expire
        )

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
        self._look_at = self._watch_at = 0.0
        self._prune_at = min(self._prune_at, now + _PRUNE)
        self._notices.reset()
        self._refusals.reset()
        self._claiming.reset(now)
        if self._sends:
            for seconds in range(_UNEASY + 1):
                self._timers.add(now + seconds, self.correction(now + seconds))

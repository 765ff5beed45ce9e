"""Run the effects of a plan, once it is committed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from cachetools import LRUCache

from bridge.core.call_requests import CallRequests
from bridge.core.callers import TurnCallers
from bridge.core.claiming import Claiming
from bridge.core.clock import Clock
from bridge.core.command_queue import QueuedCommand
from bridge.core.domain import DomainCache
from bridge.core.in_flight import InFlight
from bridge.core.polls import Polls
from bridge.core.senders import Senders
from bridge.core.shutdown import Shutdown
from bridge.core.timers import Timers
from bridge.errors import RetryableError
from bridge.metrics import Metrics
from bridge.planners import Rules
from bridge.state import plan as plans
from bridge.state.commands import (
    BotAnswered,
    Command,
    JudgeTurn,
    PutCommand,
    ReleasePolls,
    RequestResult,
    SendingResult,
    SignInResult,
    UpdateResult,
)
from bridge.state.snapshot import Snapshot
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

_LONGEST_WAIT = 60.0  # seconds, the upper limit of an action call's wait
_LEAST = 1.0  # seconds of its lease that an attempt needs
_ONCE = 4096  # messages that are logged once and remembered


class Effects:
    """Belongs to the core's thread.

    Args:
        senders: None for a core that sends nothing.
        put: queues a sender's result that is known at once.
    """

    def __init__(
        self,
        senders: Senders | None,
        put: PutCommand,
        *,
        rules: Rules,
        clock: Clock,
        timers: Timers[Command],
        metrics: Metrics,
        shutdown: Shutdown,
        in_flight: InFlight,
        requests: CallRequests,
        callers: TurnCallers,
        claiming: Claiming,
        domain: DomainCache,
        polls: Polls,
    ) -> None:
        self._senders = senders
        self._put = put
        self._attempt_timeout = rules.bridge.delivery.attempt_timeout
        self._clock = clock
        self._timers = timers
        self._metrics = metrics
        self._shutdown = shutdown
        self._in_flight = in_flight
        self._requests = requests
        self._callers = callers
        self._claiming = claiming
        self._domain = domain
        self._polls = polls
        self._logged: LRUCache[str, None] = LRUCache(_ONCE)
        self._table: dict[type[Any], Callable[[Any, QueuedCommand, Snapshot], None]] = {
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
            plans.Put: self._put_later,
            plans.Count: self._count,
            plans.Log: self._log,
            plans.UpdateBreaker: self._update_breaker,
        }

    def run(self, effect: plans.Effect, request: QueuedCommand, snapshot: Snapshot) -> None:
        """Run an effect; an error is logged, because the plan is committed already."""
        kind = type(effect)
        with Unexpected(logger, "An effect failed: %s effect=%s", kind.__name__) as failure:
            self._table[kind](effect, request, snapshot)
        if failure.error is not None and isinstance(effect, plans.Send):
            unsent = RetryableError("it could not be handed to a sender", retcode="internal")
            delivery = snapshot.deliveries[effect.message_code]
            self._put(SendingResult(delivery=delivery, guid=None, error=unsent))

    def flush(self) -> None:
        """Flush the senders' queue; the batch is committed, so an error must not repeat it."""
        if self._senders is None:
            return
        with Unexpected(logger, "Deliveries could not be handed over: %s"):
            self._senders.flush()

    def finished(self, command: Command) -> None:
        """Drop the in-memory record of a sender's call whose result is committed."""
        if isinstance(command, SendingResult):
            self._in_flight.stored(command.delivery)
        elif isinstance(command, (UpdateResult, BotAnswered)):
            self._in_flight.updates.pop(command.update.seq, None)
        elif isinstance(command, RequestResult):
            self._requests.finished(command.call_request)
        elif isinstance(command, SignInResult):
            self._in_flight.signing.discard(command.agent_id)
        elif isinstance(command, ReleasePolls):
            self._polls.released(command.agent_ids)

    # -- the gateway ---------------------------------------------------------------------------

    def _send(self, effect: plans.Send, _request: QueuedCommand, snapshot: Snapshot) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        item = snapshot.deliveries[effect.message_code]
        wanted = self._attempt_timeout
        left = (item.lease_until or 0.0) - self._clock.now()
        self._in_flight.held[item.seq] = item
        if left < min(_LEAST, wanted) or self._shutdown.stopping:
            # The commit was slow, or the clock was set: release it to be claimed again.
            self._put(SendingResult(delivery=item, guid=None, unsent=True))
            return
        self._in_flight.sending[item.seq] = item
        self._senders.send(item, effect.guid, min(wanted, left), retried=effect.retried)

    def _sign_in(
        self, effect: plans.SignInAgent, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        if (
            self._senders is None
            or self._shutdown.stopping
            or effect.agent_id in self._in_flight.signing
        ):
            return
        self._in_flight.signing.add(effect.agent_id)
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
        self._polls.poll(effect)

    def _stop_polling(
        self, effect: plans.StopPolling, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        self._polls.stop(effect.agent_id)

    def _request_gateway(
        self, effect: plans.RequestGateway, _request: QueuedCommand, snapshot: Snapshot
    ) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        request = snapshot.requests[effect.request_id]
        call = snapshot.calls.get((request.call_id, request.agent_id))
        self._requests.begun(request)
        self._senders.request(request, effect.guid, call.caller if call is not None else "")

    def _update_breaker(
        self, effect: plans.UpdateBreaker, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        self._claiming.update_breaker(effect)

    # -- Rasa, and the operator ----------------------------------------------------------------

    def _send_update(
        self, effect: plans.SendUpdate, _request: QueuedCommand, snapshot: Snapshot
    ) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        update = snapshot.updates[effect.update_id]
        self._in_flight.updates[update.seq] = update
        self._senders.send_update(update, effect.events)

    def _ask_bot(self, effect: plans.AskBot, _request: QueuedCommand, snapshot: Snapshot) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders claims nothing
        update = snapshot.updates[effect.update_id]
        self._in_flight.updates[update.seq] = update
        self._senders.ask_bot(update, effect.inquiry)

    def _ask_domain(
        self, _effect: plans.AskDomain, request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        self._domain.ask(request)

    def _keep_domain(
        self, effect: plans.Keep, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        self._domain.keep(effect.responses)

    def _send_alert(
        self, effect: plans.SendAlert, _request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        assert self._senders is not None  # noqa: S101 - a core without senders raises no alerts
        self._senders.send_alert(effect.alert)

    # -- callers, timers, metrics and the log --------------------------------------------------

    def _await_turn(
        self, effect: plans.AwaitTurn, request: QueuedCommand, _snapshot: Snapshot
    ) -> None:
        if request.reply is None:
            return
        self._callers.wait(effect.turn_key, request.reply)
        longest = self._clock.now() + _LONGEST_WAIT
        at = min(longest, effect.judge_at)  # in this order: a NaN never compares as less
        self._timers.add(at, JudgeTurn(turn_key=effect.turn_key))

    def _await_request(
        self, effect: plans.AwaitRequest, request: QueuedCommand, snapshot: Snapshot
    ) -> None:
        if request.reply is None:
            return
        asked = snapshot.requests[effect.request_id]
        self._timers.add(effect.until, self._requests.wait(asked, request.reply))

    def _put_later(self, effect: plans.Put, _request: QueuedCommand, _snapshot: Snapshot) -> None:
        self._timers.add(effect.at, effect.command)

    def _count(self, effect: plans.Count, _request: QueuedCommand, _snapshot: Snapshot) -> None:
        getattr(self._metrics, effect.name)(*effect.arguments)

    def _log(self, effect: plans.Log, _request: QueuedCommand, _snapshot: Snapshot) -> None:
        if effect.once is not None:
            if effect.once in self._logged:
                return
            self._logged[effect.once] = None
        logger.log(effect.level, effect.message, *effect.arguments)

"""Plan agents' sessions: GUIDs, signing in and out, and polling for events.

``sign_in`` agents: the bridge signs them in when a delivery first needs it, and polls to keep the
session alive. ``pushed`` agents: only their desktop can supply a GUID.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bridge.errors import (
    AlreadySignedInError,
    FinalError,
    GatewayError,
    SessionGoneError,
    UnreachableError,
)
from bridge.gateway import events, wire
from bridge.model import AgentId, Guid
from bridge.planners import consequences
from bridge.planners.calls import handle_event
from bridge.planners.changes import (
    SIGN_IN_SECONDS,
    Changes,
    free_right,
    new_session,
)
from bridge.planners.rules import Rules
from bridge.state.commands import (
    ContinuePolling,
    ExplainAgent,
    PollResult,
    PushGuid,
    ReleasePolls,
    RequestResult,
    SendingResult,
    SignInResult,
    SignOut,
    TakeOverSessions,
    WakeAgent,
)
from bridge.state.plan import (
    Count,
    Plan,
    Poll,
    Put,
    SignInAgent,
    SignOutAgent,
    StopPolling,
    UpdateBreaker,
)
from bridge.state.records import EventRecord, SessionRecord, SessionState
from bridge.state.snapshot import Snapshot

POLL_LEASE = 60.0  # seconds; a dead poller is replaced well before the session's two minutes end
_SIGN_IN_AGAIN = 1.0  # seconds after a sign-in that did not reach the gateway
_LONGEST_WAIT = 5.0  # seconds between checks for a session; each starts a sign-in if none runs
_LONGEST_PAUSE = 10.0  # seconds after failed polls
_SHUT_DOWN = "AgentOther_ShutdownService"


# -- results of sending ----------------------------------------------------------------------------


def used(changes: Changes, command: SendingResult | RequestResult) -> Guid | None:
    """Update the session from a request's result; return a newer GUID if this one was refused."""
    guid, error = command.guid, command.error
    session = changes.snapshot.sessions.get(command.agent_id)
    if guid is None or session is None:
        return None
    if isinstance(error, SessionGoneError):
        return _lost(changes, session, guid)
    if error is None and _is_new(command.new_guid, guid):
        changes.session(_renewed(session, command.new_guid, changes.now))
    elif error is None and session.state is SessionState.DOUBTED and session.guid == guid:
        changes.session(replace(session, state=SessionState.SIGNED_IN, renewed_at=changes.now))
    return None


def renewed_since(changes: Changes, command: SendingResult) -> bool:
    """Return whether a new GUID arrived while an attempt without a valid one was failing."""
    session = changes.known_session(command.agent_id)
    return session is not None and session.usable and session.guid != command.guid


def _lost(changes: Changes, session: SessionRecord, guid: Guid) -> Guid | None:
    """Return a newer GUID than the refused ``guid``, or begin a sign-in if allowed."""
    if session.usable and session.guid != guid:
        return session.guid
    if session.state is SessionState.SIGNED_IN:
        session = changes.session(replace(session, state=SessionState.GONE, renewed_at=changes.now))
    signed_out = session.state is SessionState.SIGNED_OUT
    if changes.rules.agent(session.agent_id).session == "sign_in" and not signed_out:
        changes.begin_sign_in(session.agent_id, session)
    return None


def _is_new(guid: Guid | None, former: Guid | None) -> bool:
    """Return whether a response carried a new, well-formed GUID."""
    return guid != former and wire.is_guid(guid)


def _renewed(
    session: SessionRecord, guid: Guid | None, now: float, *, ours: bool | None = None
) -> SessionRecord:
    """Return the session with a new GUID; ``ours`` None keeps the stored value."""
    return replace(
        session,
        guid=guid,
        state=SessionState.SIGNED_IN,
        ours=session.ours if ours is None else ours,
        generation=session.generation + 1,
        renewed_at=now,
        error_code=None,
        error_message=None,
    )


# -- pushed sessions -------------------------------------------------------------------------------


def push(snapshot: Snapshot, command: PushGuid, rules: Rules, now: float) -> Plan:
    """Store the GUID that an agent's desktop pushed. The answer is the session."""
    changes = Changes(snapshot, rules, now)
    former = snapshot.sessions.get(command.agent_id) or new_session(command.agent_id, now)
    session = changes.session(_renewed(former, command.guid, now, ours=False))
    changes.effect(Put(WakeAgent(agent_id=command.agent_id)))
    return changes.plan(session)


# -- signing in and out ----------------------------------------------------------------------------


def signed_in(snapshot: Snapshot, command: SignInResult, rules: Rules, now: float) -> Plan:
    """Complete a sign-in that returned a GUID, was refused, or failed."""
    changes = Changes(snapshot, rules, now)
    agent_id, error = command.agent_id, command.error
    former = snapshot.sessions.get(agent_id) or new_session(agent_id, now)
    session = replace(former, signing_in=None, signing_in_until=None)
    if error is None and command.guid is not None:
        _accept(changes, former, session, command.guid)
    elif isinstance(error, AlreadySignedInError) and not command.forced and _ours(session):
        # Try the stored GUID once more; sign in by force only if it is refused too.
        changes.session(
            replace(
                session,
                state=SessionState.DOUBTED,
                generation=session.generation + 1,
                renewed_at=now,
                error_code=None,
                error_message=None,
            )
        )
        changes.effect(Put(WakeAgent(agent_id=agent_id)))
    elif isinstance(error, AlreadySignedInError) and not command.forced and command.interrupted:
        # A bridge process died between the gateway's response and storing the GUID.
        changes.session(replace(former, signing_in_until=now + SIGN_IN_SECONDS + 1))
        changes.effect(SignInAgent(agent_id, forced=True))
    elif isinstance(error, (FinalError, AlreadySignedInError)):
        _refuse(changes, session, error)
    elif error is not None:
        _delay(changes, session, error)
    return changes.plan(answer=True)


def _ours(session: SessionRecord) -> bool:
    return session.ours and session.guid is not None


def _accept(changes: Changes, former: SessionRecord, session: SessionRecord, guid: Guid) -> None:
    changes.effect(Count("sign_in", ("accepted",)))
    if former.state is SessionState.SIGNED_OUT and former.signing_in is None:
        changes.effect(SignOutAgent(session.agent_id, guid))  # it was signed out meanwhile
        return
    renewed = _renewed(session, guid, changes.now, ours=True)
    _poll(changes, renewed)
    changes.effect(Put(WakeAgent(agent_id=session.agent_id)))
    changes.log(logging.INFO, "Signed in agent_id=%s", session.agent_id)


def _refuse(changes: Changes, session: SessionRecord, error: GatewayError) -> None:
    changes.effect(Count("sign_in", ("refused",)))
    changes.session(
        replace(
            session,
            state=SessionState.REFUSED,
            renewed_at=changes.now,
            error_code=error.retcode or "refused",
            error_message=error.message,
        )
    )
    changes.effect(
        Put(ExplainAgent(agent_id=session.agent_id, code="agent_signed_out", message=error.message))
    )
    changes.warn("The gateway refused a sign-in: %s agent_id=%s", error.message, session.agent_id)


def _delay(changes: Changes, session: SessionRecord, error: GatewayError) -> None:
    agent_id = session.agent_id
    changes.effect(
        Count("sign_in", ("failed",)), UpdateBreaker(f"agent {agent_id}", error, signing_in=True)
    )
    changes.session(session)
    unreachable = isinstance(error, UnreachableError)
    changes.effect(
        Put(
            ExplainAgent(
                agent_id=agent_id,
                code="gateway_unreachable" if unreachable else "sign_in_delayed",
                message=error.message,
                again_at=changes.now + _SIGN_IN_AGAIN,
            )
        )
    )
    changes.warn("A sign-in failed: %s agent_id=%s", error.message, agent_id)


def sign_out(snapshot: Snapshot, command: SignOut, rules: Rules, now: float) -> Plan:
    """Sign an agent out. If the gateway is called, its response is the answer."""
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(command.agent_id)
    if session is None:
        return Plan(answer=True)
    changes.session(
        replace(
            session,
            state=SessionState.SIGNED_OUT,
            guid=None,
            poller=None,
            poller_until=None,
            signing_in=None,
            signing_in_until=None,
        )
    )
    if session.ours and session.guid is not None:
        changes.effect(SignOutAgent(command.agent_id, session.guid))
        return changes.plan()
    return changes.plan(answer=True)


# -- polling ---------------------------------------------------------------------------------------


def polled(snapshot: Snapshot, command: PollResult, rules: Rules, now: float) -> Plan:
    """Complete a poll: store its event, act on the end of the session, and continue polling.

    There is no answer.
    """
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(command.agent_id)
    _keep_event(changes, command)
    if session is None or session.state is SessionState.SIGNED_OUT:
        return _stop(changes, command.agent_id, session)
    if session.poller not in (None, snapshot.process.name):
        return _stop(changes, command.agent_id, None)
    error, failures = command.error, command.failures + 1
    if isinstance(error, SessionGoneError):
        _lost(changes, session, command.guid or Guid(""))
        return _go_on(changes, session, 0.0, failures)
    if error is not None:
        changes.warn("A poll failed: %s agent_id=%s", error.message, command.agent_id)
        longest = min(_LONGEST_PAUSE, 0.5 * 2.0 ** min(failures, 8))
        return _go_on(changes, session, longest * (0.5 + command.jitter / 2), failures)
    if _is_new(command.new_guid, command.guid):
        session = changes.session(_renewed(session, command.new_guid, now))
    elif session.state is SessionState.DOUBTED and session.guid == command.guid:
        session = changes.session(replace(session, state=SessionState.SIGNED_IN, renewed_at=now))
    if command.event is not None and command.event[0] == _SHUT_DOWN and session.guid is not None:
        _lost(changes, session, session.guid)
        return _go_on(changes, session, 0.0, 0)
    pause = rules.bridge.gateway.poll_pause if command.event is None else 0.0
    return _go_on(changes, session, pause, 0)


def go_on(snapshot: Snapshot, command: ContinuePolling, rules: Rules, now: float) -> Plan:
    """Continue polling after the pause between two polls."""
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(command.agent_id)
    if session is None or session.state is SessionState.SIGNED_OUT:
        return _stop(changes, command.agent_id, session)
    if session.poller not in (None, snapshot.process.name):
        return _stop(changes, command.agent_id, None)
    return _go_on(changes, session, 0.0, command.failures)


def _go_on(changes: Changes, session: SessionRecord, pause: float, failures: int) -> Plan:
    """Poll again after ``pause`` seconds; without a usable session, back off and maybe sign in."""
    session = changes.known_session(session.agent_id) or session
    if session.state is SessionState.REFUSED:
        changes.warn("Polling ends: %s agent_id=%s", session.error_message or "", session.agent_id)
        return _stop(changes, session.agent_id, session)
    if not session.usable:
        pause = max(pause, min(_LONGEST_WAIT, 0.2 * 2.0 ** min(failures, 8)))
        failures += 1
        if changes.rules.agent(session.agent_id).session == "sign_in":
            changes.begin_sign_in(session.agent_id, session)
            session = changes.known_session(session.agent_id) or session
    until = session.poller_until or 0.0
    if session.poller is None or until - changes.now < POLL_LEASE / 2:
        changes.session(_poller(changes, session))
    changes.effect(Poll(session.agent_id, session.guid, pause, failures))
    return consequences.plan(changes)


def _stop(changes: Changes, agent_id: str, session: SessionRecord | None) -> Plan:
    """Stop polling, and release the polling lease if this process holds it."""
    if session is not None and session.poller == changes.snapshot.process.name:
        changes.session(replace(session, poller=None, poller_until=None))
    changes.effect(StopPolling(agent_id))
    return consequences.plan(changes)


def _keep_event(changes: Changes, command: PollResult) -> None:
    if command.event is not None:
        kind, content = command.event
        changes.event(EventRecord(AgentId(command.agent_id), kind, content, changes.now))
        changes.effect(Count("event_read"))
        parsed = events.read(kind, content)
        if parsed.event is not None and changes.rules.agent(command.agent_id).reader:
            handle_event(changes, command.agent_id, parsed.event, at=parsed.at, key=command.key)


def _poll(changes: Changes, session: SessionRecord) -> None:
    """Start polling for an agent, unless another process does."""
    process, until = changes.snapshot.process, changes.now + POLL_LEASE
    if session.poller != process.name and free_right(
        session.poller, session.poller_until, until, process.is_dead, changes.now
    ):
        session = _poller(changes, session)
        changes.effect(Poll(session.agent_id, session.guid))
    changes.session(session)


def _poller(changes: Changes, session: SessionRecord) -> SessionRecord:
    return replace(
        session,
        poller=changes.snapshot.process.name,
        poller_until=changes.now + POLL_LEASE,
    )


def take_over(snapshot: Snapshot, command: TakeOverSessions, rules: Rules, now: float) -> Plan:
    """Poll for the ``sign_in`` agents that no process polls for."""
    del command
    changes = Changes(snapshot, rules, now)
    for agent_id in snapshot.unattended:
        _poll(changes, snapshot.sessions[agent_id])
    return changes.plan(answer=True)


def release_polls(snapshot: Snapshot, command: ReleasePolls, rules: Rules, now: float) -> Plan:
    """Release the polling leases of this process, because it ends."""
    changes = Changes(snapshot, rules, now)
    for agent_id in command.agent_ids:
        session = snapshot.sessions.get(agent_id)
        if session is not None and session.poller == snapshot.process.name:
            changes.session(replace(session, poller=None, poller_until=None))
    return changes.plan(answer=True)

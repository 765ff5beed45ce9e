"""Plan agents' sessions: GUIDs, signing in and out, and keeping sessions alive.

``sign_in`` agents: the bridge signs readers in at start, and others when a delivery first needs it.
It keeps the session alive by polling for events or, where the gateway pushes them, by handshakes.
``pushed`` agents: only their desktop can supply a GUID, and only it reads their events.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from bridge.errors import (
    AlreadySignedInError,
    FinalError,
    GatewayError,
    SessionGoneError,
    UnreachableError,
)
from bridge.gateway import wire
from bridge.model import Guid
from bridge.planners import consequences, received
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
    AskAgent,
    Count,
    Plan,
    Poll,
    Put,
    SignOutAgent,
    StopPolling,
    UpdateBreaker,
)
from bridge.state.records import AgentRequest, RequestKind, SessionRecord, SessionState
from bridge.state.snapshot import Snapshot

POLL_LEASE = 60.0  # seconds; a dead poller is replaced well before the session's two minutes end
_SIGN_IN_AGAIN = 1.0  # seconds after a sign-in that did not reach the gateway
_LONGEST_WAIT = 5.0  # seconds between checks for a session; each starts a sign-in if none runs
_LONGEST_PAUSE = 10.0  # seconds after failed polls
HANDSHAKE_PAUSE = 30.0  # seconds between handshakes, as the reference says
SIGN_INS = 8  # that one process makes at a time for agents whom nobody waits for


# -- results of sending ----------------------------------------------------------------------------


def used(changes: Changes, command: SendingResult | RequestResult) -> Guid | None:
    """Update the session from a request's result; return a newer GUID if this one was refused."""
    guid, error = command.guid, command.error
    session = changes.snapshot.sessions.get(command.agent_id)
    if guid is None or session is None:
        return None
    if isinstance(error, SessionGoneError):
        return lost(changes, session, guid)
    if error is None and is_new(command.new_guid, guid):
        changes.session(renewed(session, command.new_guid, changes.now))
    elif error is None and session.state is SessionState.DOUBTED and session.guid == guid:
        changes.session(replace(session, state=SessionState.SIGNED_IN, renewed_at=changes.now))
    return None


def renewed_since(changes: Changes, command: SendingResult) -> bool:
    """Return whether a new GUID arrived while an attempt without a valid one was failing."""
    session = changes.known_session(command.agent_id)
    return session is not None and session.usable and session.guid != command.guid


def lost(changes: Changes, session: SessionRecord, guid: Guid) -> Guid | None:
    """Return a newer GUID than the refused ``guid``, or begin a sign-in if allowed."""
    if session.usable and session.guid != guid:
        return session.guid
    if session.state is SessionState.SIGNED_IN:
        session = changes.session(replace(session, state=SessionState.GONE, renewed_at=changes.now))
    signed_out = session.state is SessionState.SIGNED_OUT
    if changes.rules.agent(session.agent_id).session == "sign_in" and not signed_out:
        changes.begin_sign_in(session.agent_id, session)
    return None


def is_new(guid: Guid | None, former: Guid | None) -> bool:
    """Return whether a response carried a new, well-formed GUID."""
    return guid != former and wire.is_guid(guid)


def renewed(
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
    session = changes.session(renewed(former, command.guid, now, ours=False))
    changes.effect(Put(WakeAgent(agent_id=command.agent_id)))
    return changes.plan(session)


# -- signing in and out ----------------------------------------------------------------------------


def signed_in(snapshot: Snapshot, command: SignInResult, rules: Rules, now: float) -> Plan:
    """Complete a sign-in that returned a GUID, was refused, or failed."""
    changes = Changes(snapshot, rules, now)
    agent_id, error = command.agent_id, command.error
    former = snapshot.sessions.get(agent_id) or new_session(agent_id, now)
    session = replace(former, signing_in=None, signing_in_until=None, next_service_token=None)
    if rules.agent(agent_id).reader and snapshot.process.signing >= SIGN_INS:
        changes.effect(Put(TakeOverSessions(readers=frozenset(rules.bridge.readers))))
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
        changes.sign_in(replace(former, signing_in_until=now + SIGN_IN_SECONDS + 1), forced=True)
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
    signed = replace(
        renewed(session, guid, changes.now, ours=True),
        service_token=former.next_service_token,
        sign_in_failures=0,
        agent_state=None,
    )
    _poll(changes, signed)
    if changes.rules.agent(session.agent_id).reader:
        changes.effect(AskAgent(session.agent_id, guid, skills(changes, signed)))
    changes.effect(Put(WakeAgent(agent_id=session.agent_id)))
    changes.log(logging.INFO, "Signed in agent_id=%s", session.agent_id)


def skills(changes: Changes, session: SessionRecord) -> AgentRequest:
    """Return the request that follows a reader's sign-in: its skills, and its number of chats."""
    chats = session.chats or changes.rules.agent(session.agent_id).chats
    return AgentRequest(RequestKind.SKILLS, chats=chats)


def _refuse(changes: Changes, session: SessionRecord, error: GatewayError) -> None:
    changes.effect(Count("sign_in", ("refused",)))
    changes.session(
        replace(
            session,
            state=SessionState.REFUSED,
            sign_in_failures=session.sign_in_failures + 1,
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
    failures = session.sign_in_failures + 1
    changes.session(replace(session, sign_in_failures=failures))
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
    if failures & (failures - 1) == 0:  # the first, second, fourth and so on
        changes.warn(
            "A sign-in failed: %s agent_id=%s attempt=%d", error.message, agent_id, failures
        )


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
            service_token=None,
            next_service_token=None,
            agent_state=None,
        )
    )
    if session.ours and session.guid is not None:
        changes.effect(SignOutAgent(command.agent_id, session.guid))
        return changes.plan()
    return changes.plan(answer=True)


# -- polling ---------------------------------------------------------------------------------------


def polled(snapshot: Snapshot, command: PollResult, rules: Rules, now: float) -> Plan:
    """Complete a poll or a handshake: store and handle its event, and continue.

    There is no answer.
    """
    changes = Changes(snapshot, rules, now)
    found = (command.event,) if command.event is not None else ()
    ended = received.receive(changes, command.agent_id, found, command.key)
    session = changes.known_session(command.agent_id)
    if session is None or not _keeps(changes, session):
        return _stop(changes, command.agent_id, session)
    error, failures = command.error, command.failures + 1
    if isinstance(error, SessionGoneError):
        lost(changes, session, command.guid or Guid(""))
        return _go_on(changes, session, 0.0, failures)
    if error is not None:
        changes.warn("A poll failed: %s agent_id=%s", error.message, command.agent_id)
        longest = min(_LONGEST_PAUSE, 0.5 * 2.0 ** min(failures, 8))
        return _go_on(changes, session, longest * (0.5 + command.jitter / 2), failures)
    if is_new(command.new_guid, command.guid):
        session = changes.session(renewed(session, command.new_guid, now))
    elif session.state is SessionState.DOUBTED and session.guid == command.guid:
        session = changes.session(replace(session, state=SessionState.SIGNED_IN, renewed_at=now))
    if ended and session.guid is not None:
        lost(changes, session, session.guid)
        return _go_on(changes, session, 0.0, 0)
    if command.event is not None:
        return _go_on(changes, session, 0.0, 0)
    pushes = rules.agent(command.agent_id).events == "push"
    pause = HANDSHAKE_PAUSE if pushes else rules.bridge.gateway.poll_pause
    return _go_on(changes, session, pause, 0)


def go_on(snapshot: Snapshot, command: ContinuePolling, rules: Rules, now: float) -> Plan:
    """Continue polling after the pause between two polls."""
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(command.agent_id)
    if session is None or not _keeps(changes, session):
        return _stop(changes, command.agent_id, session)
    return _go_on(changes, session, 0.0, command.failures)


def _keeps(changes: Changes, session: SessionRecord) -> bool:
    """Return whether this process is to keep a session alive.

    Not if the agent was signed out on purpose, or another process does it, or the configuration
    says now that the agent's desktop reads the events.
    """
    return (
        session.state is not SessionState.SIGNED_OUT
        and session.poller in (None, changes.snapshot.process.name)
        and changes.rules.agent(session.agent_id).session == "sign_in"
    )


def _go_on(changes: Changes, session: SessionRecord, pause: float, failures: int) -> Plan:
    """Poll again after ``pause`` seconds; without a usable session, back off and maybe sign in."""
    session = changes.known_session(session.agent_id) or session
    if session.state is SessionState.REFUSED:
        changes.warn("Polling ends: %s agent_id=%s", session.error_message or "", session.agent_id)
        return _stop(changes, session.agent_id, session)
    if not session.usable:
        pause = max(pause, min(_LONGEST_WAIT, 0.2 * 2.0 ** min(failures, 8)))
        failures += 1
        changes.begin_sign_in(session.agent_id, session)
        session = changes.known_session(session.agent_id) or session
    until = session.poller_until or 0.0
    if session.poller is None or until - changes.now < POLL_LEASE / 2 + pause:
        changes.session(_poller(changes, session))
    changes.effect(Poll(session.agent_id, session.guid, pause, failures))
    return consequences.plan(changes)


def _stop(changes: Changes, agent_id: str, session: SessionRecord | None) -> Plan:
    """Stop polling, and release the polling lease if this process holds it."""
    if session is not None and session.poller == changes.snapshot.process.name:
        changes.session(replace(session, poller=None, poller_until=None))
    changes.effect(StopPolling(agent_id))
    return consequences.plan(changes)


def _poll(changes: Changes, session: SessionRecord) -> None:
    """Start keeping a session alive, unless another process does, and store it.

    The events of a process that died still wait at the gateway. ``syncagentinfo`` would clear
    them, and its answer has no published shape, so that it is never called.
    """
    process, until = changes.snapshot.process, changes.now + POLL_LEASE
    if session.poller != process.name and free_right(
        session.poller, session.poller_until, until, process.is_dead, changes.now
    ):
        if session.poller is not None:
            changes.log(logging.INFO, "Took an agent over agent_id=%s", session.agent_id)
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
    """Keep the sessions alive that no process keeps, and sign absent readers in."""
    del command
    changes = Changes(snapshot, rules, now)
    for agent_id in snapshot.unattended:
        if rules.agent(agent_id).session == "sign_in":
            _poll(changes, snapshot.sessions[agent_id])
    free = SIGN_INS - snapshot.process.signing
    for agent_id in filter(partial(_may_sign_in, changes), snapshot.absent):
        if free > 0:
            changes.begin_sign_in(agent_id, snapshot.sessions.get(agent_id))
            free -= 1
    return changes.plan(answer=True)


def _may_sign_in(changes: Changes, agent_id: str) -> bool:
    """Return whether a reader that is not signed in should be, and no process does it yet."""
    session = changes.snapshot.sessions.get(agent_id)
    if session is None:
        return True
    if session.state is SessionState.SIGNED_OUT or changes.refused_lately(session):
        return False
    until, is_dead = changes.now + SIGN_IN_SECONDS + 1, changes.snapshot.process.is_dead
    return free_right(session.signing_in, session.signing_in_until, until, is_dead, changes.now)


def release_polls(snapshot: Snapshot, command: ReleasePolls, rules: Rules, now: float) -> Plan:
    """Release the polling leases of this process, because it ends.

    A reader without calls is signed out, so that no customer is sent to it meanwhile. One with
    calls stays signed in for the next process; otherwise the platform signs it out after two
    minutes.
    """
    changes = Changes(snapshot, rules, now)
    for agent_id in command.agent_ids:
        session = snapshot.sessions.get(agent_id)
        if session is None or session.poller != snapshot.process.name:
            continue
        session = changes.session(replace(session, poller=None, poller_until=None))
        idle = command.sign_out and agent_id not in snapshot.with_calls
        if idle and rules.agent(agent_id).reader and session.ours and session.guid is not None:
            changes.effect(SignOutAgent(agent_id, session.guid))
            changes.session(_signed_out_at_stop(changes, session))
    return changes.plan(answer=True)


def _signed_out_at_stop(changes: Changes, session: SessionRecord) -> SessionRecord:
    """Return a session that another process may renew, when this process's request is over."""
    return replace(
        session,
        state=SessionState.GONE,
        guid=None,
        renewed_at=changes.now,
        service_token=None,
        agent_state=None,
        signing_in=changes.snapshot.process.name,
        signing_in_until=changes.now + SIGN_IN_SECONDS + 1,
    )

"""Plan what concerns readers besides their sessions: pushed events, states, and requests."""

from __future__ import annotations

from dataclasses import replace

from bridge.errors import (
    GatewayError,
    RefusedError,
    RetryableError,
    SessionGoneError,
    UnknownOutcomeError,
)
from bridge.planners import consequences, received, sessions
from bridge.planners.changes import Changes, new_session
from bridge.planners.rules import Rules
from bridge.state.commands import (
    AgentAnswered,
    ChooseChats,
    ChooseState,
    PushEvents,
    RepeatRequest,
)
from bridge.state.plan import AskAgent, Plan, Put
from bridge.state.records import (
    AgentRequest,
    RequestKind,
    SessionRecord,
    SessionState,
)
from bridge.state.snapshot import Snapshot

SAME_PUSH = 5.0  # seconds in which an identical batch is the same one, sent again
_ATTEMPTS = 4  # of a request that the gateway did not take


# -- pushed events ---------------------------------------------------------------------------------


def pushed(snapshot: Snapshot, command: PushEvents, rules: Rules, now: float) -> Plan:
    """Store and handle a batch of pushed events. The answer is True.

    The GUID that comes with a push is never adopted.

    Raises:
        RefusedError: 401 if the token is not that of the agent's session.
    """
    session = snapshot.sessions.get(command.agent_id)
    if session is None or not session.takes_push(command.service_token):
        raise RefusedError(401, "unauthorized", "the service token is not this agent's")
    since = now - (session.pushed_at if session.pushed_at is not None else now - SAME_PUSH)
    if command.digest == session.pushed_digest and 0 <= since < SAME_PUSH:
        return Plan(answer=True)
    changes = Changes(snapshot, rules, now)
    changes.session(replace(session, pushed_digest=command.digest, pushed_at=now))
    ended = received.receive(changes, command.agent_id, command.events, command.key)
    session = changes.known_session(command.agent_id)
    if ended and session is not None and session.guid is not None:
        sessions.lost(changes, session, session.guid)
    return consequences.plan(changes, answer=True)


# -- states ----------------------------------------------------------------------------------------


def choose_state(snapshot: Snapshot, command: ChooseState, rules: Rules, now: float) -> Plan:
    """Change an agent's state. The answer is the session, when the gateway has answered.

    An agent that is not signed in is signed in, with that state; the answer does not wait for it.

    Raises:
        RefusedError: 409 if the bridge does not sign this agent in.
    """
    agent_id, state = command.agent_id, command.state
    if rules.agent(agent_id).session != "sign_in":
        message = "this agent's desktop owns the session; change the state there"
        raise RefusedError(409, "session_is_the_desktops", message)
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(agent_id) or new_session(agent_id, now)
    if session.usable and session.guid is not None:
        former = session.agent_state or session.chosen_state
        request = AgentRequest(RequestKind.STATE, state, former)
        changes.effect(AskAgent(agent_id, session.guid, request))
        return changes.plan()
    session = replace(session, state=SessionState.GONE, chosen_state=state)
    changes.session(session)
    changes.begin_sign_in(agent_id, session)
    return changes.plan(changes.known_session(agent_id))


# -- chats -----------------------------------------------------------------------------------------


def choose_chats(snapshot: Snapshot, command: ChooseChats, rules: Rules, now: float) -> Plan:
    """Change how many chats a reader has. The answer is the session, when the gateway has answered.

    For an agent that is not signed in it is the next sign-in that sets the number.

    Raises:
        RefusedError: 409 if the bridge does not read this agent's events.
    """
    agent_id, chats = command.agent_id, command.chats
    if not rules.agent(agent_id).reader:
        message = "the bridge does not read this agent's calls: change the number at the desktop"
        raise RefusedError(409, "no_reader", message)
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(agent_id)
    if session is not None and session.usable and session.guid is not None:
        request = AgentRequest(RequestKind.CHATS, chats=chats)
        changes.effect(AskAgent(agent_id, session.guid, request))
        return changes.plan()
    absent = session or new_session(agent_id, now)
    return changes.plan(changes.session(replace(absent, chats=chats)))


# -- results of requests ---------------------------------------------------------------------------


def answered(snapshot: Snapshot, command: AgentAnswered, rules: Rules, now: float) -> Plan:
    """Complete a request for an agent that is signed in.

    The answer is the session, or the error: it also changes what is stored.
    """
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(command.agent_id)
    if session is None:
        return Plan(answer=None)
    if command.error is not None:
        return _failed(changes, session, command, command.error)
    if sessions.is_new(command.new_guid, command.guid):
        session = changes.session(sessions.renewed(session, command.new_guid, now))
    if command.request.kind is RequestKind.STATE:
        # What the platform reported before is out of date, unless the event of this change has
        # come before the response.
        chosen = command.request.state
        reported = chosen if session.agent_state == chosen else None
        session = changes.session(replace(session, chosen_state=chosen, agent_state=reported))
    elif command.request.kind is RequestKind.CHATS:
        session = changes.session(replace(session, chats=command.request.chats))
    return changes.plan(session)


def _failed(
    changes: Changes, session: SessionRecord, command: AgentAnswered, error: GatewayError
) -> Plan:
    request, agent_id = command.request, command.agent_id
    again = isinstance(error, (RetryableError, UnknownOutcomeError))
    if isinstance(error, SessionGoneError):
        again = sessions.lost(changes, session, command.guid) is not None
    if request.kind in (RequestKind.STATE, RequestKind.CHATS):
        return changes.plan(error)  # the person who waits decides about another attempt
    if again and request.attempt < _ATTEMPTS:
        repeated = replace(request, attempt=request.attempt + 1)
        at = changes.now + 2.0**request.attempt
        changes.effect(Put(RepeatRequest(agent_id=agent_id, request=repeated), at))
    else:
        message = "A request for an agent failed: %s request=%s agent_id=%s"
        changes.warn(message, error.message, request.kind.value, agent_id)
    return changes.plan(error)


def repeat(snapshot: Snapshot, command: RepeatRequest, rules: Rules, now: float) -> Plan:
    """Make a request for an agent again, if the agent is still signed in."""
    changes = Changes(snapshot, rules, now)
    session = snapshot.sessions.get(command.agent_id)
    if session is not None and session.usable and session.guid is not None:
        request = command.request
        if request.kind is RequestKind.SKILLS:  # with the number of chats that was chosen meanwhile
            request = replace(sessions.skills(changes, session), attempt=request.attempt)
        changes.effect(AskAgent(command.agent_id, session.guid, request))
    return changes.plan()

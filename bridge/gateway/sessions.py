"""Agents' GUIDs: a bounded cache before the store, one sign-in however many ask for it.

``sign_in`` agents: the bridge signs them in when they are first needed and keeps them alive (see
``keeper.py``). ``pushed`` agents: their desktop hands GUIDs over, and only that helps them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor

from cachetools import TTLCache

from bridge import identity
from bridge.config.settings import AgentSettings, BridgeSettings
from bridge.errors import (
    AlreadySignedInError,
    BridgeError,
    FinalError,
    GatewayError,
    SessionGoneError,
    SigningInError,
    SignInRefusedError,
    StoreError,
    UnreachableError,
    describe,
)
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.metrics import Metrics
from bridge.model import DeliveryError, Guid
from bridge.store import Store, Tx, queue, sessions
from bridge.store.sessions import Session, SessionState, Turn

logger = logging.getLogger(__name__)

_CACHED = 65536  # GUIDs; an agent that falls out is read from the store again
_CACHE_SECONDS = 15.0  # another process may have renewed it: dynamic GUIDs live 120 s
_REFUSED_SECONDS = 60.0  # a refused sign-in is not repeated sooner: accounts lock
_RETRY_SECONDS = 1.0
_SIGN_IN_SECONDS = 5.0  # a sign-in's total deadline; a process that dies at it is waited for
_SIGN_INS_AT_A_TIME = 8


class Sessions:
    """The sessions of all agents, as one process sees them. Thread-safe.

    Args:
        renewed: called with an agent's ID when what waits for its GUID is due.
        signed_in: called with an agent's ID once the bridge has signed it in.
        failed: called with an agent's ID and why the gateway could not be asked to sign it in.
    """

    def __init__(
        self,
        store: Store,
        client: GatewayClient,
        settings: BridgeSettings,
        *,
        renewed: Callable[[str], None],
        signed_in: Callable[[str], None],
        failed: Callable[[str, GatewayError], None] = lambda _agent_id, _error: None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._client = client
        self._settings = settings
        self._renewed = renewed
        self._signed_in = signed_in
        self._failed = failed
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._name = identity.name()
        self._cache: MutableMapping[str, Guid] = TTLCache(_CACHED, _CACHE_SECONDS)
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        self._doubted: set[str] = set()
        self._unsaved: dict[str, tuple[Guid, bool | None]] = {}  # the store would not take them
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(_SIGN_INS_AT_A_TIME, thread_name_prefix="sign-in")

    def stop(self) -> None:
        """Begin no other sign-in."""
        self._closing.set()

    def close(self) -> None:
        """Let sign-ins under way finish: one is never repeated or crossed before its reply."""
        self.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    # -- for those who send --------------------------------------------------------------------

    def guid(self, agent_id: str) -> Guid:
        """The newest GUID of an agent.

        Raises:
            SessionGoneError: there is none; a sign-in was begun where the bridge may make it.
            SignInRefusedError: the gateway refused the last sign-in a moment ago.
        """
        with self._lock:
            cached = self._cache.get(agent_id)
        if cached is not None:
            return cached
        unsaved = self._unsaved.get(agent_id)
        if unsaved is not None:
            self._save(agent_id, unsaved[0], ours=unsaved[1])
        session = self._store.read(lambda tx: sessions.get(tx, agent_id))
        if session is not None and session.usable and session.guid is not None:
            self._remember(agent_id, session.guid)
            return session.guid
        if session is not None and self._refused_lately(session):
            message = session.error_message or "the sign-in was refused"
            raise SignInRefusedError(message, retcode=session.error_code or "")
        seen = session.generation if session else None
        if self._entry(agent_id).session == "sign_in":
            self._begin_sign_in(agent_id)
            raise SigningInError("the agent is being signed in", seen=seen)
        raise SessionGoneError("the agent's desktop has given no GUID that is good", seen=seen)

    def at_hand(self, agent_id: str) -> Guid | None:
        """The GUID, where it is known here and nothing speaks against it; asks nobody."""
        if agent_id in self._doubted:
            return None
        with self._lock:
            return self._cache.get(agent_id)

    def lost(self, agent_id: str, guid: Guid, error: SessionGoneError) -> Guid:
        """The gateway refused ``guid``: a newer one, if somebody has brought one.

        Raises:
            SessionGoneError: there is none; SigningInError where a new sign-in was begun.
        """
        self._forget(agent_id, guid)
        session = self._store.write(lambda tx: self._mark_lost(tx, agent_id, guid))
        if session is not None and session.usable and session.guid not in (None, guid):
            assert session.guid is not None  # noqa: S101 - said just above, for the type checker
            self._remember(agent_id, session.guid)
            return session.guid
        error.seen = session.generation if session is not None else None
        signed_out = session is not None and session.state is SessionState.SIGNED_OUT
        if self._entry(agent_id).session != "sign_in" or signed_out:
            raise error
        self._begin_sign_in(agent_id)
        raise SigningInError(
            f"{error.message}; it is being signed in again",
            retcode=error.retcode,
            status=error.status,
            seen=error.seen,
        ) from error

    def took(self, agent_id: str, used: Guid, given: Guid | None) -> None:
        """A call with ``used`` succeeded, and brought ``given`` if the GUID rotated.

        A store that does not take it undoes nothing: the call did succeed.
        """
        try:
            if given is not None and given != used:
                self._save(agent_id, given, ours=None)
            elif agent_id in self._doubted:
                self._doubted.discard(agent_id)
                self._mark(agent_id, SessionState.SIGNED_IN, used, None)
        except StoreError as error:
            logger.warning("A session could not be stored yet: %s agent_id=%s", error, agent_id)

    # -- for those who give and take -------------------------------------------------------------

    def push(self, agent_id: str, guid: Guid) -> None:
        """The agent's desktop hands over its current GUID."""
        self._store.write(lambda tx: self._renew(tx, agent_id, guid, ours=False))
        self._unsaved.pop(agent_id, None)
        self._remember(agent_id, guid)
        self._renewed(agent_id)

    def get(self, agent_id: str) -> Session | None:
        """The session as stored."""
        return self._store.read(lambda tx: sessions.get(tx, agent_id))

    def sign_out(self, agent_id: str) -> None:
        """Sign out an agent that the bridge signed in; what waits for it keeps waiting.

        Raises:
            GatewayError: the gateway did not take it; without polls, the platform signs the agent
                out after two minutes.
        """
        session = self.get(agent_id)
        # First in the store: the poller must not take the end of its session for a loss.
        self._store.write(lambda tx: sessions.forget(tx, agent_id))
        with self._lock:
            self._cache.pop(agent_id, None)
            self._unsaved.pop(agent_id, None)
        if session is not None and session.ours and session.guid is not None:
            request = wire.sign_out(agent_id)
            self._client.call(agent_id, request, guid=session.guid, timeout=_SIGN_IN_SECONDS)

    # -- signing in ------------------------------------------------------------------------------

    def _begin_sign_in(self, agent_id: str) -> None:
        with self._lock:
            if agent_id in self._under_way or self._closing.is_set():
                return
            self._under_way.add(agent_id)
        self._pool.submit(self._sign_in, agent_id)

    def _sign_in(self, agent_id: str) -> None:
        try:
            self._sign_in_as_the_only_one(agent_id)
        except BridgeError as error:
            logger.warning("A sign-in could not be made: %s agent_id=%s", error, agent_id)
        except Exception as error:  # noqa: BLE001 - nobody awaits this thread
            logger.error("A sign-in broke off: %s agent_id=%s", describe(error), agent_id)  # noqa: TRY400
        finally:
            with self._lock:
                self._under_way.discard(agent_id)
        self._renewed(agent_id)

    def _sign_in_as_the_only_one(self, agent_id: str) -> None:
        while (turn := self._claim(agent_id)) is Turn.OTHERS:
            if self._closing.wait(0.1):
                return
        try:
            session = self.get(agent_id)
            if session is not None and session.state is SessionState.SIGNED_IN:
                self._wake(agent_id)  # somebody did it while we waited
            elif session is None or not self._refused_lately(session):
                self._attempt_sign_in(agent_id, session, interrupted=turn is Turn.ABANDONED)
        finally:
            self._store.write(lambda tx: sessions.release_sign_in(tx, agent_id, self._name))

    def _claim(self, agent_id: str) -> Turn:
        return self._store.write(
            lambda tx: sessions.claim_sign_in(
                tx,
                agent_id,
                self._name,
                now=self._clock(),
                seconds=_SIGN_IN_SECONDS + 1,
                dead=identity.is_dead,
            )
        )

    def _attempt_sign_in(
        self, agent_id: str, session: Session | None, *, interrupted: bool
    ) -> None:
        former = session.guid if session else None
        unsaved = self._unsaved.get(agent_id)
        if unsaved is not None:  # it was signed in, and the store failed then
            self._save(agent_id, unsaved[0], ours=unsaved[1])
            return
        try:
            answer = self._ask_in(agent_id, session, interrupted=interrupted)
        except (FinalError, AlreadySignedInError) as error:
            self._metrics.sign_in("refused")
            self._mark(agent_id, SessionState.REFUSED, former, error)
            self._blame(agent_id, "agent_signed_out", error)
            logger.warning("The gateway refused a sign-in: %s agent_id=%s", error, agent_id)
        except GatewayError as error:
            self._metrics.sign_in("failed")
            unreachable = isinstance(error, UnreachableError)
            code = "gateway_unreachable" if unreachable else "sign_in_delayed"
            self._blame(agent_id, code, error, due=self._clock() + _RETRY_SECONDS)
            self._failed(agent_id, error)
            raise
        else:
            if answer is not None:
                self._metrics.sign_in("accepted")
                self._signed(agent_id, answer)

    def _ask_in(self, agent_id: str, session: Session | None, *, interrupted: bool) -> Guid | None:
        """Sign in; None where the stored GUID is to be tried once more instead.

        By force only where the store says that the session which is in the way is ours.
        """
        agent = self._entry(agent_id)
        doubted = session is not None and session.state is SessionState.DOUBTED
        try:
            return self._call_in(agent_id, wire.sign_in(agent_id, agent, force=doubted))
        except AlreadySignedInError:
            if doubted:
                raise
            if session is not None and session.ours and session.guid is not None:
                self._doubted.add(agent_id)
                self._mark(agent_id, SessionState.DOUBTED, session.guid, None)
                self._wake(agent_id)
                return None
            if not interrupted:
                raise
            # A process of ours died between the gateway's answer and the storing of its GUID.
            return self._call_in(agent_id, wire.sign_in(agent_id, agent, force=True))

    def _call_in(self, agent_id: str, request: wire.Request) -> Guid:
        guid = self._client.call(agent_id, request, timeout=_SIGN_IN_SECONDS).guid
        if guid is None:
            raise FinalError("the sign-in's answer brought no GUID")
        return guid

    def _signed(self, agent_id: str, guid: Guid) -> None:
        self._doubted.discard(agent_id)
        self._save(agent_id, guid, ours=True)
        logger.info("Signed in agent_id=%s", agent_id)

    # -- small things ----------------------------------------------------------------------------

    def _save(self, agent_id: str, guid: Guid, *, ours: bool | None) -> None:
        """Store a GUID that the gateway gave; it gives each once, so it is kept until that is done.

        Raises:
            StoreError: not yet.
        """
        self._remember(agent_id, guid)
        self._unsaved[agent_id] = (guid, ours)
        self._store.write(lambda tx: self._renew(tx, agent_id, guid, ours=ours))
        with self._lock:
            if self._unsaved.get(agent_id) == (guid, ours):
                del self._unsaved[agent_id]
        if ours:
            self._signed_in(agent_id)

    def _renew(self, tx: Tx, agent_id: str, guid: Guid, *, ours: bool | None) -> None:
        now = self._clock()
        sessions.renew(tx, agent_id, guid, ours=ours, now=now)
        if ours is not None:
            queue.wake(tx, agent_id, now=now)

    def _mark_lost(self, tx: Tx, agent_id: str, guid: Guid) -> Session | None:
        session = sessions.get(tx, agent_id)
        if session is not None and session.state is SessionState.SIGNED_IN:
            sessions.mark(tx, agent_id, SessionState.GONE, guid=guid, now=self._clock())
            return sessions.get(tx, agent_id)
        return session

    def _mark(
        self, agent_id: str, state: SessionState, guid: Guid | None, error: GatewayError | None
    ) -> None:
        told = (error.retcode or "refused", error.message) if error else None
        self._store.write(
            lambda tx: sessions.mark(tx, agent_id, state, guid=guid, now=self._clock(), error=told)
        )

    def _blame(
        self, agent_id: str, code: str, error: GatewayError, *, due: float | None = None
    ) -> None:
        """Let what waits for the agent's GUID say why there is none yet."""
        told = DeliveryError(code, error.message)
        self._store.write(lambda tx: queue.blame(tx, agent_id, told, due=due))

    def _wake(self, agent_id: str) -> None:
        self._store.write(lambda tx: queue.wake(tx, agent_id, now=self._clock()))

    def _refused_lately(self, session: Session) -> bool:
        # A clock that was set back must not make a minute of an hour.
        since = self._clock() - session.renewed_at
        return session.state is SessionState.REFUSED and 0 <= since < _REFUSED_SECONDS

    def _entry(self, agent_id: str) -> AgentSettings:
        return self._settings.agent(agent_id) or AgentSettings()

    def _remember(self, agent_id: str, guid: Guid) -> None:
        with self._lock:
            self._cache[agent_id] = guid

    def _forget(self, agent_id: str, guid: Guid) -> None:
        with self._lock:
            if self._cache.get(agent_id) == guid:
                del self._cache[agent_id]
            if self._unsaved.get(agent_id, ("",))[0] == guid:
                del self._unsaved[agent_id]

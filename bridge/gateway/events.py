"""Keeps the bridge's own sessions alive by polling, from sign-in to sign-out.

The poll is the heartbeat: two minutes without one, and the platform signs the agent out. Reading
an event consumes it, so one process polls for an agent (a lease in the store), and an event is
stored before the next poll is sent. What a process that died has left, another one finds and goes
on with. What events mean is the reader's affair.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from bridge import identity
from bridge.config.settings import GatewaySettings
from bridge.errors import (
    BridgeError,
    SessionGoneError,
    SignInRefusedError,
    StoreError,
    describe,
)
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.gateway.sessions import Sessions
from bridge.store import Store, events
from bridge.store import sessions as stored

logger = logging.getLogger(__name__)

_LEASE = 60.0  # seconds; a poller that died is followed well before the two minutes are over
_WATCH = 5.0  # seconds between looks for sessions that nobody keeps
_STORE_AGAIN = 0.5  # seconds
_LAST_POLL = 11.0  # seconds that a stop waits for it: a long poll without an event lasts ten
_LONGEST_WAIT = 5.0  # seconds between looks for a session; each begins a sign-in, if none is on
_SHUT_DOWN = "AgentOther_ShutdownService"


class Keeper:
    """A polling thread for each agent that the bridge has signed in.

    Args:
        heard: called with an agent's ID once an event of that agent is stored.
    """

    def __init__(
        self,
        store: Store,
        client: GatewayClient,
        settings: GatewaySettings,
        *,
        heard: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._client = client
        self._settings = settings
        self._heard = heard
        self._clock = clock
        self._name = identity.name()
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}
        self._closing = threading.Event()
        self._wait_until = 0.0  # monotonic; until when a stop waits for polls
        self._sessions: Sessions | None = None
        self._watcher = threading.Thread(target=self._watch, name="keeper-watch", daemon=True)

    def start(self, sessions: Sessions) -> None:
        """Go on with the sessions that other processes leave alive, before now and later."""
        self._sessions = sessions
        self._take_over()
        self._watcher.start()

    def keep(self, agent_id: str) -> None:
        """Poll for ``agent_id`` from now on."""
        with self._lock:
            running = self._threads.get(agent_id)
            if self._closing.is_set() or (running is not None and running.is_alive()):
                return
            thread = threading.Thread(
                target=self._run, args=(agent_id,), name=f"keeper-{agent_id}", daemon=True
            )
            self._threads[agent_id] = thread
            thread.start()

    def stop(self) -> None:
        """Begin no other poll, and give back whom nobody polls for any more."""
        with self._lock:
            if not self._closing.is_set():
                self._wait_until = time.monotonic() + min(self._settings.poll_timeout, _LAST_POLL)
            self._closing.set()

    def close(self) -> None:
        """Stop polling. A poll under way is awaited a while: its answer may consume an event.

        The while begins with ``stop``.
        """
        self.stop()
        if self._watcher.ident is not None:
            self._watcher.join()
        for agent_id, thread in list(self._threads.items()):
            thread.join(max(0.0, self._wait_until - time.monotonic()))
            if thread.is_alive():  # it ends with the process
                self._give_back(agent_id)

    def _watch(self) -> None:
        while not self._closing.wait(_WATCH):
            try:
                self._take_over()
            except BridgeError as error:
                logger.warning("Sessions cannot be looked after for now: %s", error)
            except Exception as error:  # noqa: BLE001 - the one watcher must not die
                logger.error("The watcher stumbled and goes on: %s", describe(error))  # noqa: TRY400

    def _take_over(self) -> None:
        now = self._clock()
        for agent_id in self._store.read(
            lambda tx: stored.unattended(tx, now=now, dead=identity.is_dead)
        ):
            self.keep(agent_id)

    def _run(self, agent_id: str) -> None:
        failures = waits = 0
        leased_until = 0.0
        while not self._closing.is_set():
            try:
                if self._clock() > leased_until - _LEASE / 2:
                    if not self._lease(agent_id):
                        return  # another process polls; the watcher sees it end
                    leased_until = self._clock() + _LEASE
                pause = self._poll(agent_id)
                failures = waits = 0
            except SignInRefusedError as error:
                logger.warning("Polling ends: %s agent_id=%s", error, agent_id)
                break
            except SessionGoneError as error:
                logger.info("Not polling for now: %s agent_id=%s", error, agent_id)
                pause = min(_LONGEST_WAIT, 0.2 * 2.0**waits)  # a sign-in is under way
                waits = min(waits + 1, 8)
            except BridgeError as error:
                failures += 1
                pause = min(10.0, 0.5 * 2.0 ** min(failures, 8)) * (0.5 + random.random() / 2)  # noqa: S311 - spreads polls
                logger.warning("A poll failed: %s agent_id=%s", error, agent_id)
            except Exception as error:  # noqa: BLE001 - a keeper that dies loses the session
                logger.error("Polling stumbled: %s agent_id=%s", describe(error), agent_id)  # noqa: TRY400
                pause = 5.0
            if self._signed_out(agent_id):
                break
            self._closing.wait(pause)
        self._give_back(agent_id)

    def _poll(self, agent_id: str) -> float:
        """Poll once; return how many seconds to pause."""
        sessions = self._sessions
        assert sessions is not None  # noqa: S101 - start() came first
        guid = sessions.guid(agent_id)
        timeout = self._settings.poll_timeout
        try:
            answer = self._client.call(
                agent_id, wire.poll(agent_id), guid=guid, timeout=timeout, read_timeout=timeout
            )
        except SessionGoneError as error:
            sessions.lost(agent_id, guid, error)
            return 0.0  # somebody renewed it meanwhile
        sessions.took(agent_id, guid, answer.guid)
        event = wire.event(answer.content)
        if event is None:
            return self._settings.poll_pause
        self._keep_event(agent_id, event)
        if event[0] == _SHUT_DOWN:
            told = SessionGoneError("the platform signed the agent out")
            sessions.lost(agent_id, answer.guid or guid, told)
        return 0.0

    def _keep_event(self, agent_id: str, event: tuple[str, Any]) -> None:
        """Store what reading consumed; there is no next poll before that."""
        now = self._clock()
        while True:
            try:
                self._store.write(lambda tx: events.add(tx, agent_id, [event], now=now))
            except StoreError as error:
                logger.warning("An event cannot be stored yet: %s agent_id=%s", error, agent_id)
                if self._closing.wait(_STORE_AGAIN):
                    raise
            else:
                self._heard(agent_id)
                return

    def _signed_out(self, agent_id: str) -> bool:
        try:
            session = self._store.read(lambda tx: stored.get(tx, agent_id))
        except BridgeError:
            return False
        return session is None or session.state is stored.SessionState.SIGNED_OUT

    def _lease(self, agent_id: str) -> bool:
        return self._store.write(
            lambda tx: stored.claim_keeping(
                tx,
                agent_id,
                self._name,
                now=self._clock(),
                seconds=_LEASE,
                dead=identity.is_dead,
            )
        )

    def _give_back(self, agent_id: str) -> None:
        try:
            self._store.write(lambda tx: stored.release_keeping(tx, agent_id, self._name))
        except BridgeError as error:
            logger.warning("A poller's lease could not be given back: %s", error)

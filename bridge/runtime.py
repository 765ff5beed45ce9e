"""Opens and closes everything: the one place where the parts are put together.

A process has one runtime, opened lazily (action instances are pickled to worker processes, and in
gRPC mode no listener runs): ``current()``. Tests build their own with other parts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

from bridge import config
from bridge.config.settings import Settings
from bridge.desk import Desk
from bridge.desk.compose import Composer
from bridge.desk.deliveries import Deliveries
from bridge.desk.forgetting import Forgetting
from bridge.desk.responses import Responses
from bridge.desk.tokens import Tokens
from bridge.desk.waits import Waits
from bridge.gateway.client import GatewayClient
from bridge.gateway.courier import Courier
from bridge.gateway.courier import usable as courier_usable
from bridge.gateway.events import Keeper
from bridge.gateway.sender import Sender
from bridge.gateway.sessions import Sessions
from bridge.messenger import Messenger, write_back
from bridge.metrics import Metrics
from bridge.model import Delivery
from bridge.outbox.worker import Outbox
from bridge.rasa import Rasa
from bridge.retention import Retention
from bridge.store import Store, Tx, figures
from bridge.translate import Translator

logger = logging.getLogger(__name__)

# Use cases at a time. What waits for a commit or an outcome holds none, and more threads would
# only take the interpreter from the one that writes.
_EDGE_THREADS = 8


class Runtime:
    """All parts of the bridge at work in one process.

    Args:
        settings: as ``config.load`` gives them.
        clock: seconds since the epoch; tests give their own.

    Raises:
        BridgeError: something could not be opened; what was opened is closed again.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        bridge = settings.bridge
        self.settings = settings
        self._clock = clock
        self.metrics = Metrics()
        with ExitStack() as opened:
            self.store = Store(bridge.storage.url)
            opened.callback(self.store.close)
            self.client = GatewayClient(bridge.gateway, connections=bridge.delivery.workers * 2)
            opened.callback(self.client.close)
            self.keeper = Keeper(
                self.store,
                self.client,
                bridge.gateway,
                heard=lambda _agent_id: self.metrics.event_read(),
                clock=clock,
            )
            self.sessions = Sessions(
                self.store,
                self.client,
                bridge,
                renewed=lambda _agent_id: self.outbox.ring(),
                signed_in=self.keeper.keep,
                failed=lambda agent_id, error: self.outbox.not_signed_in(agent_id, error),  # noqa: PLW0108 - the outbox is opened later
                metrics=self.metrics,
                clock=clock,
            )
            opened.callback(self.sessions.close)
            opened.callback(self.keeper.close)
            self.courier = self._courier()
            if self.courier is not None:
                opened.callback(self.courier.close)
            self.rasa = Rasa(bridge.rasa) if bridge.rasa.url else None
            if self.rasa is not None:
                opened.callback(self.rasa.close)
            self.composer = Composer(bridge, Translator(settings.media))
            waits = Waits()
            responses = _responses(settings, self.rasa)
            self.messenger = self._messenger(responses, clock)
            self.outbox = Outbox(
                self.store,
                Sender(self.client, self.sessions, bridge.gateway, self.courier),
                bridge.delivery,
                consequence=self._follow,
                metrics=self.metrics,
                clock=clock,
            )
            self.outbox.listen(waits.moved)
            self.desk = Desk(
                self.store,
                settings,
                self.sessions,
                self.composer,
                responses,
                waits,
                rasa=self.rasa is not None,
                outbox=self.outbox,
                errand=self._errand,
                metrics=self.metrics,
                clock=clock,
            )
            self.pool = ThreadPoolExecutor(_EDGE_THREADS, thread_name_prefix="edge")
            opened.callback(self.pool.shutdown)
            self.keeper.start(self.sessions)
            if self.messenger is not None:
                self.messenger.start()
                opened.callback(self.messenger.close)
            self.outbox.start()
            opened.callback(self.outbox.close)
            self.retention = Retention(self.store, bridge.retention, clock=clock)
            self.retention.start()
            opened.callback(self.retention.close)
            self.desk.intake.start()
            opened.callback(self.desk.intake.close)
            self._opened = opened.pop_all()

    def _courier(self) -> Courier | None:
        bridge = self.settings.bridge
        if bridge.delivery.courier == "off" or not courier_usable():
            return None
        return Courier(bridge.gateway, workers=bridge.delivery.workers)

    def _messenger(self, responses: Responses, clock: Callable[[], float]) -> Messenger | None:
        if self.rasa is None:
            return None
        unavailable = self.settings.designer.handoff.unavailable
        return Messenger(
            self.store, self.rasa, responses, unavailable, metrics=self.metrics, clock=clock
        )

    def _follow(self, tx: Tx, delivery: Delivery) -> None:
        """What follows from a settled delivery, in the transaction that settles it."""
        if self.messenger is not None:
            write_back(tx, delivery, self.composer.plain(delivery), now=self._clock())
        self.desk.handbacks.broken(tx, delivery)

    def _errand(self) -> None:
        if self.messenger is not None:
            self.messenger.ring()

    def tell_metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """What Prometheus is told: see ``Metrics.tell``. Blocks for the store."""
        return self.metrics.tell(
            accept,
            read=lambda: self.store.read(figures.read),
            breaker=self.outbox.breaker.state.value,
            version=version,
        )

    def hang_up(self) -> None:
        """Listen to agents' events no more: the process is to end. Everything else goes on."""
        self.keeper.stop()

    def close(self) -> None:
        """Let what is in flight finish within its deadlines, then close every part.

        All are told first, so that they finish side by side. Leases are given back.
        """
        self.outbox.stop()
        self.keeper.stop()
        self.sessions.stop()
        self.retention.stop()
        if self.messenger is not None:
            self.messenger.stop()
        self._opened.close()


def _responses(settings: Settings, rasa: Rasa | None) -> Responses:
    domain = settings.domain  # of the file that rasa.domain names
    return Responses((lambda: domain) if domain is not None else None, rasa)


_lock = threading.Lock()
_settings: Settings | None = None
_current: Runtime | None = None


def settings() -> Settings:
    """This process's settings, read at the first call.

    Raises:
        ConfigurationError: with every fault. The next call tries again.
    """
    global _settings  # noqa: PLW0603 - read once a process
    if _settings is None:
        _settings = config.load()
    return _settings


def configured() -> Settings | None:
    """This process's settings if they were read; costs nothing."""
    return _settings


def current() -> Runtime:
    """This process's runtime, opened at the first call.

    Raises:
        BridgeError: the configuration is wrong, or something could not be opened. The next call
            tries again.
    """
    global _current  # noqa: PLW0603 - one runtime a process is the point
    if _current is not None:
        return _current
    with _lock:
        if _current is None:
            _current = Runtime(settings())
        return _current


def opened() -> Runtime | None:
    """This process's runtime if it is open; costs nothing."""
    return _current


def close_current() -> None:
    """Close this process's runtime, if it was opened."""
    global _current
    with _lock:
        runtime, _current = _current, None
    if runtime is not None:
        runtime.close()


def prepare() -> Settings:
    """Check the configuration and the database before anything listens.

    Raises:
        BridgeError: ConfigurationError with every fault, or StoreError.
    """
    found = settings()
    for warning in found.warnings:
        logger.warning(warning)
    store = Store(found.bridge.storage.url)
    try:
        store.demand_writable()
    finally:
        store.close()
    return found


@contextmanager
def tokens(settings: Settings) -> Iterator[Tokens]:
    """Agents' tokens, for a command that needs nothing else of the bridge."""
    with closing(Store(settings.bridge.storage.url)) as store:
        yield Tokens(store, settings.bridge)


@contextmanager
def deliveries(settings: Settings) -> Iterator[Deliveries]:
    """The outbox's list, for a command beside a server that may be working: it sends nothing.

    What the command leaves waiting is seen by the server as another process's commit.
    """
    with closing(Store(settings.bridge.storage.url, existing=True)) as store:
        yield Deliveries(store, settings.bridge, ring=lambda: None)


@contextmanager
def forgetting(settings: Settings) -> Iterator[Forgetting]:
    """Forgetting people, for a command beside a server that may be working."""
    with closing(Store(settings.bridge.storage.url, existing=True)) as store:
        yield Forgetting(store)

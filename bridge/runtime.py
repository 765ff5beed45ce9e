"""Opens and closes everything: the one place where the parts are put together.

A process has one runtime, opened lazily (action instances are pickled to worker processes, and in
gRPC mode no listener runs): ``current()``. Tests build their own with other parts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from cachetools import LRUCache

from bridge import config
from bridge.config.settings import Settings
from bridge.core import Clock, Core, Senders
from bridge.gateway.client import GatewayClient
from bridge.metrics import Metrics
from bridge.planners import Rules
from bridge.queries import Calls, Deliveries, Suggestions, Tokens
from bridge.rasa import Rasa
from bridge.senders import AllSenders
from bridge.store import Store, lists
from bridge.store.engine import BUSY_SECONDS
from bridge.translate import Translator
from bridge.upkeep.erasing import Eraser
from bridge.upkeep.retention import Retention

logger = logging.getLogger(__name__)

_WARNED = 1024
_READERS = 8  # threads for lists; what changes anything needs none


class Runtime:
    """All parts of the bridge at work in one process.

    Args:
        settings: as ``config.load`` gives them.
        rules: what the planners decide by; made of the settings where none are given.
        clock: the time; a test gives its own.
        senders: what talks to the gateway and to Rasa; a test gives its own.
        patience: how long SQLite waits for another process's transaction, in seconds.

    Raises:
        BridgeError: something could not be opened; what was opened is closed again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        rules: Rules | None = None,
        clock: Clock | None = None,
        senders: Senders | None = None,
        patience: float = BUSY_SECONDS,
    ) -> None:
        bridge = settings.bridge
        self.settings = settings
        self.metrics = Metrics()
        self.warned: LRUCache[int, None] = LRUCache(_WARNED)  # conversations, see actions.brought
        with ExitStack() as opened:
            self.store = Store(bridge.storage.url, patience=patience)
            opened.callback(self.store.close)
            self.client = GatewayClient(bridge.gateway, connections=bridge.delivery.workers * 2)
            opened.callback(self.client.close)
            rasa = Rasa(bridge.rasa) if bridge.rasa.url else None
            if rasa is not None:
                opened.callback(rasa.close)
            rules = rules or Rules.of(bridge, settings.designer, Translator(settings.media))
            domain = settings.domain  # of the file that rasa.domain names
            self.core = Core(
                self.store,
                rules,
                senders=senders or AllSenders(self.client, rasa, bridge),
                responses=domain.get("responses") or {} if domain is not None else None,
                metrics=self.metrics,
                clock=clock,
            )
            self.calls = Calls(self.store, rules.composer)
            self.deliveries = Deliveries(self.store)
            self.suggestions = Suggestions(self.store, self.core, settings.designer.assist.mode)
            self.tokens = Tokens(self.store, bridge, self.core)
            self.pool = ThreadPoolExecutor(_READERS, thread_name_prefix="reading")
            opened.callback(self.pool.shutdown)
            self.retention = Retention(self.store, self.core, bridge.retention)
            opened.callback(self.core.close)
            self.core.start()
            self.retention.start()
            opened.callback(self.retention.close)
            self._opened = opened.pop_all()

    def tell_metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """What Prometheus is told: see ``Metrics.tell``. Blocks for the store."""
        return self.metrics.tell(
            accept,
            read=lambda: self.store.read(lists.figures),
            breaker=self.core.breaker.state.value,
            version=version,
        )

    def stop_polling(self) -> None:
        """Poll for agents' events no more: the process is to end. Everything else goes on."""
        self.core.stop_polling()

    def close(self) -> None:
        """Let what is in flight finish within its deadlines, then close every part.

        All are told first, so that they finish side by side. Leases are given back.
        """
        self.retention.stop()
        self.core.stop()
        self._opened.close()


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


def use(runtime: Runtime | None) -> None:
    """Make ``runtime`` this process's, as a program does that opens its own; None: there is none.

    It is closed by whoever opened it.
    """
    global _current  # noqa: PLW0603 - see above
    _current = runtime


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


@dataclass(frozen=True, slots=True)
class Tools:
    """What a command-line tool needs, beside a server that may be working.

    Its core sends nothing: what it leaves waiting is sent by the server, which sees it as another
    process's commit.
    """

    core: Core
    deliveries: Deliveries
    tokens: Tokens
    eraser: Eraser


@contextmanager
def tools(settings: Settings, *, existing: bool = True) -> Iterator[Tools]:
    """The tools on the configured database; ``existing``: refuse to make a SQLite file."""
    bridge = settings.bridge
    with closing(Store(bridge.storage.url, existing=existing)) as store:
        rules = Rules.of(bridge, settings.designer, Translator(settings.media))
        with closing(Core(store, rules)) as core:
            core.start()
            yield Tools(core, Deliveries(store), Tokens(store, bridge, core), Eraser(store, core))

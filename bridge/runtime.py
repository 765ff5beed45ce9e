"""What the edge works with: the settings, a core to put commands to, and queries to read with.

A process has one runtime, opened lazily (action instances are pickled to worker processes, and in
gRPC mode no listener runs): ``current()``. In a server's worker its core is another process, see
``use_core``; everywhere else it is a thread. Tests build their own with other parts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import LRUCache

from bridge import config
from bridge.config.settings import Settings
from bridge.core.clock import Clock
from bridge.core.port import CorePort
from bridge.planners import Rules
from bridge.process.client import CoreClient
from bridge.queries import Calls, Deliveries, Suggestions, Tokens
from bridge.store import Reader
from bridge.translate import Translator

if TYPE_CHECKING:  # a server's workers have no core of their own
    from bridge.core.core import Core, Senders
    from bridge.service import Service
    from bridge.upkeep.erasing import Eraser

logger = logging.getLogger(__name__)

_WARNED = 1024
_READERS = 8  # threads for lists; what changes anything needs none


class Runtime:
    """All parts of the edge in one process.

    Args:
        settings: as ``config.load`` gives them.
        core: the core of another process; without it, one is opened in this process, with

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
        core: CorePort | None = None,
        rules: Rules | None = None,
        clock: Clock | None = None,
        senders: Senders | None = None,
        patience: float | None = None,
    ) -> None:
        bridge = settings.bridge
        self.settings = settings
        self.warned: LRUCache[int, None] = LRUCache(_WARNED)  # conversations, see actions.brought
        rules = rules or Rules.of(bridge, settings.designer, Translator(settings.media))
        with ExitStack() as opened:
            self.service: Service | None = None  # None where the core is another process's
            if core is None:
                self.service, core = _opened(settings, rules, clock, senders, patience)
                opened.callback(self.service.close)
                self.store: Reader = self.service.store
            else:
                self.store = Reader(bridge.storage.url)
                opened.callback(self.store.close)
            self.core = core
            self.calls = Calls(self.store, rules.composer)
            self.deliveries = Deliveries(self.store)
            self.suggestions = Suggestions(self.store, core, settings.designer.assist.mode)
            self.tokens = Tokens(self.store, bridge, core)
            self.pool = ThreadPoolExecutor(_READERS, thread_name_prefix="reading")
            opened.callback(self.pool.shutdown)
            self._opened = opened.pop_all()

    def stop_polling(self) -> None:
        """Poll for agents' events no more: the process is to end. Everything else goes on.

        A core of another process is told by whoever started that.
        """
        if self.service is not None:
            self.service.core.stop_polling()

    def close(self) -> None:
        """Let what is in flight finish within its deadlines, then close every part."""
        if isinstance(self.core, CoreClient):
            self.core.close()
        self._opened.close()


def _opened(
    settings: Settings,
    rules: Rules,
    clock: Clock | None,
    senders: Senders | None,
    patience: float | None,
) -> tuple[Service, CorePort]:
    """A core in this process."""
    from bridge.core.local import LocalCore  # noqa: PLC0415 - not in a server's workers
    from bridge.service import Service  # noqa: PLC0415

    service = Service(settings, rules=rules, clock=clock, senders=senders, patience=patience)
    return service, LocalCore(service.core)


_lock = threading.Lock()
_settings: Settings | None = None
_current: Runtime | None = None
_address: str | None = None


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
            core = CoreClient(_address) if _address is not None else None
            _current = Runtime(settings(), core=core)
        return _current


def use_core(address: str) -> None:
    """Use the core of the process that listens at ``address`` instead of one of this process's."""
    global _address  # noqa: PLW0603 - one core a process is the point
    _address = address


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
    from bridge.core.core import Core  # noqa: PLC0415 - not in a server's workers
    from bridge.core.local import LocalCore  # noqa: PLC0415
    from bridge.store import Store  # noqa: PLC0415
    from bridge.upkeep.erasing import Eraser  # noqa: PLC0415

    bridge = settings.bridge
    with closing(Store(bridge.storage.url, existing=existing)) as store:
        rules = Rules.of(bridge, settings.designer, Translator(settings.media))
        with closing(Core(store, rules)) as core:
            core.start()
            tokens = Tokens(store, bridge, LocalCore(core))
            yield Tools(core, Deliveries(store), tokens, Eraser(store, core))

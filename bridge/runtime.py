"""The edge's dependencies: the settings, a core that takes commands, and read-only queries.

Each process has one runtime, see ``current``. It is opened lazily, because action instances are
pickled to worker processes and no listener runs in gRPC mode. In a server's worker the core is
another process, see ``use_core``; everywhere else it is a thread. Tests build a ``Runtime`` with
other parts.
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
from bridge.context import Context
from bridge.core.port import CorePort
from bridge.process.client import CoreClient
from bridge.queries import Calls, ChangeLog, Deliveries, Report, Suggestions, Timeline, Tokens
from bridge.store import Reader

if TYPE_CHECKING:  # a server's workers do not load the core
    from bridge.core.core import Core
    from bridge.core.senders import Senders
    from bridge.service import Service
    from bridge.upkeep.erasing import Eraser

logger = logging.getLogger(__name__)

_WARNED = 1024
_READERS = 8  # threads for queries; commands need none


class Runtime:
    """All parts of the edge in one process.

    Args:
        context: the settings, the planners' rules and the clock.
        core: the core of another process. If None, a core is opened in this process.
        senders: this process's clients of the gateway and of Rasa; replaced in tests.

    Raises:
        BridgeError: a part could not be opened; those already open are closed again.
    """

    def __init__(
        self,
        context: Context,
        *,
        core: CorePort | None = None,
        senders: Senders | None = None,
    ) -> None:
        settings, bridge = context.settings, context.settings.bridge
        self.settings = settings
        self.warned: LRUCache[int, None] = LRUCache(_WARNED)  # conversations, see actions.brought
        with ExitStack() as opened:
            self.service: Service | None = None  # None if the core is another process
            if core is None:
                self.service, core = _open_core(context, senders)
                opened.callback(self.service.close)
                self.store: Reader = self.service.store
            else:
                self.store = Reader(bridge.storage.url)
                opened.callback(self.store.close)
            self.core = core
            self.composer = context.rules.composer
            self.calls = Calls(self.store, self.composer)
            self.changes = ChangeLog(self.store)
            self.deliveries = Deliveries(self.store)
            self.suggestions = Suggestions(self.store, core, settings.designer.assist.mode)
            self.report = Report(self.store)
            self.tokens = Tokens(self.store, bridge, core)
            self.pool = ThreadPoolExecutor(_READERS, thread_name_prefix="reading")
            opened.callback(self.pool.shutdown)
            self._opened = opened.pop_all()

    def stop_polling(self) -> None:
        """Stop polling for events because the process is about to end; all else continues.

        A core in another process receives this instruction from its supervisor instead.
        """
        if self.service is not None:
            self.service.core.stop_polling()

    def close(self) -> None:
        """Finish the calls in flight within their deadlines, then close every part."""
        if isinstance(self.core, CoreClient):
            self.core.close()
        self._opened.close()


def _open_core(context: Context, senders: Senders | None) -> tuple[Service, CorePort]:
    """Open a core in this process."""
    from bridge.core.local import LocalCore  # noqa: PLC0415 - not in a server's workers
    from bridge.service import Service  # noqa: PLC0415

    service = Service(context, senders=senders)
    return service, LocalCore(service.core)


_lock = threading.Lock()
_settings: Settings | None = None
_current: Runtime | None = None
_address: str | None = None


def settings() -> Settings:
    """Return this process's settings, read at the first call.

    Raises:
        ConfigurationError: lists every fault. The next call tries again.
    """
    global _settings  # noqa: PLW0603 - read once a process
    if _settings is None:
        _settings = config.load()
    return _settings


def configured() -> Settings | None:
    """Return this process's settings if already read, else None; does not block."""
    return _settings


def current() -> Runtime:
    """Return this process's runtime, opened at the first call.

    Raises:
        BridgeError: the configuration is invalid, or a part could not be opened. The next call
            tries again.
    """
    global _current  # noqa: PLW0603 - one runtime a process is the point
    if _current is not None:
        return _current
    with _lock:
        if _current is None:
            core = CoreClient(_address) if _address is not None else None
            _current = Runtime(Context.of(settings()), core=core)
        return _current


def use_core(address: str) -> None:
    """Use the core process that listens at ``address`` instead of a core in this process."""
    global _address  # noqa: PLW0603 - one core a process is the point
    _address = address


def opened() -> Runtime | None:
    """Return this process's runtime if it is open, else None; does not block."""
    return _current


def use(runtime: Runtime | None) -> None:
    """Set this process's runtime, for a program that opens its own; None removes it.

    The caller remains responsible for closing it.
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
    """What a command-line tool uses on a database, even while a server is running.

    The tool's core sends nothing: the server sends the deliveries that it leaves waiting, as after
    any commit of another process.
    """

    core: Core
    deliveries: Deliveries
    tokens: Tokens
    report: Report
    eraser: Eraser


@contextmanager
def timeline(settings: Settings) -> Iterator[Timeline]:
    """Open the timeline of conversations on the configured database."""
    from bridge.store import Store  # noqa: PLC0415 - not in a server's workers

    with closing(Store(settings.bridge.storage.url, existing=True)) as store:
        yield Timeline(store, Context.of(settings).rules.composer)


@contextmanager
def tools(settings: Settings, *, existing: bool = True) -> Iterator[Tools]:
    """Open the tools on the configured database; ``existing``: do not create a SQLite file."""
    from bridge.core.core import Core  # noqa: PLC0415 - not in a server's workers
    from bridge.core.local import LocalCore  # noqa: PLC0415
    from bridge.store import Store  # noqa: PLC0415
    from bridge.upkeep.erasing import Eraser  # noqa: PLC0415

    bridge = settings.bridge
    with (
        closing(Store(bridge.storage.url, existing=existing)) as store,
        closing(Core(store, Context.of(settings).rules)) as core,
    ):
        core.start()
        tokens = Tokens(store, bridge, LocalCore(core))
        yield Tools(core, Deliveries(store), tokens, Report(store), Eraser(store, core))

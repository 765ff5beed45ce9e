"""A core with its dependencies: the store, the senders, retention.

In a server it runs in a separate process (``bridge.process.main``); under gRPC, in custom programs
and in tests it runs in the same process (``bridge.runtime``).
"""

from __future__ import annotations

from contextlib import ExitStack

from bridge.config.settings import Settings
from bridge.core.channel import CommandQueue
from bridge.core.clock import Clock
from bridge.core.core import Core, Senders
from bridge.gateway.client import GatewayClient
from bridge.metrics import Metrics
from bridge.planners import Rules
from bridge.rasa import Rasa
from bridge.senders import AllSenders
from bridge.store import Store
from bridge.store.engine import BUSY_SECONDS
from bridge.translate import Translator
from bridge.upkeep.retention import Retention


def rules_of(settings: Settings) -> Rules:
    """Build the planners' configuration from the settings."""
    return Rules.of(settings.bridge, settings.designer, Translator(settings.media))


class Service:
    """Opened by the constructor; call ``close`` once.

    Args:
        settings: the result of ``config.load``.
        rules: the planners' configuration; derived from the settings by default.
        clock: replaced in tests.
        senders: the clients of the gateway and of Rasa; replaced in tests.
        busy_timeout: seconds that SQLite waits for another process's transaction; None means
            the store's default.
        channel: the source of commands; defaults to an in-process channel.

    Raises:
        BridgeError: a part could not be opened; those already open are closed again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        rules: Rules | None = None,
        clock: Clock | None = None,
        senders: Senders | None = None,
        busy_timeout: float | None = None,
        channel: CommandQueue | None = None,
    ) -> None:
        bridge = settings.bridge
        with ExitStack() as opened:
            self.store = Store(
                bridge.storage.url,
                busy_timeout=BUSY_SECONDS if busy_timeout is None else busy_timeout,
            )
            opened.callback(self.store.close)
            self.store.demand_writable()
            client = GatewayClient(bridge.gateway, connections=bridge.delivery.workers * 2)
            opened.callback(client.close)
            rasa = Rasa(bridge.rasa) if bridge.rasa.url else None
            if rasa is not None:
                opened.callback(rasa.close)
            domain = settings.domain  # from the file named by rasa.domain
            self.core = Core(
                self.store,
                rules or rules_of(settings),
                senders=senders or AllSenders(client, rasa, bridge),
                responses=domain.get("responses") or {} if domain is not None else None,
                metrics=Metrics(),
                clock=clock,
                channel=channel,
            )
            self.retention = Retention(self.store, self.core, bridge.retention)
            opened.callback(self.core.close)
            self.core.start()
            self.retention.start()
            opened.callback(self.retention.close)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Finish the calls in flight within their deadlines, then close every part.

        All parts are stopped before any is closed, so that they finish concurrently. Leases are
        released.
        """
        self.retention.stop()
        self.core.stop()
        self._opened.close()

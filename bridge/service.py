"""A core with everything that it works with: the store, the senders, retention.

The server has it in a process of its own (``bridge.process.main``); gRPC, a program of one's own
and tests have it in theirs (``bridge.runtime``).
"""

from __future__ import annotations

from contextlib import ExitStack

from bridge.config.settings import Settings
from bridge.core.channel import Channel
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
    """What the planners decide by."""
    return Rules.of(settings.bridge, settings.designer, Translator(settings.media))


class Service:
    """Opens at construction and is closed once.

    Args:
        settings: as ``config.load`` gives them.
        rules: what the planners decide by; made of the settings where none are given.
        clock: the time; a test gives its own.
        senders: what talks to the gateway and to Rasa; a test gives its own.
        patience: how long SQLite waits for another process's transaction, in seconds; None is the
            store's default.
        channel: where commands come from; one of this process's own where none is given.

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
        patience: float | None = None,
        channel: Channel | None = None,
    ) -> None:
        bridge = settings.bridge
        with ExitStack() as opened:
            self.store = Store(
                bridge.storage.url, patience=BUSY_SECONDS if patience is None else patience
            )
            opened.callback(self.store.close)
            self.store.demand_writable()
            client = GatewayClient(bridge.gateway, connections=bridge.delivery.workers * 2)
            opened.callback(client.close)
            rasa = Rasa(bridge.rasa) if bridge.rasa.url else None
            if rasa is not None:
                opened.callback(rasa.close)
            domain = settings.domain  # of the file that rasa.domain names
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
        """Let what is in flight finish within its deadlines, then close every part.

        All are told first, so that they finish side by side. Leases are given back.
        """
        self.retention.stop()
        self.core.stop()
        self._opened.close()

"""A core with its dependencies: the store, the senders, retention.

In a server it runs in a separate process (``bridge.process.main``); under gRPC, in custom programs
and in tests it runs in the same process (``bridge.runtime``).
"""

from __future__ import annotations

from contextlib import ExitStack

from bridge.context import Context
from bridge.core.command_queue import CommandQueue
from bridge.core.core import Core
from bridge.core.senders import Senders
from bridge.gateway.client import GatewayClient
from bridge.metrics import Metrics
from bridge.rasa import Rasa
from bridge.senders import AllSenders
from bridge.store import Store
from bridge.upkeep.retention import Retention


class Service:
    """Opened by the constructor; call ``close`` once.

    Args:
        context: the settings, the planners' rules and the clock.
        senders: the clients of the gateway and of Rasa; replaced in tests.
        channel: the source of commands; defaults to an in-process channel.

    Raises:
        BridgeError: a part could not be opened; those already open are closed again.
    """

    def __init__(
        self,
        context: Context,
        *,
        senders: Senders | None = None,
        channel: CommandQueue | None = None,
    ) -> None:
        bridge = context.settings.bridge
        with ExitStack() as opened:
            self.store = Store(bridge.storage.url, busy_timeout=context.busy_timeout)
            opened.callback(self.store.close)
            self.store.require_writable()
            connections = bridge.delivery.workers * 2 + len(bridge.readers)  # a poll has its own
            client = GatewayClient(bridge.gateway, connections=connections)
            opened.callback(client.close)
            rasa = Rasa(bridge.rasa) if bridge.rasa.url else None
            if rasa is not None:
                opened.callback(rasa.close)
            domain = context.settings.domain  # from the file named by rasa.domain
            responses = domain.get("responses") or {} if domain is not None else None
            self.core = Core(
                self.store,
                context.rules,
                senders=senders
                or AllSenders(
                    client,
                    rasa,
                    bridge,
                    designer=context.settings.designer,
                    responses=responses,
                ),
                responses=responses,
                metrics=Metrics(),
                clock=context.clock,
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

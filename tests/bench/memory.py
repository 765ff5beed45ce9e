"""What a cached session and an open assignment take of memory: ``python -m tests.bench.memory``.

Sessions: the process's own part, with a GUID and a load balancer's cookie for each of 4,000 agents
(so many cookie jars are kept), by tracemalloc in this process. Assignments: how much a real server
grows while 10,000 conversations are handed off, by the memory that is its alone; whatever else it
does not give back counts too.
"""

from __future__ import annotations

import gc
import tempfile
import time
import tracemalloc
from functools import partial

from bridge.config.operators import BridgeSettings
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.gateway.sessions import Sessions
from bridge.store import Store, Tx, sessions
from tests.bench.cpu import session_private_bytes
from tests.bench.gateway import BenchGateway
from tests.bench.programs import Bridge, load
from tests.bench.turns import names, template

AGENTS = 4000
ASSIGNMENTS = 10_000
WARM = 4000  # handoffs until the server has what it needs at any load
LANES = 16
FIRST_AGENT = 1000


def measure() -> dict[str, float]:
    """Bytes for each cached session and each open assignment."""
    with BenchGateway() as gateway:
        return {"session": round(_of_a_session(gateway)), "assignment": round(_of_a_call(gateway))}


def _of_a_session(gateway: BenchGateway) -> float:
    gateway.give_cookies()
    settings = BridgeSettings.model_validate({"gateway": {"url": gateway.url}, "agents": {"*": {}}})
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bridge.db")
        client = GatewayClient(settings.gateway, connections=1)
        cached = Sessions(store, client, settings, renewed=_nothing, signed_in=_nothing)
        try:
            store.write(_sign_in_all)
            _use(cached, client, 0, 10)
            gc.collect()
            tracemalloc.start()
            _use(cached, client, 10, AGENTS)
            gc.collect()
            taken = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            cached.close()
            client.close()
            store.close()
    return taken / (AGENTS - 10)


def _sign_in_all(tx: Tx) -> None:
    for number in range(AGENTS):
        agent = str(FIRST_AGENT + number)
        guid = f"{number:032x}.AgentGateway0"
        sessions.renew(tx, agent, guid, ours=False, now=time.time())


def _use(cached: Sessions, client: GatewayClient, begin: int, end: int) -> None:
    for number in range(begin, end):
        agent = str(FIRST_AGENT + number)
        client.call(agent, wire.poll(agent), guid=cached.guid(agent), timeout=5)


def _nothing(_agent_id: str) -> None:
    """Nobody waits for a session here."""


def _of_a_call(gateway: BenchGateway) -> float:
    with Bridge(gateway) as bridge:
        hand_off = partial(_hand_off, bridge)
        hand_off(names("warm", WARM))
        before = session_private_bytes(bridge.pid)
        hand_off(names("open", ASSIGNMENTS))
        return max(0.0, session_private_bytes(bridge.pid) - before) / ASSIGNMENTS


def _hand_off(bridge: Bridge, senders: list[str]) -> None:
    bridge.assign(senders)
    told = load(
        bridge.port,
        {
            "name": "handoff",
            "template": template("action_human_handoff"),
            "senders": senders,
            "lanes": LANES,
        },
    )
    assert told["streams"]["handoff"]["delivered"] == len(senders)


def main() -> None:
    """Measure and print."""
    print(*(f"{of}: {size:,.0f} bytes" for of, size in measure().items()), sep="\n")


if __name__ == "__main__":
    main()

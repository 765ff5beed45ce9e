"""What an open assignment and a cached session take of memory: ``python -m tests.bench.memory``.

How much a running server grows, all of its processes together, by the memory that is theirs alone;
whatever else they do not give back counts too. Assignments: 8,000 conversations of one agent are
handed off. Sessions: 3,000 agents push a session and have one conversation each handed off, whose
answer brings a load balancer's cookie; an assignment's memory is taken off.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.cpu import server_private_bytes
from tests.bench.gateway import BenchGateway
from tests.bench.programs import Bridge, load
from tests.bench.turns import AGENT, names, template

AGENTS = 3000  # fewer than the load balancers' cookies that are kept
ASSIGNMENTS = 8000
WARM = 3000  # handoffs until the server has what it needs at any load
LANES = 16
FIRST_AGENT = 1000


def measure() -> dict[str, float]:
    """Bytes for each cached session and each open assignment."""
    with BenchGateway() as gateway, Bridge(gateway) as bridge:
        gateway.give_cookies()
        _hand_off(bridge, names("warm", WARM), [AGENT] * WARM)
        before = server_private_bytes(bridge.pid)
        _hand_off(bridge, names("open", ASSIGNMENTS), [AGENT] * ASSIGNMENTS)
        between = server_private_bytes(bridge.pid)
        assignment = (between - before) / ASSIGNMENTS
        agents = [str(FIRST_AGENT + number) for number in range(AGENTS)]
        bridge.push(agents)
        _hand_off(bridge, names("agent", AGENTS), agents)
        session = (server_private_bytes(bridge.pid) - between) / AGENTS - assignment
    return {"session": round(max(0.0, session)), "assignment": round(max(0.0, assignment))}


def _hand_off(bridge: Bridge, senders: Sequence[str], agents: Sequence[str]) -> None:
    bridge.assign(senders, agents)
    found = load(
        bridge.port,
        {
            "name": "handoff",
            "template": template("action_human_handoff"),
            "senders": senders,
            "lanes": LANES,
        },
    )
    assert found["streams"]["handoff"]["delivered"] == len(senders)


def main() -> None:
    """Measure and print."""
    print(*(f"{of}: {size:,.0f} bytes" for of, size in measure().items()), sep="\n")


if __name__ == "__main__":
    main()

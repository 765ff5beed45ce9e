"""What a message costs when many calls are open: ``python -m tests.bench.open_calls``.

Two bridges run side by side, one with ten open calls, one with 50,000 of 5,000 agents; each call
has its history, each agent a session. Customers write in calls that their agents have, and the
bridge answers by itself (assist, ``auto``): each turn is one message in a call taken at random,
and counts once it is delivered. Told is the server's CPU for each message, in rounds by turns; on
PostgreSQL (``--postgres``) its server's too.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from functools import partial
from statistics import median
from typing import Any

from sqlalchemy import create_engine, text

from bridge.model import (
    AgentId,
    Assignment,
    CallId,
    Delivery,
    DeliveryState,
    Draft,
    Envelope,
    MediaType,
    MessageCode,
    Origin,
    Owner,
    SenderId,
    derive,
)
from bridge.store import Store, Tx, assignments, queue, sessions, turns
from tests.bench.cpu import family_cpu_seconds
from tests.bench.gateway import BenchGateway
from tests.bench.programs import Bridge, load
from tests.bench.turns import template
from tests.postgres import PostgresServer
from tests.web.serving import WELCOME

FEW, MANY = 10, 50_000
CALLS_OF_AN_AGENT = 10
FIRST_AGENT = 1000
LANES = 10  # at most one for each of the few calls: a call's messages go one after another
MESSAGES = 2000  # of each bridge in each round
ROUNDS = 5
HANDOFF = {
    "assist": {
        "when": [{"intent": "request_human", "reply": "utter_handoff_started"}],
        "mode": "auto",
        "auto": {"intents": ["request_human"]},
    }
}


def measure(
    rounds: int = ROUNDS, many: int = MANY, postgres: PostgresServer | None = None
) -> dict[str, Any]:
    """CPU for each message in milliseconds, with few and with many open calls, and the ratio."""
    with ExitStack() as opened:
        gateway = opened.enter_context(BenchGateway())
        urls = {
            count: opened.enter_context(postgres.database()) if postgres else None
            for count in (FEW, many)
        }
        bridges = {
            count: opened.enter_context(_with_calls(gateway, count, url))
            for count, url in urls.items()
        }
        chance = random.Random(1)  # noqa: S311 - spreads turns over calls
        found: dict[int, list[float]] = {count: [] for count in bridges}
        for number in range(rounds + 1):  # the first warms up
            for count, bridge in bridges.items() if number % 2 else reversed(bridges.items()):
                senders = [f"open-{chance.randrange(count):06}" for _ in range(MESSAGES)]
                before = family_cpu_seconds(postgres.pid) if postgres else 0.0
                found[count].append(_cpu(bridge, senders))
                if postgres:
                    found[count][-1] += (
                        (family_cpu_seconds(postgres.pid) - before) / MESSAGES * 1000
                    )
        few, lots = (figures[1:] for figures in found.values())
    return {
        "few": FEW,
        "many": many,
        "cpu few": round(median(few), 3),
        "cpu many": round(median(lots), 3),
        "ratio": round(median(b / a for a, b in zip(few, lots, strict=True)), 3),
    }


def _with_calls(gateway: BenchGateway, count: int, url: str | None) -> Bridge:
    """A bridge with so many open calls, not started yet."""
    bridge = Bridge(gateway, designer=HANDOFF, url=url)
    store = Store(bridge.url)
    try:
        for begin in range(0, count, 5000):
            some = range(begin, min(count, begin + 5000))
            store.write(partial(_open_calls, numbers=some))
    finally:
        store.close()
    if url is not None:
        _look_over(url)
    return bridge


def _look_over(url: str) -> None:
    """Do what PostgreSQL would do by itself within minutes: its planner knows nothing before."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def _open_calls(tx: Tx, numbers: range) -> None:
    """Calls that their agents have: each was handed off, with a message that was delivered."""
    now = time.time()
    for number in numbers:
        name = f"open-{number:06}"
        agent = AgentId(str(FIRST_AGENT + number // CALLS_OF_AN_AGENT))
        if number % CALLS_OF_AN_AGENT == 0:
            sessions.renew(tx, agent, f"guid-{agent}", ours=False, now=now)
        given = Assignment(SenderId(name), agent, CallId(name), user_id="40001")
        assignments.give(tx, given, Owner.BOT, "http", now=now)
        assignments.hand_off(tx, name, name, card=None, now=now)
        key = derive("turn", name)
        turns.begin(tx, key, sender_id=name, call_id=name, now=now, answer={"state": "handoff"})
        queue.add(tx, [_delivered(given, key, now)])


def _delivered(given: Assignment, key: str, now: float) -> Delivery:
    envelope = Envelope(
        given.agent_id,
        given.call_id,
        given.user_id,
        given.channel,
        "202301032048582419",
        "Agent",
        "DefaultAvatar",
    )
    return Delivery(
        seq=0,
        message_code=MessageCode(derive("bench", given.call_id)),
        sender_id=given.sender_id,
        envelope=envelope,
        draft=Draft(MediaType.TEXT, WELCOME),
        origin=Origin.HANDOFF,
        reply_key=derive("reply", given.call_id),
        part=0,
        state=DeliveryState.DELIVERED,
        created_at=now,
        expires_at=now + 300,
        due_at=now,
        turn_key=key,
    )


def _cpu(bridge: Bridge, senders: Sequence[str]) -> float:
    """Milliseconds of the server's CPU for each message, until all are delivered."""
    before = bridge.cpu()
    told = load(
        bridge.port,
        {
            "name": "customers",
            "template": template("action_bridge"),
            "senders": senders,
            "lanes": LANES,
        },
    )["streams"]["customers"]
    assert told["answers"] == {"200": len(senders)}, told["answers"]
    bridge.settle()
    spent = bridge.cpu() - before
    bridge.check(len(senders))
    return spent / len(senders) * 1000


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--postgres", action="store_true", help="on a server of its own")
    given = parser.parse_args()
    with PostgresServer() if given.postgres else nullcontext() as postgres:
        found = measure(given.rounds, given.many, postgres)
    print(*(f"{key} {value:g}" for key, value in found.items()))


if __name__ == "__main__":
    main()

"""A durable handoff beside what one writes without the bridge: turns a second, times, CPU.

    python -m tests.bench.handoff --delay 0 --lanes 64 --rounds 3 --only put,token,pooled

One, 8 and 64 conversations at a time ask for a person, each turn a new customer's, while a gateway
answers after 0, 50 and 200 ms. The bridge runs at its default settings, and its conversations have
their assignments either by a PUT beforehand (``put``) or by a signed token in each message
(``token``). All programs run at once and are loaded by turns, in rounds. Rates, CPU and ratios are
medians of the rounds; p50 and p99 are those of all turns of all rounds. A bridge's handoff counts
only where the gateway recorded its message exactly once and the answer said that it was delivered;
anything else ends the run. CPU is the server's, all of its processes together.

The baselines: ``pooled`` hands a ``requests.Session`` to 64 threads, ``tuned`` one that looks
for no proxies in the environment, ``plain`` calls ``requests.post`` in ``run``; none stores
anything. ``tuned`` and ``plain`` run at 64 only, in two rounds.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.gateway import BenchGateway
from tests.bench.programs import Baseline, Bridge, Program, load
from tests.bench.turns import PUT, TOKEN, WAYS, names, template, tokens

DELAYS = (0, 50, 200)  # milliseconds of the gateway
LANES = (64, 8, 1)  # conversations at a time
MOST = max(LANES)
ROUNDS: Mapping[int, int] = {64: 4, 8: 3, 1: 3}
SECONDS: Mapping[int, float] = {64: 2.0, 8: 1.5, 1: 1.5}  # about, of each in each round
POOLED = "pooled"
ASIDE = ("tuned", "plain")
ASIDE_ROUNDS = 2
PROGRAMS = (*WAYS, POOLED, *ASIDE)
_FIELDS = ("rate", "cpu", "load", "gateway")


@dataclass(frozen=True, slots=True)
class Contender:
    """A program, and how its conversations get their assignments; a baseline's need none."""

    name: str
    program: Program

    def rounds(self, lanes: int, rounds: int) -> int:
        """Return how many rounds it runs."""
        if self.name not in ASIDE:
            return rounds
        return min(rounds, ASIDE_ROUNDS) if lanes == MOST else 0


@dataclass(frozen=True, slots=True)
class Round:
    """One contender's round."""

    rate: float  # turns a second
    cpu: float  # milliseconds of the server's CPU for each
    times: tuple[float, ...]  # milliseconds of each turn
    load: float  # how much of a core the load generator took
    gateway: float  # ... and the gateway


def measure(
    delays: Sequence[int] = DELAYS,
    lanes: Sequence[int] = LANES,
    rounds: int | None = None,
    only: Sequence[str] = PROGRAMS,
    storage: str | None = None,
) -> dict[str, Any]:
    """Measure: ``{delay: {lanes: {contender: figures}}}``, see ``_summary``."""
    with ExitStack() as opened:
        gateway = opened.enter_context(BenchGateway())
        contenders = _contenders(opened, gateway, only, storage)
        prefixes = (f"r{number}" for number in itertools.count())
        return {
            str(delay): {
                str(many): _at(delay, many, gateway, contenders, rounds or ROUNDS[many], prefixes)
                for many in lanes
            }
            for delay in delays
        }


def _contenders(
    opened: ExitStack, gateway: BenchGateway, only: Sequence[str], storage: str | None
) -> list[Contender]:
    """Start each program once; both ways lead to the same bridge."""
    found = []
    bridge: Bridge | None = None
    for name in only:
        if name not in WAYS:
            program: Program = opened.enter_context(Baseline(gateway, name))
        else:
            bridge = bridge or opened.enter_context(Bridge(gateway, url=storage))
            program = bridge
        found.append(Contender(name, program))
    return found


def _at(
    delay: int,
    lanes: int,
    gateway: BenchGateway,
    contenders: Sequence[Contender],
    rounds: int,
    prefixes: Iterator[str],
) -> dict[str, Any]:
    gateway.answer_after(delay)
    running = {
        each: each.rounds(lanes, rounds) for each in contenders if each.rounds(lanes, rounds)
    }
    turns = {}
    for each in running:  # what is run first is slower: connections, threads, caches
        few = 8 if each.name == "plain" and delay else max(8, lanes * 5)
        step = min(few, lanes)
        warm = run(each, prepare(each, next(prefixes), few, lanes))
        turns[each] = max(step, int(warm.rate * SECONDS[lanes] / step) * step)
    found: dict[str, list[Round]] = {each.name: [] for each in running}
    for number in range(rounds):
        for each in running if number % 2 else reversed(running):
            if number < running[each]:
                prepared = prepare(each, next(prefixes), turns[each], lanes)
                found[each.name].append(run(each, prepared))
    return _summary(found)


def prepare(contender: Contender, prefix: str, count: int, lanes: int) -> dict[str, Any]:
    """Give ``count`` new conversations their assignments; return a stream that hands them off."""
    name = contender.name
    senders = names(prefix, count)
    if name == PUT:
        contender.program.assign(senders)
    return {
        "name": "handoff",
        "template": template("action_human_handoff", signed=name == TOKEN),
        "senders": senders,
        "values": tokens(senders) if name == TOKEN else None,
        "lanes": min(lanes, count),
    }


def run(contender: Contender, stream: dict[str, Any]) -> Round:
    """Hand off what was prepared; see that each message arrived exactly once."""
    name, program = contender.name, contender.program
    count = len(stream["senders"])
    cpu, others = program.cpu(), program.gateway.cpu()
    begun = time.perf_counter()
    found = load(program.port, stream)
    wall = time.perf_counter() - begun
    program.settle()
    cpu, others = program.cpu() - cpu, program.gateway.cpu() - others
    handoffs = found["streams"]["handoff"]
    assert handoffs["answers"] == {"200": count}, (name, handoffs["answers"])
    if name in WAYS:
        assert handoffs["delivered"] == count, (name, handoffs["delivered"], count)
    program.check(count)
    return Round(
        rate=count / handoffs["seconds"],
        cpu=cpu / count * 1000,
        times=tuple(handoffs["milliseconds"]),
        load=found["cpu"] / found["wall"],
        gateway=others / wall,
    )


def _summary(found: Mapping[str, Sequence[Round]]) -> dict[str, Any]:
    """Sum up each contender, and each way in beside each baseline."""
    summary: dict[str, Any] = {}
    for name, rounds in found.items():
        times = sorted(itertools.chain.from_iterable(each.times for each in rounds))
        medians = {
            field: round(median(getattr(each, field) for each in rounds), 3) for field in _FIELDS
        }
        summary[name] = medians | {
            "p50": times[len(times) // 2],
            "p99": times[int(len(times) * 0.99)],
            "turns": len(times),
        }
    for way, other in itertools.product(WAYS, (POOLED, *ASIDE)):
        if way in found and other in found:
            pairs = list(zip(found[way], found[other], strict=False))
            rates = [ours.rate / theirs.rate for ours, theirs in pairs]
            summary[f"{way}/{other}"] = {
                "rate": round(median(rates), 3),
                "lowest": round(min(rates), 3),
                "highest": round(max(rates), 3),
                "cpu": round(median(ours.cpu / theirs.cpu for ours, theirs in pairs), 3),
                "p50 more": round(summary[way]["p50"] - summary[other]["p50"], 3),
                "p99 more": round(summary[way]["p99"] - summary[other]["p99"], 3),
            }
    return summary


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--delay", type=int, action="append", help="milliseconds of the gateway")
    parser.add_argument(
        "--lanes", type=int, action="append", choices=LANES, help="conversations at a time"
    )
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default=",".join(PROGRAMS), help="contenders, with commas")
    parser.add_argument("--storage", help="the bridge's storage.url, an empty database")
    given = parser.parse_args()
    found = measure(
        given.delay or DELAYS,
        given.lanes or LANES,
        given.rounds,
        given.only.split(","),
        given.storage,
    )
    for delay, by_lanes in found.items():
        for lanes, figures in by_lanes.items():
            print(f"gateway at {delay} ms, {lanes} at a time")
            for name, values in figures.items():
                print(f"  {name:14}", *(f"{key} {value:g}" for key, value in values.items()))


if __name__ == "__main__":
    main()

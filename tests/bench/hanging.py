"""An idle turn while the gateway hangs: ``python -m tests.bench.hanging --only bridge``.

The bridge runs at its default settings.

Idle turns (``action_bridge``, and nothing triggers; in half of the conversations an agent has the
call) come 100 times a second. Beside them 32 conversations a second ask for a person, which, where
an action waits two seconds for the outcome, makes 64 handoffs under way at a time. The same once
while the gateway answers at once and once while it takes everything and answers nothing; the ratio
of the two is what a hanging gateway costs those who need none. A turn's time counts from when it
was due. In between, the bridge delivers what had hung; each message must arrive.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import median
from typing import Any

from tests.bench.gateway import BenchGateway
from tests.bench.programs import Baseline, Bridge, Program, load
from tests.bench.turns import names, template

PROGRAMS = ("bridge", "pooled", "plain")
SECONDS = 5.0  # of each half of a round
ROUNDS = 3
IDLE_RATE = 100  # a second
HANDOFF_RATE = 32
PATIENCE = 4.0  # seconds after which an idle turn that has no answer is given up
_IDLE = ("idle-with-bot", "idle-with-agent")


def measure(rounds: int = ROUNDS, only: Sequence[str] = PROGRAMS) -> dict[str, Any]:
    """For each program the median p50 and p99 of an idle turn, milliseconds, and ratios of p99."""
    found = {}
    for name in only:
        with BenchGateway() as gateway, _program(gateway, name) as program:
            found[name] = _rounds(program, gateway, rounds if name == "bridge" else 1)
    return found


def _program(gateway: BenchGateway, name: str) -> Program:
    return Bridge(gateway) if name == "bridge" else Baseline(gateway, name)


def _rounds(program: Program, gateway: BenchGateway, rounds: int) -> dict[str, Any]:
    if isinstance(program, Bridge):
        program.assign(_IDLE[:1])
        program.assign(_IDLE[1:], owner="agent")
    _turns(program, "warm", seconds=2)
    found: dict[str, list[tuple[float, float]]] = {"answering": [], "hanging": []}
    for number in range(rounds):
        gateway.answer_after(0)
        found["answering"].append(_turns(program, f"a{number}"))
        gateway.hang()
        found["hanging"].append(_turns(program, f"h{number}"))
        gateway.answer_after(0)
        _settle(program)
    return {
        **{
            f"{state} {point}": round(median(each[index] for each in points), 2)
            for state, points in found.items()
            for index, point in enumerate(("p50", "p99"))
        },
        "ratio": round(
            median(
                hanging[1] / answering[1]
                for answering, hanging in zip(found["answering"], found["hanging"], strict=True)
            ),
            2,
        ),
    }


def _turns(program: Program, prefix: str, seconds: float = SECONDS) -> tuple[float, float]:
    """The p50 and p99 of the idle turns, in milliseconds."""
    senders = names(prefix, int(HANDOFF_RATE * (seconds + 1)))
    program.assign(senders)
    found = load(
        program.port,
        {
            "name": "idle",
            "template": template("action_bridge"),
            "senders": _IDLE * int(IDLE_RATE * seconds / len(_IDLE)),
            "lanes": 32,
            "rate": IDLE_RATE,
            "patience": PATIENCE,
        },
        {
            "name": "handoff",
            "template": template("action_human_handoff"),
            "senders": senders,
            "lanes": 128,
            "rate": HANDOFF_RATE,
            "patience": 0.0,  # ended with the idle turns
        },
    )
    took = sorted(found["streams"]["idle"]["milliseconds"])
    return took[len(took) // 2], took[int(len(took) * 0.99)]


def _settle(program: Program) -> None:
    """Let everything that hung arrive, and check that it did."""
    if isinstance(program, Bridge):
        program.settle()
        states = program.states()
        assert states.keys() == {"delivered"}, states
        assert len(program.gateway.codes()) == states["delivered"]


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="bridge,pooled,plain", help="programs, with commas")
    given = parser.parse_args()
    for name, figures in measure(given.rounds, given.only.split(",")).items():
        print(name, *(f"{key} {value:g}" for key, value in figures.items()))


if __name__ == "__main__":
    main()

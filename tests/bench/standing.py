"""What a server takes before it does anything: ``python -m tests.bench.standing``.

Beside Rasa's SDK with an action that does nothing, both at their defaults: the seconds from the
start of the process until ``/bridge/ready`` (the SDK: ``/health``) answers 200, with an empty
database, medians of rounds by turns; and the memory of all processes together that no other
process shares, a moment after that.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import requests

from tests.bench.cpu import server_private_bytes
from tests.bench.gateway import BenchGateway
from tests.bench.programs import Baseline, Bridge, Program

ROUNDS = 5
_WITHIN = 60.0  # seconds
_SETTLED = 2.0  # seconds after the start


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Seconds until ready and private bytes, of the bridge and of the bare SDK, and the ratios."""
    seconds: dict[str, list[float]] = {"bridge": [], "bare": []}
    sizes: dict[str, list[float]] = {"bridge": [], "bare": []}
    with BenchGateway() as gateway:
        for _ in range(rounds):
            for name, path in (("bridge", "/bridge/ready"), ("bare", "/health")):
                program: Program = (
                    Bridge(gateway) if name == "bridge" else Baseline(gateway, "bare")
                )
                took, size = _started(program, path)
                seconds[name].append(took)
                sizes[name].append(size)
    return {"ready": _beside(seconds), "memory": _beside(sizes)}


def _started(program: Program, path: str) -> tuple[float, float]:
    began = time.perf_counter()
    program.spawn()
    try:
        while not _answers(program.port, path):
            assert time.perf_counter() < began + _WITHIN, "it did not start"
            time.sleep(0.005)
        took = time.perf_counter() - began
        time.sleep(_SETTLED)
        return took, server_private_bytes(program.pid)
    finally:
        program.stop()


def _answers(port: int, path: str) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5).ok
    except requests.ConnectionError:
        return False


def _beside(found: dict[str, list[float]]) -> dict[str, float]:
    bridge, bare = median(found["bridge"]), median(found["bare"])
    return {"bridge": round(bridge, 3), "bare": round(bare, 3), "ratio": round(bridge / bare, 3)}


def main() -> None:
    """Measure and print."""
    found: dict[str, Any] = measure()
    for what, figures in found.items():
        print(f"{what:8}", *(f"{key} {value:,g}" for key, value in figures.items()))


if __name__ == "__main__":
    main()

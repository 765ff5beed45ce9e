"""A durable handoff beside what one writes without the bridge, in one run: ``make bench``.

Each of 64 conversations at a time asks for a person; the gateway answers after 0, 50 and 200 ms.
Printed are turns a second and the ratio to each baseline that ran with it, never a verdict: the
numbers are the machine's, the ratios are the program's. The baselines store nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, assignment, free_port, turn

CONVERSATIONS = 64
DELAYS = (0, 50, 200)  # milliseconds of the gateway
SECONDS = 6.0  # about, for each program and delay
_AGENT = "291"


def main() -> None:
    """Run everything and print the table."""
    print(
        f"{'gateway':>8} {'bridge':>10} {'pooled':>10} {'plain':>10}   bridge/pooled bridge/plain"
    )
    for delay in DELAYS:
        bridge = _bridge(delay, _turns(delay, quickest=500))
        pooled = _baseline("pooled", delay, _turns(delay, quickest=900))
        plain = _baseline("plain", delay, 64 if delay else 1000)
        print(
            f"{delay:>5} ms {bridge:>8.0f}/s {pooled:>8.0f}/s {plain:>8.0f}/s"
            f" {bridge / pooled:>14.2f} {bridge / plain:>12.2f}"
        )


def _turns(delay: int, *, quickest: int) -> int:
    most = CONVERSATIONS / (delay / 1000) if delay else quickest
    return int(min(most, quickest) * SECONDS)


def _bridge(delay: int, count: int) -> float:
    with Simulator("--record", "none", "--delay-ms", str(delay)) as gateway, _folder() as folder:
        guid = gateway.sign_in(_AGENT)
        settings: dict[str, Any] = {
            "gateway": {"url": gateway.url},
            "agents": {"*": {}},
            "delivery": {"wait": 30, "workers": CONVERSATIONS},
        }
        with ActionServer(folder, bridge=settings) as server:
            server.put(f"/bridge/sessions/{_AGENT}", json={"guid": guid})
            for name in [*_names("warm", CONVERSATIONS * 2), *_names("s", count)]:
                server.put(f"/bridge/assignments/{name}", json=assignment(call_id=name))
            rate = _load(server.port, folder, count)
        assert gateway.count("messages") == count + CONVERSATIONS * 2
        return rate


def _baseline(which: str, delay: int, count: int) -> float:
    with Simulator("--record", "none", "--delay-ms", str(delay)) as gateway, _folder() as folder:
        guid = gateway.sign_in(_AGENT)
        port = free_port()
        command = [sys.executable, "-m", "rasa_sdk", "-p", str(port)]
        environ = {
            **os.environ,
            "SANIC_HOST": "127.0.0.1",
            "BENCH_GATEWAY": gateway.url,
            "BENCH_GUID": guid,
        }
        process = subprocess.Popen(
            [*command, "--actions", f"tests.bench.baseline_{which}"],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _await(port)
            rate = _load(port, folder, count)
        finally:
            process.terminate()
            process.wait(60)
        assert gateway.count("messages") == count + CONVERSATIONS * 2
        return rate


def _load(port: int, folder: Path, count: int) -> float:
    """Turns a second, after a warm-up."""
    for name, number in (("warm", CONVERSATIONS * 2), ("s", count)):
        bodies = folder / f"{name}.jsonl"
        bodies.write_text("".join(json.dumps(turn(each)) + "\n" for each in _names(name, number)))
        given = {"port": port, "bodies": str(bodies), "conversations": CONVERSATIONS}
        run = subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        told = json.loads(run.stdout)
        assert told["answers"] == {"200": number}, told["answers"]
    return float(count / told["seconds"])


def _names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def _await(port: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise TimeoutError(port)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()

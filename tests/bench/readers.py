"""What reading agents' events costs one process: ``python -m tests.bench.readers [AGENTS ...]``.

Each run signs the agents in at a simulated gateway, whose polls without an event last ten seconds
as the platform's do, and then looks at this process: first with polls alone, then with events.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

from bridge.config.settings import BridgeSettings
from tests.gateway.rig import SIGN_IN, Rig, settings, until
from tests.simulator.harness import Simulator

FIRST = 1000
SECONDS = 20.0
EVENTS = 20  # per second, over all agents


def chosen(url: str, agents: int) -> BridgeSettings:
    """``bridge.yml`` with so many readers."""
    entries = {str(FIRST + number): {**SIGN_IN, "reader": True} for number in range(agents)}
    return settings(url, agents=entries, gateway={"poll_pause": 0.3})


def cpu() -> float:
    """Return the seconds of CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory() -> float:
    """Return the resident memory of this process in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measured(agents: int) -> str:
    """Return a line of the table."""
    with (
        Simulator("--poll-seconds", "10", "--record", "none") as gateway,
        tempfile.TemporaryDirectory() as folder,
    ):
        before = memory()
        with Rig(f"sqlite:///{folder}/bridge.db", chosen(gateway.url, agents)) as rig:
            began = time.monotonic()
            until(lambda: _signed_in(rig, agents), seconds=120)
            signed_in = time.monotonic() - began
            time.sleep(2)
            threads = threading.active_count()
            idle, start = cpu(), time.monotonic()
            time.sleep(SECONDS)
            idle = (cpu() - idle) / (time.monotonic() - start)
            busy, start, sent = cpu(), time.monotonic(), 0
            while (passed := time.monotonic() - start) < SECONDS:
                if sent < passed * EVENTS:
                    agent = str(FIRST + sent % agents)
                    gateway.event(agent, "AgentEvent_Hold", {"callid": f"c-{sent}"})
                    sent += 1
                else:
                    time.sleep(0.01)
            busy = (cpu() - busy) / (time.monotonic() - start)
            used = memory() - before
            return (
                f"| {agents} | {signed_in:.1f} s | {threads} | {idle:.1%} | {busy:.1%}"
                f" | {used:.0f} MB |"
            )


def _signed_in(rig: Rig, agents: int) -> bool:
    return len(rig.core._polls.agents) == agents


def main() -> None:
    """Print a table."""
    print(
        "| readers | all signed in after | threads | CPU, no events | CPU, 20 events/s | memory |"
    )
    print("|---|---|---|---|---|---|")
    for agents in [int(each) for each in sys.argv[1:]] or [100, 300]:
        print(measured(agents), flush=True)


if __name__ == "__main__":
    main()

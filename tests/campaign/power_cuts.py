"""An action server whose processes are killed again and again while customers and agents go on.

Each conversation is a customer's wish for a person and the agent's replies, one after the other;
whoever asked and got no answer asks the same again, as Rasa's caller and an agent's desktop would.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.campaign.customer import Seen, seen
from tests.simulator.harness import Simulator
from tests.web import family
from tests.web.serving import API_TOKEN, WELCOME, ActionServer, assignment, turn

LANES = 24  # conversations at a time
PATIENCE = 400.0  # seconds for the whole campaign: a busy machine takes its time
ALL = "all"
KILLS = (ALL, *family.ROLES)
STOPS: Mapping[str, tuple[signal.Signals, bool]] = {
    f"{number.name} to {'the group' if whole else 'main'}": (number, whole)
    for number in (signal.SIGTERM, signal.SIGINT)
    for whole in (False, True)
}
_AGAIN = 0.02  # seconds until an unanswered request is made again
_GONE = 15.0  # seconds; a worker that was just starting ends once it runs


@dataclass
class Campaign:
    """So many messages, and so many blows at random moments among them.

    Attributes:
        blows: how many; each of ``kinds`` by turns, in a random order.
        kinds: ``KILLS``, ``kill -9`` of one of the server's processes or of all at once; or
            ``STOPS``, a signal that tells it to stop.
        again: requests that got no answer at first, and were made again.
        struck: what was killed, or how it was told to stop, in this order.
        longest_end: seconds from the main process's death until none of its processes was left.
        longest_stop: seconds from a signal until the server had ended.
    """

    folder: Path
    storage: str
    messages: int
    blows: int
    seed: int
    kinds: tuple[str, ...] = KILLS
    each: int = 20  # messages of a conversation
    again: int = 0
    struck: list[str] = field(default_factory=list)
    longest_end: float = 0.0
    longest_stop: float = 0.0
    seconds: float = 0.0
    _answered: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, gateway: Simulator) -> Seen:
        """Run it; what the customers saw in the end."""
        began = time.monotonic()
        bridge = {
            "gateway": {"url": gateway.url},
            "storage": {"url": self.storage},
            "delivery": {"wait": 2, "expire_after": 600},
        }
        with ActionServer(self.folder, bridge=bridge) as server:
            with ThreadPoolExecutor(LANES) as lanes:
                talks = [
                    lanes.submit(self._talk, server, number)
                    for number in range(self.messages // self.each)
                ]
                self._kill(server, talks)
                for each in talks:
                    each.result()
            gateway.wait_for(messages=self.messages, timeout=60)
            server.until(lambda: self._is_done(server))
            found = seen(gateway)
        self.seconds = time.monotonic() - began
        return found

    def said(self, number: int) -> list[str]:
        """What the customer of a conversation is to read, in order."""
        return [WELCOME, *(f"{number}: reply {count}" for count in range(1, self.each))]

    def told(self, found: Seen) -> str:
        """The figures, in a line."""
        return (
            f"{found.count} messages delivered, {self.blows} blows ({', '.join(self.struck)}),"
            f" {found.resends} resends under the same code, {self.again} requests made again,"
            f" {self.seconds:.0f} s (seed {self.seed})"
        )

    # -- the clients -----------------------------------------------------------------------------

    def _talk(self, server: ActionServer, number: int) -> None:
        call, sender = f"call-{number}", f"customer-{number}"
        with requests.Session() as http:
            http.trust_env = False
            http.headers["Authorization"] = f"Bearer {API_TOKEN}"
            path = f"/bridge/assignments/{sender}"
            self._ask(http, server, "PUT", path, assignment(call_id=call))
            wish = turn(sender)
            wish["tracker"]["latest_message"]["message_id"] = f"message-{number}"
            self._ask(http, server, "POST", "/webhook", wish)
            self._count()
            for count, text in enumerate(self.said(number)[1:]):
                body = {"text": text, "client_id": f"{number}-{count}"}
                self._ask(http, server, "POST", f"/bridge/calls/{call}/replies", body)
                self._count()

    def _ask(
        self, http: requests.Session, server: ActionServer, method: str, path: str, body: Any
    ) -> None:
        """Ask until there is an answer; a 503 says that the server has only begun to start."""
        until = time.monotonic() + PATIENCE
        broken = 0
        while True:
            try:
                answer = http.request(method, server.url + path, json=body, timeout=15)
                if answer.ok:
                    return
                assert answer.status_code in (429, 503), answer.text
            except requests.RequestException:
                broken += 1
                with self._lock:
                    self.again += broken == 1
            assert time.monotonic() < until, "the campaign takes too long"
            time.sleep(_AGAIN)

    def _count(self) -> None:
        with self._lock:
            self._answered += 1

    # -- the kills -------------------------------------------------------------------------------

    def _kill(self, server: ActionServer, talks: list[Future[None]]) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - dice
        share = self.messages / (self.blows + 1)
        kinds: list[str] = []
        for number in range(1, self.blows + 1):
            at = (number - chance.random()) * share
            self._until(lambda at=at: self._answered >= at, talks)  # type: ignore[misc]
            time.sleep(chance.random() * 0.2)
            if not kinds:
                kinds = chance.sample(self.kinds, len(self.kinds))
            kind = kinds.pop()
            self.struck.append(kind)
            if kind in STOPS:
                signalled, whole_group = STOPS[kind]
                self._stop(server, signalled, whole_group=whole_group)
            else:
                self._kill_one(server, kind)

    def _kill_one(self, server: ActionServer, victim: str) -> None:
        """``kill -9``; what is not started again by the server is started again."""
        if victim == ALL:
            server.kill()
        else:
            running = family.pids(server)
            pid = family.kill(server, victim)
            if victim != "main":
                family.seconds_until_gone({pid: running.get(pid, "")}, 0, within=5)
                return
            self.longest_end = max(
                self.longest_end, family.seconds_until_gone(running, server.port, within=_GONE)
            )
            server.ended()
        server.start()

    def _stop(self, server: ActionServer, number: signal.Signals, *, whole_group: bool) -> None:
        """Tell it to stop as a service manager or a terminal does, and start it again."""
        began = time.monotonic()
        pid = server.process.pid
        (os.killpg if whole_group else os.kill)(pid, number)
        assert server.finish() == 0, server.log()[-5000:]
        self.longest_stop = max(self.longest_stop, time.monotonic() - began)
        assert "Traceback" not in server.log()
        server.start()

    def _until(self, met: Callable[[], bool], talks: list[Future[None]]) -> None:
        until = time.monotonic() + PATIENCE
        while not met():
            for each in talks:
                if each.done():
                    each.result()  # a client that failed says why
            assert time.monotonic() < until, "the campaign takes too long"
            time.sleep(0.005)

    @staticmethod
    def _is_done(server: ActionServer) -> bool:
        """Whether nothing is left to be sent; one that was just killed may not answer yet."""
        answer = server.get("/bridge/deliveries", params={"state": "waiting,sending"})
        return answer.ok and not answer.json()["items"]

"""Run the demo: start the servers, play the scenes, compare, and end everything."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bridge import config
from bridge.cli.demo import expectations
from bridge.cli.demo.faults import DemoError
from bridge.cli.demo.scenes import AGENT, SCENES
from bridge.cli.demo.screen import Screen
from bridge.cli.demo.servers import Servers
from bridge.cli.demo.stage import Stage
from bridge.cli.demo.visitor import SOFIA, Visitor
from bridge.cli.peers import JsonObject, Peer, PeerError

WELL, BADLY, NOT_RUN, INTERRUPTED = 0, 1, 2, 130  # exit codes
_LOOK_EVERY = 0.5  # seconds
_END_SIGNALS = ("SIGTERM", "SIGHUP")  # the latter: the terminal was closed


def perform(
    screen: Screen,
    *,
    keep: bool = False,
    record: Path | None = None,
    before: Callable[[Peer], None] | None = None,
) -> int:
    """Run the demo and return its exit code.

    Args:
        screen: where to print.
        keep: leave both servers up afterwards, with a customer who writes, until Ctrl-C.
        record: a file for the record, as JSON.
        before: called before the first scene, so that a test can give the gateway a fault.
    """
    try:
        with _signals_interrupt(), Servers() as servers:
            try:
                code = _perform(screen, servers, record, before)
            except (DemoError, PeerError) as error:
                screen.trouble(str(error))
                code, keep = NOT_RUN, False
            if code != WELL:
                for program in servers.programs:
                    screen.log(program.name, program.written())
            if keep:
                _stay(screen, servers)
            return code
    except KeyboardInterrupt:
        return INTERRUPTED


def _perform(
    screen: Screen,
    servers: Servers,
    record: Path | None,
    before: Callable[[Peer], None] | None,
) -> int:
    began = time.monotonic()
    screen.opening()
    with screen.waiting():
        servers.start()
    seconds = time.monotonic() - began
    screen.addresses(servers.gateway.url, servers.bridge.url, seconds)
    if before is not None:
        before(servers.gateway)
    happened = _play(screen, servers)
    if record is not None:
        _write(record, happened)
    checked = expectations.compare(happened, expectations.load())
    screen.verdict(checked, time.monotonic() - began)
    return WELL if checked and all(check.held for check in checked) else BADLY


def _play(screen: Screen, servers: Servers) -> JsonObject:
    settings = config.load(servers.configuration, environ={})
    stage = Stage(servers.gateway, servers.bridge, settings)
    for scene in SCENES:
        screen.scene(scene, stage.play(scene))
    return stage.record()


def _write(record: Path, happened: JsonObject) -> None:
    written = json.dumps(happened, ensure_ascii=False, indent=1)
    try:
        record.write_text(f"{written}\n", encoding="utf-8")
    except OSError as error:
        raise DemoError(f"{record} cannot be written: {error.strerror}") from error


def _stay(screen: Screen, servers: Servers) -> None:
    try:
        visitor = Visitor(servers.gateway, servers.bridge)
        visitor.arrive()
        token = servers.bridge.expect("POST", "/bridge/tokens", {"agent_id": AGENT})["token"]
        page = f"{servers.bridge.url}/inbox?callid={SOFIA.call_id}#token={token}"
        screen.kept(servers.gateway.url, servers.bridge.url, str(servers.token_file))
        screen.page(SOFIA.name, page)
        while servers.dead() is None:
            time.sleep(_LOOK_EVERY)
            visitor.act()
    except KeyboardInterrupt:
        return
    except (DemoError, PeerError) as error:
        screen.trouble(str(error))
    if dead := servers.dead():
        screen.trouble(f"the {dead.name} ended")
        screen.log(dead.name, dead.written())


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Treat the signals that end a program as Ctrl-C, so that the servers are ended too."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in _END_SIGNALS if hasattr(signal, name)]
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)

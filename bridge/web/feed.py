"""The event stream of one worker: follows the log of changes and hands it to many readers.

The worker reads each change once, renders it once, and keeps the last few thousand events for its
readers. A reader has only a position. One that is further behind than the kept events, because it
reads slowly or was away, catches up from the store. The core announces what it commits; what other
machines commit reaches it as a notification, and is looked for about once a second in any case.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from typing import Any

from bridge.errors import BridgeError, RefusedError
from bridge.model import Delivery, Suggestion, SuggestionState
from bridge.queries import ChangedRow
from bridge.runtime import Runtime
from bridge.state.commands import NotePresence
from bridge.state.records import PRESENCE_EVERY, AssignmentRecord, MessageRecord
from bridge.unexpected import Unexpected
from bridge.web import serializers
from bridge.web.api import assist
from bridge.web.auth import Principal, PrincipalKind
from bridge.web.schemas import Body

logger = logging.getLogger(__name__)

HEARTBEAT = 15.0  # seconds without an event after which a comment is sent
CHECK = 3.0  # seconds between checks of a reader's token
_KEPT = 4096  # events kept for the readers of a worker
_IDS_PER_CHANGE = 4  # a change has three events at most
_PAGE = 500  # entries of the log per query
_RETRY = b"retry: 1000\n"  # milliseconds after which a browser reconnects
_AGAIN = 1.0  # seconds before the store or the core is asked again after a failure
MOST = 1000  # streams of a worker
MOST_OF_A_PERSON = 10  # streams per token of an agent or a supervisor


@dataclass(frozen=True, slots=True)
class Event:
    """The events of one change, as they are sent.

    Attributes:
        agent_id: the agent whose it is; "" for everybody's.
        alone: whether it is for this agent alone: another agent has the call now.
    """

    seq: int
    agent_id: str
    alone: bool
    block: bytes

    def is_for(self, principal: Principal) -> bool:
        """Return whether a reader may see the event."""
        if principal.kind is PrincipalKind.AGENT:
            return self.agent_id in ("", principal.agent_id)
        return not self.alone


class Feed:
    """All streams of this worker. Belongs to its event loop.

    Args:
        opened: returns the runtime, or raises RefusedError while it is being opened.
        kept: number of events kept in memory.
    """

    def __init__(self, opened: Callable[[], Runtime], *, kept: int = _KEPT) -> None:
        self._opened = opened
        self._kept = kept
        self._events: deque[Event] = deque()
        self._floor = 0  # everything after it is in ``_events``
        self._position = 0  # up to here the log was read
        self._known = 0  # highest number that the core announced
        self._news = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._readers: Counter[str] = Counter()
        self._presences: dict[str, float] = {}  # when the presence of agents was last recorded
        self._recording: set[asyncio.Task[None]] = set()
        self._closed = False
        self._failed = False

    # -- readers -----------------------------------------------------------------------------------

    @contextmanager
    def entered(self, token: str, principal: Principal) -> Iterator[None]:
        """Count a reader while it reads.

        Raises:
            RefusedError: 429 if the token, or this worker, has too many streams.
        """
        person = principal.kind is not PrincipalKind.SYSTEM
        if person and self._readers[token] >= MOST_OF_A_PERSON:
            message = f"this token has {MOST_OF_A_PERSON} streams open already; close one of them"
            raise RefusedError(429, "too_many_streams", message)
        if self._readers.total() >= MOST:
            message = f"{MOST} streams are open already; try again later"
            raise RefusedError(429, "too_many_streams", message)
        self._readers[token] += 1
        try:
            yield
        finally:
            self._readers[token] -= 1
            if not self._readers[token]:
                del self._readers[token]
            if not self._readers:
                self._stop()

    async def begin(self, last: int | None) -> tuple[int, bytes]:
        """Return the position at which a reader begins, and the first block for it.

        Args:
            last: the ID of the last event that the reader has; None for a new one.
        """
        bounds = await self._read(lambda bridge: bridge.changes.bounds())
        await self._start(bounds.newest)
        if last is None:
            return bounds.newest, _RETRY + _mark(bounds.newest)
        position = last // _IDS_PER_CHANGE
        if bounds.covers(position):
            return position, _RETRY + _mark(position)
        data = {"reason": "the position is not in the log: read the lists again"}
        return bounds.newest, _RETRY + _block(_id(bounds.newest), "reset", data)

    async def blocks(
        self,
        position: int,
        principal: Principal,
        check: Callable[[], Awaitable[object]],
    ) -> AsyncGenerator[bytes, None]:
        """Yield what to send to a reader, until its token is no longer valid or the worker stops.

        Args:
            position: where the reader begins.
            principal: the reader, whose rights decide about each event.
            check: raises RefusedError when the token is no longer valid.
        """
        clock = asyncio.get_running_loop().time
        checked = sent = clock()
        while not self._closed:
            self._hear(principal)
            news = self._news
            events, position = await self._after(position)
            if blocks := [event.block for event in events if event.is_for(principal)]:
                yield b"".join(blocks)
                sent = clock()
            if clock() - checked >= CHECK:
                try:
                    await check()
                except RefusedError:
                    return
                except BridgeError:
                    logger.debug("A stream's token cannot be checked while the store is away")
                checked = clock()
            if clock() - sent >= HEARTBEAT:
                yield b": heartbeat\n" + _mark(position)
                sent = clock()
            if position >= self._position:
                with suppress(asyncio.TimeoutError):
                    until = min(checked + CHECK, sent + HEARTBEAT)
                    await asyncio.wait_for(news.wait(), max(0.01, until - clock()))

    def _hear(self, principal: Principal) -> None:
        """Record, now and then, that an agent reads: automatic replies may depend on it.

        All windows of an agent on this worker count as one.
        """
        agent_id, now = principal.agent_id, asyncio.get_running_loop().time()
        if agent_id is None or now - self._presences.get(agent_id, -inf) < PRESENCE_EVERY:
            return
        self._presences[agent_id] = now
        task = asyncio.create_task(self._record(agent_id))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _record(self, agent_id: str) -> None:
        with suppress(BridgeError):  # a later one may succeed in time
            await self._opened().core.ask(NotePresence(agent_id=agent_id), seconds=PRESENCE_EVERY)

    async def _after(self, position: int) -> tuple[list[Event], int]:
        """Return the events after a position, and the position that is reached with them."""
        if position >= self._floor:
            events: list[Event] = []
            for event in reversed(self._events):
                if event.seq <= position:
                    break
                events.append(event)
            return events[::-1], max(position, self._position)
        try:
            found, reached, _ = await self._page(position)
        except BridgeError:
            await asyncio.sleep(_AGAIN)
            return [], position
        # What is missing from the log was erased.
        return found, reached if reached > position else self._floor

    # -- following the log -------------------------------------------------------------------------

    async def _start(self, newest: int) -> None:
        if self._following is not None and not self._following.done():
            return
        self._events.clear()
        self._floor = self._position = self._known = newest
        self._following = asyncio.create_task(self._follow())

    def _stop(self) -> None:
        """Stop following the log, because nobody reads."""
        self._presences.clear()
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def close(self) -> None:
        """End all streams: the worker stops."""
        self._closed = True
        for task in self._recording:
            task.cancel()
        self._stop()
        self._wake()

    async def _follow(self) -> None:
        while not self._closed:
            try:
                known = await self._opened().core.changed(max(self._known, self._position))
                await self._catch_up()
            except BridgeError as error:
                if not self._failed:
                    logger.warning("The event stream cannot be read, trying again: %s", error)
                self._failed = True
                await asyncio.sleep(_AGAIN)
                continue
            self._failed = False
            self._known = max(self._known, known)

    async def _catch_up(self) -> None:
        full = True
        while full:
            events, reached, full = await self._page(self._position)
            self._events.extend(events)
            while len(self._events) > self._kept:
                self._floor = self._events.popleft().seq
            if reached > self._position:
                self._position = reached
                self._wake()

    async def _page(self, position: int) -> tuple[list[Event], int, bool]:
        def query(bridge: Runtime) -> tuple[list[Event], int, bool]:
            page = bridge.changes.after(position, limit=_PAGE)
            return list(_events(page.rows, bridge)), page.position, page.full

        page: tuple[list[Event], int, bool] = await self._read(query)
        return page

    async def _read(self, query: Callable[[Runtime], Any]) -> Any:
        bridge = self._opened()
        return await asyncio.get_running_loop().run_in_executor(bridge.pool, query, bridge)

    def _wake(self) -> None:
        """Wake all readers."""
        news, self._news = self._news, asyncio.Event()
        news.set()


# -- rendering -------------------------------------------------------------------------------------


def _events(rows: Iterable[ChangedRow], bridge: Runtime) -> Iterator[Event]:
    for row in rows:
        # An event that cannot be rendered must not stop the others.
        with Unexpected(logger, "An event cannot be rendered: %s kind=%s", row.change.kind.value):
            yield _event(row, bridge)


def _event(row: ChangedRow, bridge: Runtime) -> Event:
    change, value = row.change, row.value
    alone = isinstance(value, AssignmentRecord) and value.assignment.agent_id != change.agent_id
    bodies = list(_bodies(row, bridge))
    first = _id(change.seq) - len(bodies) + 1
    blocks = (_block(first + n, name, body.dump()) for n, (name, body) in enumerate(bodies))
    return Event(change.seq, change.agent_id, alone, b"".join(blocks))


def _bodies(row: ChangedRow, bridge: Runtime) -> Iterator[tuple[str, Body]]:
    """Yield the events of one change: a message may also change its call's ``waiting_since``.

    So may a suggestion that was copied.
    """
    change, value = row.change, row.value
    if isinstance(value, AssignmentRecord):
        yield "call", serializers.call_of(value, change.agent_id, change.at)
    elif isinstance(value, Suggestion):
        yield "suggestion", serializers.suggestion(value)
    elif isinstance(value, Delivery):
        yield "delivery", serializers.delivery(value)
        words = None if value.erased_at else bridge.composer.plain(value)
        yield "message", serializers.sent(value, words)
    elif isinstance(value, MessageRecord):
        yield "message", serializers.message(value)
    else:
        yield "assist", assist.in_force(bridge)
    copied = isinstance(value, Suggestion) and value.state is SuggestionState.COPIED
    answers = copied or isinstance(value, (Delivery, MessageRecord))
    if answers and row.call is not None and row.call.assignment.agent_id == change.agent_id:
        yield "call", serializers.call(row.call)


def _id(seq: int) -> int:
    """Return the ID of a change's last event.

    A reader that has only the events before it resumes at the change, and gets all of them again.
    """
    return seq * _IDS_PER_CHANGE


def _block(event_id: int, event: str, data: dict[str, Any]) -> bytes:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"id: {event_id}\nevent: {event}\ndata: {text}\n\n".encode("utf-8", "replace")


def _mark(seq: int) -> bytes:
    """Return a block that is no event: it sets the reader's last ID."""
    return f"id: {_id(seq)}\n\n".encode()

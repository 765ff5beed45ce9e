"""What stores and loads in these tests: a core by hand, one transaction at a time.

    keep(store, deliveries=[delivery(1)])      # rows as they are, past every planner
    machine = Machine(store)
    machine.do(SendReply(...))                 # load, plan, commit, as the core does

With ``halted`` a transaction stands still once everything is written, so that a test can see what
another machine does meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import event

from bridge.config.media import MediaSettings
from bridge.config.settings import BridgeSettings, HandoffSettings
from bridge.core.clock import Clock
from bridge.core.core import Core
from bridge.errors import FinalError, GatewayError, UnknownOutcomeError
from bridge.model import AgentId, Delivery, DeliveryState, Guid
from bridge.planners import PLANNERS, Rules
from bridge.state.commands import ClaimDeliveries, ClaimUpdates, Command, SendingResult
from bridge.state.plan import UNANSWERED, Plan, Send, SendUpdate, Written
from bridge.state.records import RasaUpdate, SessionRecord, SessionState
from bridge.state.snapshot import Process, Snapshot
from bridge.store import Loader, Store, write
from bridge.store.statements import Transaction
from bridge.translate import Translator
from tests.making import NOW

SECONDS = 15.0  # what is awaited comes within milliseconds
GUID = Guid("guid.AgentGateway0")
HOLD: Mapping[str, Any] = {"delivery": {"uncertain": "hold"}}


def rules(**changes: Any) -> Rules:
    """The rules of an installation with its defaults, unless ``changes`` say otherwise."""
    given: dict[str, Any] = {
        "gateway": {"url": "http://127.0.0.1:9"},
        "agents": {"*": {"session": "pushed"}},
        "channel_config_ids": {"WEB": "202301032048582419"},
        "rasa": {"url": "http://127.0.0.1:9"},
    }
    settings = BridgeSettings.model_validate({**given, **changes})
    return Rules.of(settings, HandoffSettings(), Translator(MediaSettings()))


def keep(store: Store, **rows: Sequence[Any]) -> None:
    """Store rows, such as ``deliveries=[...]``, as they are."""
    with store.transaction() as tx:
        keep_in(tx, **rows)


def keep_in(tx: Transaction, **rows: Sequence[Any]) -> None:
    """The same in a transaction of the test's own."""
    values: dict[str, Any] = {name: tuple(items) for name, items in rows.items()}
    plan = Plan(**values)
    write(tx, Snapshot(Process("a test")).after(plan), [plan])


def signed_in(agent_id: str, **changes: Any) -> SessionRecord:
    """A session with a GUID that is good."""
    made = SessionRecord(
        AgentId(agent_id),
        GUID,
        SessionState.SIGNED_IN,
        ours=False,
        generation=1,
        renewed_at=NOW,
    )
    return replace(made, **changes)


@contextmanager
def reading(store: Store) -> Iterator[list[str]]:
    """How the engine goes about what is asked meanwhile, step by step."""
    steps: list[str] = []
    explain = "EXPLAIN QUERY PLAN" if store.dialect == "sqlite" else "EXPLAIN"

    def look(connection: Any, _cursor: object, statement: str, given: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            rows = connection.connection.cursor().execute(f"{explain} {statement}", given)
            steps.extend(str(row[-1]) for row in rows.fetchall())

    event.listen(store._reading, "before_cursor_execute", look)
    yield steps
    event.remove(store._reading, "before_cursor_execute", look)


@contextmanager
def working(url: str, clock: Clock | None = None, chosen: Rules | None = None) -> Iterator[Core]:
    """A core without senders at work on a database."""
    with (
        closing(Store(url)) as store,
        closing(Core(store, chosen or rules(), clock=clock)) as core,
    ):
        core.start()
        yield core


class Machine:
    """One machine's core without its loop; every command is a batch of its own.

    Args:
        backlog: what is due waits for a free sender, so that nothing is claimed but by a claim.
    """

    def __init__(
        self,
        store: Store,
        name: str = "here",
        *,
        chosen: Rules | None = None,
        backlog: bool = False,
        dead: Callable[[str], bool] = lambda _holder: False,
    ) -> None:
        self._store = store
        self._rules = chosen or rules(**HOLD)
        self._process = Process(name, free=16, backlog=backlog)
        self._dead = dead
        self.snapshot = Snapshot(self._process)
        self.plan = Plan()

    # -- commands ------------------------------------------------------------------------------

    def do(self, command: Command, *, now: float = NOW) -> Any:
        """Load, plan and commit one command; its answer."""
        with self._store.transaction() as tx:
            return self.do_in(tx, command, now=now)

    def do_in(self, tx: Transaction, command: Command, *, now: float = NOW) -> Any:
        """The same in a transaction of the test's own."""
        loader = Loader(tx, self._process, {}, now, self._dead)
        snapshot = loader.load(command.needs())
        plan = PLANNERS[type(command)](snapshot, command, self._rules, now)
        written = write(tx, snapshot.after(plan), [plan]) if plan.writes else Written()
        self.snapshot, self.plan = snapshot, plan
        if plan.finish is not None:
            return plan.finish(written)
        return None if plan.answer is UNANSWERED else plan.answer

    @contextmanager
    def halted(self, command: Command, *, now: float = NOW) -> Iterator[None]:
        """Do a command in a thread; its transaction is not over until the end."""
        done, go = threading.Event(), threading.Event()
        failed: list[BaseException] = []

        def run() -> None:
            try:
                with self._store.transaction() as tx:
                    self.do_in(tx, command, now=now)
                    done.set()
                    assert go.wait(SECONDS)
            except BaseException as error:  # noqa: BLE001 - told in the test's thread
                failed.append(error)
                done.set()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert done.wait(SECONDS)
        try:
            yield
        finally:
            go.set()
            thread.join(SECONDS)
        assert failed == []

    # -- deliveries ----------------------------------------------------------------------------

    @property
    def begun(self) -> list[Delivery]:
        """What the last command claimed, in order."""
        return [
            self.snapshot.deliveries[effect.message_code]
            for effect in self.plan.effects
            if isinstance(effect, Send)
        ]

    def claim(self, at: float = NOW, *, limit: int = 10, **held: Any) -> list[Delivery]:
        """Claim what is due."""
        self.do(ClaimDeliveries(limit=limit, **held), now=at)
        return self.begun

    def complete(
        self, sent: Delivery, state: DeliveryState, code: str = "", *, at: float = NOW
    ) -> list[Delivery]:
        """Let an attempt have come to this; what is claimed in the same breath."""
        error: GatewayError | None = None
        if state is DeliveryState.FAILED:
            error = FinalError("refused", retcode=code)
        elif state is DeliveryState.UNCERTAIN:
            error = UnknownOutcomeError("nobody knows")
        self.do(SendingResult(delivery=sent, guid=GUID, error=error), now=at)
        return self.begun

    @property
    def next_due(self) -> float | None:
        """When the last claim says that something can be claimed next."""
        times = [at for at in (self.plan.due, self.snapshot.next_due) if at is not None]
        return min(times, default=None)

    # -- Rasa's updates ------------------------------------------------------------------------

    def claim_updates(self, at: float = NOW, *, limit: int = 4) -> list[RasaUpdate]:
        """Claim what Rasa is to be told."""
        self.do(ClaimUpdates(limit=limit, domain_asked=True), now=at)
        return self.told

    @property
    def told(self) -> list[RasaUpdate]:
        """What the last command claimed of it."""
        return [
            self.snapshot.updates[effect.update_id]
            for effect in self.plan.effects
            if isinstance(effect, SendUpdate)
        ]


class Waiting:
    """A piece of work in a thread of its own, which may have to wait for another machine."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - told by ``result``
            self._error = error

    @property
    def waits(self) -> bool:
        """Whether it is not done after a while."""
        self._thread.join(0.3)
        return self._thread.is_alive()

    def result(self) -> Any:
        """What it came to."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self._result

"""The log of changes: in the order of the commits, bounded, and for those whose calls they are."""

from __future__ import annotations

import threading
from contextlib import closing, suppress

import pytest

from bridge.core.core import Core
from bridge.model import AgentId, Owner
from bridge.planners.offering import SWITCH
from bridge.state.commands import AssignCall, PruneChanges, SendReply, SetSwitch
from bridge.state.records import CHANGES_KEPT, CHANGES_PRUNED, Change, ChangeKind
from bridge.store import Store, changes
from tests.core.clock import HeldClock
from tests.making import NOW, assignment

CALL = assignment().call_id
PATIENCE = 20.0  # seconds; what is awaited comes within milliseconds


def change(item: str = "a", agent_id: str = "") -> Change:
    return Change(ChangeKind.CALL, item, agent_id=agent_id)


def append(store: Store, *items: str, at: float = NOW) -> int:
    with store.transaction() as tx:
        return changes.append(tx, [change(item) for item in items], at)


def listed(store: Store, position: int = 0) -> list[Change]:
    return store.read(lambda tx: changes.after(tx, position, limit=10_000))


def told(store: Store, position: int = 0) -> list[tuple[str, str, str]]:
    """Kind, item and agent of each change."""
    return [(each.kind.value, each.item, each.agent_id) for each in listed(store, position)]


def test_an_empty_log_has_no_numbers(store: Store) -> None:
    bounds = store.read(changes.bounds)
    assert (bounds.oldest, bounds.newest) == (0, 0)
    assert bounds.covers(0)
    assert not bounds.covers(1)  # of another database


def test_changes_are_numbered_in_order(store: Store) -> None:
    last = append(store, "a", "b")
    again = append(store, "c")
    assert [each.item for each in listed(store)] == ["a", "b", "c"]
    assert again > last
    assert [each.item for each in listed(store, last)] == ["c"]
    assert store.read(changes.bounds).covers(last)


def test_what_is_rolled_back_is_not_in_the_log(store: Store) -> None:
    first = append(store, "a")
    with suppress(KeyError), store.transaction() as tx:
        changes.append(tx, [change("lost")], NOW)
        raise KeyError
    last = append(store, "b")
    assert [each.item for each in listed(store, first)] == ["b"]
    assert last > first


def test_no_number_appears_after_a_higher_one(store: Store, store_url: str) -> None:
    """A transaction that has drawn its numbers keeps others from drawing theirs until it ends."""
    second_is_done = threading.Event()
    with closing(Store(store_url)) as other:

        def second() -> None:
            append(other, "second")
            second_is_done.set()

        with store.transaction() as tx:
            changes.append(tx, [change("first")], NOW)
            thread = threading.Thread(target=second)
            thread.start()
            assert not second_is_done.wait(0.3)
            assert listed(store) == []
        thread.join(PATIENCE)
    assert [each.item for each in listed(store)] == ["first", "second"]


def test_old_changes_go(store: Store, core: Core, clock: HeldClock) -> None:
    now = clock.now()
    append(store, *("old" for _ in range(CHANGES_PRUNED + 1)), at=now - CHANGES_KEPT - 1)
    kept = append(store, "recent", at=now - CHANGES_KEPT + 5)
    assert core.call(PruneChanges()) == CHANGES_PRUNED
    assert core.call(PruneChanges()) == 1
    assert core.call(PruneChanges()) == 0
    assert [each.seq for each in listed(store)] == [kept]
    bounds = store.read(changes.bounds)
    assert bounds.covers(kept)
    assert bounds.covers(kept - 1)
    assert not bounds.covers(kept - 2)
    clock.move(CHANGES_KEPT)
    assert core.call(PruneChanges()) == 1
    assert append(store, "another") > kept


def test_each_row_that_changes_is_told_to_its_agent(store: Store, core: Core) -> None:
    core.call(AssignCall(assignment=assignment(), owner=Owner.AGENT))
    core.call(SendReply(call_id=CALL, text="Hello", client_id="1", agent_id="291"))
    assert told(store) == [("call", CALL, "291"), ("delivery", "1", "291")]
    position = listed(store)[-1].seq
    core.call(SetSwitch(name=SWITCH, value="off"))
    assert told(store, position) == [("assist", SWITCH, "")]


def test_the_former_agent_learns_that_a_call_is_gone(store: Store, core: Core) -> None:
    core.call(AssignCall(assignment=assignment(), owner=Owner.AGENT))
    core.call(SendReply(call_id=CALL, text="Hello", client_id="1", agent_id="291"))
    position = listed(store)[-1].seq
    core.call(AssignCall(assignment=assignment(agent_id=AgentId("295"))))
    found = told(store, position)
    assert found[:2] == [("call", CALL, "291"), ("call", CALL, "295")]
    kinds = {(kind, agent) for kind, _, agent in found[2:]}
    assert kinds == {("delivery", "291"), ("suggestion", "295")}  # failed there, offered here


def test_a_refused_command_changes_nothing(store: Store, core: Core) -> None:
    core.call(AssignCall(assignment=assignment(), owner=Owner.BOT))
    position = listed(store)[-1].seq
    with pytest.raises(Exception, match="the bot has this conversation"):
        core.call(SendReply(call_id=CALL, text="Hello", client_id="1", agent_id="291"))
    assert listed(store, position) == []


def test_only_the_last_change_of_each_row_is_looked_up() -> None:
    given = [change("a"), change("b"), change("a"), change("a", agent_id="291")]
    found = changes.newest_of_each(given)
    assert [(each.item, each.agent_id) for each in found] == [("b", ""), ("a", ""), ("a", "291")]

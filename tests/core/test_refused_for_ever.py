"""A result that the store refuses for ever is given up alone, and holds up nothing."""

from __future__ import annotations

import logging

import pytest

from bridge.core.unstorable import MOST_REFUSALS
from bridge.model import AgentId, DeliveryState, Guid, ReceivedEvent
from bridge.state.commands import PollResult
from bridge.store import Store, lists
from tests.core.rig import GUID, Making, Rig, reply, rules
from tests.gateway.rig import SIGN_IN

_PLPGSQL = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {} THEN"
    " RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$"
)


def refuse(store: Store, table: str, event: str, condition: str) -> None:
    """Let the database refuse rows, as a constraint would that somebody added."""
    with store.transaction() as tx:
        if store.dialect == "sqlite":
            tx.execute(
                f"CREATE TRIGGER refuse BEFORE {event} ON {table} WHEN {condition}"
                " BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            return
        tx.execute(_PLPGSQL.format(condition))
        tx.execute(
            f"CREATE TRIGGER refuse BEFORE {event} ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )


def live(rig: Rig, rounds: int) -> None:
    """Let time pass while other calls have messages, which the store takes."""
    for number in range(rounds):
        rig.clock.move(2.5)
        rig.do(reply("B", client_id=f"c-{number}"))
        rig.step()
        while rig.senders.sent:
            rig.complete()


def test_an_outcome_is_given_up_while_all_else_goes_on(
    make: Making, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    rig = make()
    rig.assign("A")
    rig.assign("B")
    rig.do(reply("A"))
    refuse(rig.store, "deliveries", "UPDATE", "NEW.call_id = 'A' AND NEW.state = 'delivered'")
    rig.complete()
    live(rig, 8 * MOST_REFUSALS)
    assert rig.core._refusals.pending == []
    a, *others = rig.all()
    assert a.state is DeliveryState.UNCERTAIN
    assert a.error is not None
    assert a.error.message == "its outcome could not be stored; the log says where"
    assert {item.state for item in others} == {DeliveryState.DELIVERED}
    assert any("cannot be stored" in line for line in caplog.messages)


def test_an_event_is_given_up_and_polling_goes_on(make: Making) -> None:
    rig = make(chosen=rules(agents={"291": SIGN_IN}))
    rig.assign("B")
    refuse(rig.store, "events", "INSERT", "NEW.event_type = 'poison'")
    for kind in ("poison", "sound"):
        rig.core.put(PollResult(agent_id="291", guid=Guid(GUID), event=ReceivedEvent(kind, {})))
    live(rig, 2 * MOST_REFUSALS)
    assert rig.core._refusals.pending == []
    stored = rig.store.read(lambda tx: lists.events_of_agent(tx, AgentId("291")))
    assert [event.event_type for event in stored] == ["sound"]
    assert len(rig.senders.polled) >= 2, "polling ended"

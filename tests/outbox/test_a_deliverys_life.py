"""The state diagram of the README against the real store: no other moves, and each of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bridge.store import Store
from tests.outbox.diagram import BORN, PAGES, arrows
from tests.outbox.life import FINAL, SENT, UNKNOWN, Life


def test_whatever_happens_deliveries_move_as_the_diagram_shows(store: Store) -> None:
    class OnThisStore(Life):
        pass

    OnThisStore.store = store
    run_state_machine_as_test(
        OnThisStore,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _sent(outcome: str) -> Callable[[Life], None]:
    def go(life: Life) -> None:
        life.store_reply("A", 1, None)
        life.claim(0)
        life.attempt(outcome, 0)

    return go


def _too_late(outcome: str | None) -> Callable[[Life], None]:
    def go(life: Life) -> None:
        life.store_reply("A", 1, None)
        if outcome is not None:
            life.claim(0)
            life.attempt(outcome, 0)
        life.pass_time(400.0)
        life.claim(0)

    return go


def _ended(life: Life) -> None:
    life.store_reply("A", 1, None)
    life.end_call("A", withdrawn=True)


def _four_times_unknown(life: Life) -> None:
    life.store_reply("A", 1, None)
    for _ in range(4):
        life.claim(0)
        life.attempt(UNKNOWN, 0)


def _then(first: Callable[[Life], None], word: str) -> Callable[[Life], None]:
    def go(life: Life) -> None:
        first(life)
        getattr(life, word)(0)

    return go


WAYS: dict[tuple[str, str], Callable[[Life], None]] = {
    (BORN, "waiting"): lambda life: life.store_reply("A", 2, None),
    (BORN, "sending"): lambda life: life.store_reply("A", 1, 0),
    ("waiting", "sending"): _sent(SENT),
    ("sending", "delivered"): _sent(SENT),
    ("sending", "waiting"): _sent("busy"),
    ("sending", "failed"): _sent(FINAL),
    ("sending", "uncertain"): _four_times_unknown,
    ("waiting", "expired"): _too_late(None),
    ("waiting", "uncertain"): _too_late(UNKNOWN),
    ("waiting", "failed"): _ended,
    ("failed", "waiting"): _then(_sent(FINAL), "retry"),
    ("expired", "waiting"): _then(_too_late(None), "retry"),
    ("uncertain", "waiting"): _then(_four_times_unknown, "retry"),
    ("uncertain", "failed"): _then(_four_times_unknown, "discard"),
    ("expired", "failed"): _then(_too_late(None), "discard"),
}


@pytest.mark.parametrize("arrow", sorted(arrows(PAGES[0])), ids=" to ".join)
def test_every_arrow_of_the_diagram_is_a_move_that_happens(
    arrow: tuple[str, str], store: Store
) -> None:
    class OnThisStore(Life):
        pass

    OnThisStore.store = store
    life: Any = OnThisStore()
    if arrow == ("delivered", BORN):  # the end: nobody's word moves it
        _sent(SENT)(life)
        life.retry(0)
        life.discard(0)
        assert [each.state.value for each in life.all().values()] == ["delivered"]
        return
    WAYS[arrow](life)
    assert arrow in life.seen

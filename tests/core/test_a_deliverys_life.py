"""The diagram of docs/delivery.md against the real store: no other moves, and each of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bridge.store import Store
from tests.core.diagram import BORN, arrows
from tests.core.life import FINAL, SENT, UNKNOWN, Life


@pytest.mark.timeout(240)
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
            phases=(Phase.reuse, Phase.generate, Phase.shrink),  # to explain takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )


def _sent(outcome: str) -> Callable[[Life], None]:
    def go(life: Life) -> None:
        life.store_reply("A", 1, 0)
        life.attempt(outcome, 0)

    return go


def _too_late(outcome: str | None) -> Callable[[Life], None]:
    def go(life: Life) -> None:
        life.store_reply("A", 1, 0)
        life.store_reply("A", 1, 0)
        if outcome is None:
            life.clock.move(400.0)
            life.attempt(SENT, 0)
            return
        life.attempt(SENT, 0)
        life.attempt(outcome, 0)
        life.attempt("gone", 0)  # nobody may send it meanwhile
        life.clock.move(400.0)
        life.claim(1)

    return go


def _behind_another(life: Life) -> None:
    life.store_reply("A", 1, 0)
    life.store_reply("A", 1, 0)


def _next_one(life: Life) -> None:
    _behind_another(life)
    life.attempt(SENT, 0)


def _ended(life: Life) -> None:
    _behind_another(life)
    life.end_call("A", 0)


def _four_times_unknown(life: Life) -> None:
    life.store_reply("A", 1, 0)
    for _ in range(4):
        life.attempt(UNKNOWN, 0)


def _then(first: Callable[[Life], None], word: str, which: int = 0) -> Callable[[Life], None]:
    def go(life: Life) -> None:
        first(life)
        life.store_reply("A", 1, 0)  # something of its call is being sent: it has to wait
        getattr(life, word)(which)

    return go


WAYS: dict[tuple[str, str], Callable[[Life], None]] = {
    (BORN, "waiting"): lambda life: life.store_reply("A", 2, 0),
    (BORN, "sending"): lambda life: life.store_reply("A", 1, 0),
    ("waiting", "sending"): _next_one,
    ("sending", "delivered"): _sent(SENT),
    ("sending", "waiting"): _sent("busy"),
    ("sending", "failed"): _sent(FINAL),
    ("sending", "uncertain"): _four_times_unknown,
    ("waiting", "expired"): _too_late(None),
    ("waiting", "uncertain"): _too_late(UNKNOWN),
    ("waiting", "failed"): _ended,
    ("failed", "waiting"): _then(_sent(FINAL), "retry"),
    ("expired", "waiting"): _then(_too_late(None), "retry", 1),
    ("uncertain", "waiting"): _then(_four_times_unknown, "retry"),
    ("uncertain", "failed"): _then(_four_times_unknown, "discard"),
    ("expired", "failed"): _then(_too_late(None), "discard", 1),
}


@pytest.mark.parametrize("arrow", sorted(arrows()), ids=" to ".join)
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


def test_what_is_claimed_again_while_its_former_attempt_lasts_is_waited_for(store: Store) -> None:
    class OnThisStore(Life):
        pass

    OnThisStore.store = store
    life = OnThisStore()
    life.choose(hold=False)
    life.hand_off("A", 1, 0)
    life.store_reply("A", 1, 0)
    life.pass_time(11.0)
    life.hand_off("A", 1, 1)
    life.attempt_too_long(SENT, 0, 0)
    life.attempt_too_long(SENT, 0, 0)

"""What the intake cannot do is handed back at once: whoever waits never waits for nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from bridge import turn as turns
from bridge.desk.answers import Answer
from bridge.desk.handoff import Handoffs
from bridge.desk.intake import Called, Intake
from bridge.desk.storing import Plan
from bridge.desk.turns import Seen
from bridge.store import Store
from bridge.turn import Turn

NO_HANDOFFS = cast("Handoffs", None)  # none of these calls comes to one


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    started = Intake(store, NO_HANDOFFS)
    started.start()
    yield started
    started.close()


def call(intake: Intake, quick: Callable[[Seen, Turn], Plan | Answer | None]) -> Called:
    """Put a call in and wait for news of it."""
    news = threading.Event()
    called = Called(turns.read({"sender_id": "anna"}, None, "action_bridge"), quick, news.set)
    intake.put(called)
    assert news.wait(10)
    return called


def test_an_answer_that_needs_nobody_is_given(intake: Intake) -> None:
    answer = Answer(state="bot")
    assert call(intake, lambda _seen, _turn: answer).answer is answer


def test_what_is_not_ordinary_is_put_off(intake: Intake) -> None:
    called = call(intake, lambda _seen, _turn: None)
    assert called.leisurely
    assert called.answer is None


def test_an_error_is_told_and_the_next_call_is_taken_in(intake: Intake) -> None:
    def broken(_seen: Seen, _turn: Turn) -> None:
        raise RuntimeError

    assert isinstance(call(intake, broken).error, RuntimeError)
    assert call(intake, lambda _seen, _turn: None).leisurely


def test_a_store_that_stumbles_puts_calls_off(
    intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_query: object) -> None:
        raise TypeError

    with monkeypatch.context() as patched:
        patched.setattr(store, "read", stumble)
        assert call(intake, lambda _seen, _turn: Answer()).leisurely
    assert not call(intake, lambda _seen, _turn: Answer()).leisurely


def test_a_closed_intake_puts_calls_off(store: Store) -> None:
    closed = Intake(store, NO_HANDOFFS)
    closed.start()
    closed.close()
    assert call(closed, lambda _seen, _turn: Answer()).leisurely

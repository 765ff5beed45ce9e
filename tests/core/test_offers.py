"""What other systems suggest, what agents copy, and what their desktops report."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import RefusedError
from bridge.model import Owner, SuggestionState
from bridge.planners.edits import distance
from bridge.state.commands import (
    AcceptSuggestion,
    ActionKind,
    CopySuggestion,
    ForwardMessage,
    HideAssist,
    NotePresence,
    NoteTyping,
    OfferSuggestion,
    PruneRows,
    RejectSuggestion,
)
from bridge.store import lists
from tests.core.rig import Making, Rig, call, reply, rules
from tests.making import NOW

ASSIST: dict[str, Any] = {
    "assist": {
        "when": [{"intent": "ask_hours", "reply": "utter_hours"}],
        "mode": "auto",
        "auto": {"intents": ["ask_hours"], "min_confidence": 0.5, "min_margin": 0.0},
    }
}


@pytest.fixture
def asked(make: Making) -> Rig:
    """A call whose customer asked something, to which the bot suggests an answer."""
    rig = make(chosen=rules(ASSIST))
    rig.assign("A")
    asks(rig, 1)
    return rig


def asks(rig: Rig, number: int) -> None:
    at = rig.clock.now()
    rig.do(call("customer-A", action=ActionKind.ASSIST, number=number, intent="ask_hours", at=at))


def offer(external_id: str = "1", text: str | None = "We close at 5.", **more: Any) -> Any:
    values: dict[str, Any] = {
        "call_id": "A",
        "answers": "customer-A-1",
        "external_id": external_id,
        "source": "kb",
        "text": text,
    }
    return OfferSuggestion(**values | more)


def refused(rig: Rig, command: Any) -> tuple[int, str]:
    with pytest.raises(RefusedError) as error:
        rig.do(command)
    return error.value.status, error.value.code


def states(rig: Rig) -> dict[str, str]:
    found = rig.store.read(lambda tx: lists.suggestions(tx, limit=100))
    return {item.text: item.state.value for _, item in found}


def own(rig: Rig) -> str:
    """The ID of the bot's suggestion."""
    found = rig.store.read(lambda tx: lists.suggestions(tx, limit=100))
    return next(item.id for _, item in found if item.source.kind == "assist")


def test_it_is_offered_for_the_customers_message(asked: Rig) -> None:
    stored = asked.do(offer(confidence=0.71))
    made = stored.value
    assert stored.created
    assert made.state is SuggestionState.OFFERED
    assert (made.source.kind, made.source.names, made.source.confidence) == (
        "external",
        ("kb",),
        0.71,
    )
    assert (made.agent_id, made.call_id, made.message_id) == ("291", "A", "customer-A-1")
    assert made.question == "I want a human"
    assert [draft.content for draft in made.drafts] == ["We close at 5."]
    assert asked.senders.sent == []  # never automatically


def test_the_same_candidate_is_one(asked: Rig) -> None:
    first = asked.do(offer()).value
    again = asked.do(offer())
    assert (again.value.id, again.created) == (first.id, False)
    assert refused(asked, offer(text="Something else.")) == (409, "external_id_used")
    asked.do(RejectSuggestion(suggestion_id=first.id, agent_id="291"))
    assert asked.do(offer()).value.state is SuggestionState.REJECTED


def test_a_message_is_known_by_either_id(asked: Rig) -> None:
    (message,) = asked.store.read(lambda tx: lists.messages(tx, "A", limit=5))
    assert asked.do(offer(answers=message.id)).created
    assert not asked.do(offer(answers="customer-A-1")).created


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"call_id": "unknown"}, 404, "not_found"),
        ({"answers": "customer-A-9"}, 422, "unknown_message"),
        ({"text": " \n "}, 422, "empty_text"),
        (
            {"text": None, "reply": {"text": "See", "image": "https://x.example/a.jpg"}},
            422,
            "not_in_library",
        ),
    ],
)
def test_what_cannot_be_offered_is_refused(
    asked: Rig, changes: dict[str, Any], status: int, code: str
) -> None:
    assert refused(asked, offer(**changes)) == (status, code)


def test_buttons_are_offered_as_the_bots_are(asked: Rig) -> None:
    made = asked.do(offer(text=None, reply={"text": "Which?", "buttons": [{"title": "Red"}]})).value
    assert "Which?" in made.text
    assert "Red" in made.text


def test_a_source_has_three_for_a_message(asked: Rig) -> None:
    for number in range(3):
        asked.do(offer(str(number), f"Answer {number}"))
    assert refused(asked, offer("3", "Answer 3")) == (429, "too_many_suggestions")
    assert asked.do(offer("3", "Answer 3", source="another")).created


def test_the_same_words_are_one_suggestion_that_names_all(asked: Rig) -> None:
    first = asked.do(offer()).value
    folded = asked.do(offer("x", "we close  at 5.", source="crm"))
    assert (folded.value.id, folded.created) == (first.id, False)
    assert folded.value.source.names == ("kb", "crm")
    again = asked.do(offer("x", "we close  at 5.", source="crm"))
    assert again.value.source.names == ("kb", "crm")
    bots = asked.do(offer("y", "from 9 to 5.")).value
    assert (bots.id, bots.source.names) == (own(asked), ("kb",))


@pytest.mark.parametrize("same", [True, False])
def test_what_was_offered_before_rasa_had_the_message(make: Making, *, same: bool) -> None:
    rig = make(chosen=rules({"assist": {**ASSIST["assist"], "mode": "suggest"}}))
    rig.assign("A")
    words = "I want  a human" if same else "Another message under the same ID"
    rig.do(forwarded("customer", words, message_id="customer-A-1"))
    rig.do(offer())
    rig.do(offer("2", "from 9 to 5."))
    rig.clock.move(1.0)
    asks(rig, 1)
    assert states(rig) == {
        "We close at 5.": "offered" if same else "superseded",
        "from 9 to 5.": "superseded",
        "From 9 to 5.": "offered",
    }
    found = rig.store.read(lambda tx: lists.suggestions(tx, limit=100))
    names = next(item.source.names for _, item in found if item.id == own(rig))
    assert names == (("kb",) if same else ())


@pytest.mark.parametrize(
    "answer",
    [
        lambda rig: AcceptSuggestion(suggestion_id=own(rig), agent_id="291"),
        lambda rig: CopySuggestion(suggestion_id=own(rig), agent_id="291"),
        lambda _: reply("A"),
        lambda _: forwarded("agent"),
    ],
)
def test_a_question_that_is_answered_takes_no_more(asked: Rig, answer: Any) -> None:
    asked.do(answer(asked))
    assert refused(asked, offer()) == (409, "answered")


def test_when_the_customer_writes_again_it_is_superseded(asked: Rig) -> None:
    asked.do(offer())
    asked.clock.move(1.0)
    asks(asked, 2)
    assert states(asked)["We close at 5."] == "superseded"
    assert refused(asked, offer("2", "Another.")) == (409, "superseded")


def test_taking_one_supersedes_all_that_answer_the_same(asked: Rig) -> None:
    made = asked.do(offer()).value
    asked.do(AcceptSuggestion(suggestion_id=made.id, agent_id="291"))
    assert states(asked) == {"From 9 to 5.": "superseded", "We close at 5.": "accepted"}
    assert asked.senders.words == ["We close at 5."]


def test_nothing_is_offered_while_the_bot_has_the_call(make: Making) -> None:
    rig = make(chosen=rules(ASSIST))
    rig.assign("A", owner=Owner.BOT)
    assert refused(rig, offer()) == (409, "not_with_agent")


def rejection(rig: Rig, agent_id: str | None = "291", **more: Any) -> RejectSuggestion:
    return RejectSuggestion(suggestion_id=own(rig), agent_id=agent_id, **more)


def test_a_reason_follows_the_rejection_until_its_words_are_erased(asked: Rig) -> None:
    asked.do(rejection(asked))
    stored = asked.store.read(lambda tx: lists.suggestion(tx, own(asked)))
    assert stored is not None
    rows = PruneRows(table="suggestions", keys=[(1,)], before=NOW + 1, quiet=NOW, whole=False)
    asked.do(rows)
    assert refused(asked, rejection(asked, reason="late")) == (409, "erased")
    assert refused(asked, rejection(asked, agent_id=None, reason="late")) == (409, "settled")


def test_a_card_masks_what_the_configuration_names(make: Making) -> None:
    rig = make(chosen=rules({"handoff": {"card": {"mask": ["(?i)HUM[a-z]+"]}}}))
    rig.assign("A", owner=Owner.BOT)
    rig.ask(call("customer-A"))
    card = rig.store.read(lambda tx: lists.card(tx, "A"))
    assert card is not None
    assert [line.text for line in card.turns] == ["I want a [masked]"]


# -- copying -------------------------------------------------------------------------------------


def test_copying_answers_and_sends_nothing(asked: Rig) -> None:
    asked.do(offer())
    copied = asked.do(CopySuggestion(key="k", suggestion_id=own(asked), agent_id="291"))
    assert (copied.state, copied.settled_by) == (SuggestionState.COPIED, "291")
    assert states(asked)["We close at 5."] == "superseded"
    assert asked.senders.sent == []
    again = asked.do(CopySuggestion(key="k", suggestion_id=own(asked), agent_id="291"))
    assert again.state is SuggestionState.COPIED
    late = CopySuggestion(suggestion_id=own(asked), agent_id="291")
    assert refused(asked, late) == (409, "settled")


@pytest.mark.parametrize(("after", "known"), [(100.0, True), (130.0, False)])
def test_what_the_agent_wrote_then_shows_how_much_was_used(
    asked: Rig,
    after: float,
    known: bool,  # noqa: FBT001
) -> None:
    name = own(asked)
    asked.do(CopySuggestion(suggestion_id=name, agent_id="291"))
    asked.clock.move(after)
    asked.do(forwarded("agent", "From 9 to 6."))
    found = asked.store.read(lambda tx: lists.suggestion(tx, name))
    assert found is not None
    assert found.edit_distance == (0.25 if known else None)


@pytest.mark.parametrize(
    ("suggested", "sent", "expected"),
    [
        ("", "", 0.0),
        ("a b c", "A  b\nc", 0.0),
        ("a b c d", "a x c d", 0.25),
        ("a b", "a b c d", 0.5),
        ("a b", "c d", 1.0),
        ("a", "", 1.0),
        ("word " * 50_000, "other " * 50_000, 1.0),
    ],
)
def test_the_edit_distance(suggested: str, sent: str, expected: float) -> None:
    assert distance(suggested, sent) == expected
    assert distance(sent, suggested) == expected


# -- what a desktop reports ------------------------------------------------------------------------


def forwarded(author: str, text: str = "hello", message_id: str = "m-1") -> ForwardMessage:
    return ForwardMessage(
        call_id="A", author=author, text=text, message_id=message_id, agent_id="291"
    )


def test_a_forwarded_message_is_stored_once(asked: Rig) -> None:
    first = asked.do(forwarded("customer"))
    again = asked.do(forwarded("customer"))
    assert (first.created, again.created) == (True, False)
    assert refused(asked, forwarded("customer", "other")) == (409, "message_id_used")
    found = asked.store.read(lambda tx: lists.messages(tx, "A", limit=5))
    assert [item.text for item in found] == ["I want a human", "hello"]


def test_a_customers_supersedes_and_can_be_answered(asked: Rig) -> None:
    asked.clock.move(1.0)
    asked.do(forwarded("customer"))
    assert states(asked) == {"From 9 to 5.": "superseded"}
    assert asked.do(offer(answers="m-1")).created


def test_an_agents_ends_the_wait(asked: Rig) -> None:
    def waits() -> bool:
        record = asked.record("A")
        return bool(asked.store.read(lambda tx: lists.waiting_since(tx, [record])))

    assert waits()
    asked.clock.move(1.0)
    asked.do(forwarded("agent"))
    assert not waits()


def test_another_agents_call_is_not_told_of(asked: Rig) -> None:
    foreign: dict[str, Any] = {"call_id": "A", "agent_id": "295"}
    for command in (
        NoteTyping(**foreign),
        HideAssist(hidden=True, **foreign),
        ForwardMessage(author="agent", text="x", message_id="1", **foreign),
    ):
        assert refused(asked, command)[0] in (403, 404)


def sent_by_itself(rig: Rig, number: int) -> bool:
    before = len(rig.senders.sent)
    asks(rig, number)
    while rig.senders.sent[before:]:
        rig.complete()
        return True
    return False


def test_auto_sends_only_while_a_desktop_is_heard_of_and_nobody_types(asked: Rig) -> None:
    assert not sent_by_itself(asked, 2)  # nobody was heard of
    asked.do(NoteTyping(call_id="A", agent_id="291"))
    asked.clock.move(5.0)
    assert not sent_by_itself(asked, 3)  # somebody types
    asked.clock.move(6.0)
    assert sent_by_itself(asked, 4)
    asked.do(HideAssist(call_id="A", hidden=True, agent_id="291"))
    assert not sent_by_itself(asked, 5)
    asked.do(HideAssist(call_id="A", hidden=False, agent_id="291"))
    assert sent_by_itself(asked, 6)
    asked.clock.move(61.0)
    assert not sent_by_itself(asked, 7)


def hear(rig: Rig, agent_id: str = "291") -> int:
    """The agent's panel is open; how many commits that takes."""
    before = rig.core._commits
    rig.do(NotePresence(agent_id=agent_id))
    return rig.core._commits - before


def test_an_open_panel_is_a_desktop_that_is_heard_of(asked: Rig) -> None:
    hear(asked, "305")
    assert not sent_by_itself(asked, 2)  # another agent's
    hear(asked)
    asked.clock.move(60.0)
    assert sent_by_itself(asked, 3)
    asked.clock.move(1.0)
    assert not sent_by_itself(asked, 4)


def test_an_open_panel_is_recorded_now_and_then(asked: Rig) -> None:
    commits = [hear(asked)]
    for _ in range(40):
        asked.clock.move(1.0)
        commits.append(hear(asked))
    assert sum(commits) == 3  # at once, and every twenty seconds
    asked.clock.leap(-3600.0)  # a time of the future says nothing
    assert hear(asked) == 1


def test_auto_does_not_wait_for_a_desktop_where_it_is_told_so(make: Making) -> None:
    auto = {**ASSIST["assist"]["auto"], "typing": "ignored"}
    rig = make(chosen=rules({"assist": {**ASSIST["assist"], "auto": auto}}))
    rig.assign("A")
    assert sent_by_itself(rig, 1)
    assert rig.all()[0].created_at >= NOW

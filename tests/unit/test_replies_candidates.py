"""What could be suggested: the selector's ranking, and the bot's own replies."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.replies import Candidate, bot_replies, selector_replies
from bridge.turn import Turn, read
from tests.unit.conversations import bot, real_turn, request, turn, user


def opening_hours(**more: Any) -> Turn:
    """The fixture's turn in which the selector spoke."""
    body = request("intent_ranking")
    hours = next(one for one in body["tracker"]["events"] if one.get("text") == "opening hours")
    tracker = {**body["tracker"], "latest_message": hours["parse_data"], **more}
    return read(tracker, body["domain"], "action_agent_assist")


def selection(*ranking: tuple[str, float], **best: Any) -> dict[str, Any]:
    rows = [{"intent_response_key": key, "confidence": known} for key, known in ranking]
    return {"ranking": rows, "response": best}


def asked(selectors: dict[str, Any], intent: str = "faq", **more: Any) -> Turn:
    return turn(user("x", intent, parse={"response_selector": selectors}), **more)


def texts(found: tuple[Candidate, ...]) -> list[object]:
    return [one.reply["text"] for one in found]


def test_a_real_ranking() -> None:
    assert selector_replies(opening_hours()) == (
        Candidate({"text": "We are open 9 to 5."}, "utter_faq/hours", 1.0, 1.0, "faq/where"),
        Candidate({"text": "We are in Berlin."}, "utter_faq/where", 0.0, None),
    )


def test_without_a_domain_the_selectors_own_words_serve() -> None:
    body = request("intent_ranking")
    hours = next(one for one in body["tracker"]["events"] if one.get("text") == "opening hours")
    bare = read({**body["tracker"], "latest_message": hours["parse_data"]}, {}, "action_bridge")
    assert texts(selector_replies(bare)) == ["We are open 9 to 5."]
    file = body["domain"]["responses"]
    assert texts(selector_replies(bare, responses=file)) == [
        "We are open 9 to 5.",
        "We are in Berlin.",
    ]


def test_the_margin_is_over_the_next_one() -> None:
    selectors = {"faq": selection(("faq/a", 0.7), ("faq/b", 0.2), ("faq/c", 0.1))}
    domain = {"responses": {f"utter_faq/{one}": [{"text": one}] for one in "abc"}}
    found = selector_replies(asked(selectors, domain=domain))
    assert texts(found) == ["a", "b", "c"]
    assert [one.margin for one in found] == [pytest.approx(0.5), pytest.approx(0.1), None]
    assert [one.runner_up for one in found] == ["faq/b", "faq/c", None]
    assert len(selector_replies(asked(selectors, domain=domain), limit=2)) == 2


def test_the_selector_is_the_intents_then_the_one_of_all_then_the_surest() -> None:
    domain = {"responses": {f"utter_{one}/x": [{"text": one}] for one in ("faq", "talk", "all")}}
    faq = selection(("faq/x", 0.5), confidence=0.5)
    talk = selection(("talk/x", 0.9), confidence=0.9)
    every = selection(("all/x", 0.4), confidence=0.4)

    def first(intent: str, **selectors: Any) -> list[object]:
        given = {"all_retrieval_intents": ["faq", "talk"], **selectors}
        return texts(selector_replies(asked(given, intent, domain=domain)))

    assert first("faq", faq=faq, talk=talk, default=every) == ["faq"]
    assert first("other", faq=faq, talk=talk, default=every) == ["all"]
    assert first("other", faq=faq, talk=talk) == ["talk"]


def test_candidates_are_rendered_with_slots_channel_and_seed() -> None:
    variations = [{"text": "Hi {name}"}, {"text": "web {name}", "channel": "web"}]
    given = asked(
        {"faq": selection(("faq/a", 0.7))},
        domain={"responses": {"utter_faq/a": variations}},
        slots={"name": "Kim"},
    )
    assert texts(selector_replies(given)) == ["Hi Kim"]
    assert texts(selector_replies(given, channels=("web",))) == ["web Kim"]


def test_a_selector_without_a_ranking_gives_its_choice() -> None:
    best = {"utter_action": "utter_faq/a", "confidence": 0.6, "responses": [{"text": "a"}]}
    found = selector_replies(asked({"faq": selection(**best)}))
    assert found == (Candidate({"text": "a"}, "utter_faq/a", 0.6, None),)


@pytest.mark.parametrize(
    ("least", "expected"),
    [(0.0, ["a", "b", "c"]), (0.1, ["a", "b"]), (0.101, ["a"]), (0.9, ["a"]), (0.91, [])],
)
def test_candidates_below_the_minimum_are_left_out(least: float, expected: list[str]) -> None:
    selectors = {"faq": selection(("faq/a", 0.9), ("faq/b", 0.1), ("faq/c", 0.01))}
    domain = {"responses": {f"utter_faq/{one}": [{"text": one}] for one in "abc"}}
    assert texts(selector_replies(asked(selectors, domain=domain), least=least)) == expected


def test_a_response_of_blanks_is_no_candidate() -> None:
    selectors = {"faq": selection(("faq/a", 0.9), ("faq/b", 0.5))}
    domain = {"responses": {"utter_faq/a": [{"text": " \n"}], "utter_faq/b": [{"text": "b"}]}}
    assert texts(selector_replies(asked(selectors, domain=domain))) == ["b"]


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_an_utterance_of_blanks_is_no_reply(text: str) -> None:
    said = turn(user("hm", "chat"), bot(text), bot("hello"), bot(text, image="https://x/a.png"))
    assert [one.reply for one in bot_replies(said)] == [
        {"text": "hello"},
        {"image": "https://x/a.png"},
    ]


def test_no_selector_no_candidates() -> None:
    assert selector_replies(real_turn("rest")) == ()
    assert bot_replies(real_turn("new_session")) == ()


def test_the_bots_own_replies_carry_the_intents_confidence() -> None:
    found = bot_replies(real_turn("rest"))
    assert [one.response for one in found] == [
        "utter_rich_text",
        "utter_rich_image",
        "utter_rich_buttons",
        "utter_rich_custom",
    ]
    assert found[0] == Candidate(
        {"text": "Connecting you to a person."}, "utter_rich_text", 1.0, None
    )

"""Responses rendered as Rasa's NLG would say them.

The expected texts of ``test_placeholders`` are what Rasa 3.6.21's own interpolator gave.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bridge.language import codes
from bridge.replies import render
from tests.unit.conversations import real_turn

SLOTS = {
    "name": "Kim",
    "empty": None,
    "n": 3,
    "f": 2.5,
    "list": [1, "q"],
    "e.x": "dot",
    "yes": True,
}


def say(*variations: Any, slots: dict[str, Any] | None = None, **more: Any) -> Any:
    channels, seed = more.pop("channels", ()), more.pop("seed", "s")
    responses = {"utter_x": list(variations)}
    known = SLOTS if slots is None else slots
    codes = more.pop("codes", ())
    return render(responses, "utter_x", known, channels=channels, seed=seed, codes=codes)


def row(name: str, value: Any) -> dict[str, Any]:
    return {"type": "slot", "name": name, "value": value}


def test_a_real_domain() -> None:
    turn = real_turn("rest")
    assert turn.responses is not None

    def real(name: str, *channels: str) -> Any:
        assert turn.responses is not None
        return render(turn.responses, name, turn.slots, channels=channels, seed="x")

    # The same sentence as Rasa's own, seen in the fixture pause_and_resume.
    greeting = {"text": "Hello from the bot, None.", "metadata": {"origin": "domain"}}
    assert real("utter_greet") == greeting
    assert real("utter_rich_custom") == {
        "custom": {"type": "handoff_notice", "wait_seconds": 30, "nested": {"a": [1, 2]}}
    }
    assert real("utter_channel_variant", "web", "callback") == {"text": "callback variant"}
    assert real("utter_channel_variant", "web", "collector") == {"text": "default variant"}
    assert real("utter_unknown") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi {name}, {n} {f} {list} {e.x} {yes}", "Hi Kim, 3 2.5 [1, 'q'] dot True"),
        ("Hi {empty}", "Hi None"),
        ("Hi {name} {unknown}", "Hi {name} {unknown}"),
        ("{{name}}", "{name}"),
        ("{{{name}}}", "{Kim}"),
        ("{{name}} and {n}", "{{name}} and {n}"),
        ('{{"a": 1}}', '{"a": 1}'),
        ("{name!r}", "{name!r}"),
        ("{name:>9}", "{name:>9}"),
        ("}} {{", "} {"),
        ("no braces", "no braces"),
    ],
)
def test_placeholders(text: str, expected: str) -> None:
    assert say({"text": text}) == {"text": expected}


@pytest.mark.parametrize(
    "text", ["{", "}", "{name} {", "{}", "{\n}", "{name}}", "{0[name]}", "{a:{b}}"]
)
def test_where_rasa_would_raise_or_print_all_slots_the_text_stays(text: str) -> None:
    assert say({"text": text}) == {"text": text}


def test_placeholders_are_filled_wherever_rasa_fills_them() -> None:
    assert say(
        {
            "text": "{name}",
            "image": "https://x.test/{n}.png",
            "buttons": [{"title": "{name}", "payload": '/a{{"b": "c"}}'}],
            "quick_replies": [{"title": "{name}", "payload": "/q"}],
            "custom": {"{name}": {"deep": ["{name}", 5, [{"x": "{n}"}]]}},
            "attachment": {"payload": {"src": "{name}"}},
            "elements": [{"title": "{name}"}],
            "metadata": {"note": "{name}"},
        }
    ) == {
        "text": "Kim",
        "image": "https://x.test/3.png",
        "buttons": [{"title": "Kim", "payload": '/a{"b": "c"}'}],
        "quick_replies": [{"title": "Kim", "payload": "/q"}],
        "custom": {"{name}": {"deep": ["Kim", 5, [{"x": "3"}]]}},
        "attachment": {"payload": {"src": "Kim"}},
        "elements": [{"title": "{name}"}],
        "metadata": {"note": "{name}"},
    }


def test_the_domain_is_not_changed() -> None:
    variation = {"text": "{name}", "custom": {"a": ["{name}"]}}
    say(variation)
    assert variation == {"text": "{name}", "custom": {"a": ["{name}"]}}


def test_what_is_null_or_empty_is_left_out() -> None:
    assert say({"text": "x", "image": None, "buttons": [], "custom": {}}) == {"text": "x"}
    assert say({"text": 5}) == {"text": "5"}
    assert say({"text": ""}) == {}
    assert say({"image": "u", "attachment": "u"}) == {"image": "u"}


def test_what_chose_the_variation_is_no_part_of_it() -> None:
    chosen = {"text": "x", "id": "7", "channel": "web", "condition": [row("n", 3)], "more": 1}
    assert say(chosen, channels=("web",)) == {"text": "x", "more": 1}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ([row("name", "KIM")], True),
        ([row("n", 3.0)], True),
        ([row(name="yes", value=True)], True),
        ([row("empty", None)], True),
        ([row("missing", None)], True),
        ([row("name", "Kim"), row("n", 3)], True),
        ([row("name", "Kim"), row("n", 4)], False),
        ([row("n", "3")], False),
        ([], False),
        ([{"type": "slot", "name": "n"}], False),
        ([{"type": "slot", "value": 3}], False),
        ("slots.n is 3", False),
        ([["n", 3]], False),
    ],
)
def test_conditions(condition: Any, *, holds: bool) -> None:
    assert (say({"text": "x", "condition": condition}) is not None) is holds


def test_channel_goes_before_condition_and_condition_before_neither() -> None:
    both = {"text": "both", "channel": "web", "condition": [row("n", 3)]}
    channel = {"text": "channel", "channel": "web"}
    condition = {"text": "condition", "condition": [row("n", 3)]}
    plain = {"text": "plain"}
    order = [plain, condition, channel, both]
    web = ("web",)
    assert say(*order, channels=web) == {"text": "both"}
    assert say(*order[:3], channels=web) == {"text": "channel"}
    assert say(*order[:2], channels=web) == {"text": "condition"}
    assert say(*order[:1], channels=web) == {"text": "plain"}
    assert say(*order, channels=()) == {"text": "condition"}
    assert say(channel, channels=("sms",)) is None


def test_the_first_channel_named_goes_first() -> None:
    web, rasa = {"text": "web", "channel": "web"}, {"text": "rasa", "channel": "collector"}
    assert say(rasa, web, channels=("web", "collector")) == {"text": "web"}
    assert say(rasa, channels=("web", "collector")) == {"text": "rasa"}


def test_the_seed_alone_chooses_among_equals() -> None:
    variations = [{"text": letter} for letter in "abc"]
    once = [say(*variations, seed=f"m{n}")["text"] for n in range(300)]
    assert once == [say(*variations, seed=f"m{n}")["text"] for n in range(300)]
    assert all(count > 60 for count in Counter(once).values())
    assert set(once) == set("abc")


def test_equals_are_only_those_that_fit_best() -> None:
    others = [{"text": "no", "channel": "sms"}, {"text": "no", "condition": [row("n", 4)]}]
    for n in range(20):
        assert say(*others, {"text": "a"}, seed=str(n)) == {"text": "a"}


TRANSLATED = {
    "text": "Which color, {name}?",
    "translation": {"es": "¿Qué color, {name}?", "de": "Welche Farbe?", "x-en-formal": "Pray?"},
    "buttons": [
        {
            "title": "Red",
            "payload": "/red",
            "translation": {"es": {"title": "Rojo", "payload": "/rojo"}, "de": "Rot"},
        },
        {"title": "Blue", "payload": "/blue"},
    ],
}


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        ("es", "¿Qué color, Kim?", ("Rojo", "/rojo")),
        ("ES_mx", "¿Qué color, Kim?", ("Rojo", "/rojo")),
        ("de-AT", "Welche Farbe?", ("Rot", "/red")),
        ("x-en-formal", "Pray?", ("Red", "/red")),
        ("fr", "Which color, Kim?", ("Red", "/red")),
        (None, "Which color, Kim?", ("Red", "/red")),
        (["es"], "Which color, Kim?", ("Red", "/red")),
    ],
)
def test_a_translation_is_said_in_the_customers_language(
    language: Any, text: str, first: tuple[str, str]
) -> None:
    reply = say(TRANSLATED, codes=codes(language, "en"))
    assert reply == {
        "text": text,
        "buttons": [
            {"title": first[0], "payload": first[1]},
            {"title": "Blue", "payload": "/blue"},
        ],
    }


def test_the_default_language_is_tried_before_the_text_itself() -> None:
    assert say(TRANSLATED, codes=codes("fr", "de"))["text"] == "Welche Farbe?"
    assert codes("de-AT", "en") == ("de-at", "de", "en")
    assert codes(" ", "en-GB") == ("en-gb", "en")


@pytest.mark.parametrize("translation", [None, 5, "es", [], {"es": None}, {"es": ""}, {1: "x"}])
def test_a_translation_of_any_form_is_harmless(translation: Any) -> None:
    said = {"text": "a", "translation": translation, "buttons": ["b", None]}
    assert say(said, codes=("es",)) == {"text": "a", "buttons": ["b", None]}

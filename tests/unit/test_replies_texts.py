"""The bridge's own texts: which language, and what fills them."""

from __future__ import annotations

import pytest

from bridge.config.settings import HandoffSettings
from bridge.language import language_of
from bridge.replies import OwnText, announce, own_text
from bridge.replies.texts import BUILT_IN

VALUES = {"minutes": 5, "messages": 3, "agent_nickname": "Anna"}
LANGUAGES = {"en", "zh", "de", "fr", "es"}


def designer(**more: object) -> HandoffSettings:
    return HandoffSettings.model_validate(more)


@pytest.mark.parametrize("text", OwnText)
def test_every_text_is_there_in_every_language(text: OwnText) -> None:
    assert BUILT_IN[text].keys() == LANGUAGES
    for language in LANGUAGES:
        filled = own_text(text, designer(), language, VALUES)
        assert filled
        assert "{" not in filled


@pytest.mark.parametrize(
    ("slot", "default", "expected"),
    [
        ("de", "en", "de"),
        ("de-AT", "en", "de"),
        ("DE_at", "en", "de"),
        ("zh-Hant-TW", "en", "zh"),
        ("nl", "fr", "fr"),
        ("nl", "fr-CA", "fr"),
        ("nl", "nl", "en"),
        (None, "es", "es"),
        (7, "es", "es"),
        ("", "es", "es"),
        ("no tag at all", "es", "es"),
    ],
)
def test_the_language_falls_back(slot: object, default: str, expected: str) -> None:
    chosen = designer(language={"slot": "tongue", "default": default})
    language = language_of({"tongue": slot, "language": "zz"}, chosen)
    found = own_text(OwnText.STARTED, chosen, language, {})
    assert found == BUILT_IN[OwnText.STARTED][expected]


def test_without_a_slot_the_default_counts() -> None:
    assert language_of({"language": "de"}, designer(language={"slot": None})) is None


@pytest.mark.parametrize("written", ["de-AT", "de_at", "DE-at"])
def test_a_written_text_replaces_the_built_in_one_and_its_exact_language_comes_first(
    written: str,
) -> None:
    chosen = designer(texts={"summary": {written: "{agent_nickname}: {minutes}", "de": "kurz"}})
    assert own_text(OwnText.SUMMARY, chosen, "de-at", VALUES) == "Anna: 5"
    assert own_text(OwnText.SUMMARY, chosen, "de-ch", VALUES) == "kurz"
    assert own_text(OwnText.SUMMARY, chosen, "fr", VALUES).startswith("Temps")


@pytest.mark.parametrize(
    "variations",
    [
        None,
        [],
        {},
        "text",
        [{}],
        [{"text": ""}],
        [{"text": " \n"}],
        [{"text": None, "buttons": []}],
        [{"metadata": {"a": 1}}],
        [{"text": "x", "channel": "elsewhere"}],
        [{"text": "x", "condition": [{"type": "slot", "name": "vip", "value": True}]}],
        [{"text": "x", "condition": []}],
    ],
)
def test_a_response_of_which_nothing_fits_counts_as_missing(variations: object) -> None:
    said = announce(
        "utter_x",
        OwnText.UNAVAILABLE,
        {"utter_x": variations},
        {"language": "fr"},
        designer(),
        channels=("web",),
        seed="s",
    )
    assert said.own
    assert said.reply == {"text": BUILT_IN[OwnText.UNAVAILABLE]["fr"]}


@pytest.mark.parametrize(
    "variation",
    [
        {"text": "x"},
        {"image": "https://x.example/a.png"},
        {"custom": {"a": 1}},
        {"buttons": [{"title": "x", "payload": "/x"}]},
        {"elements": [{"title": "x"}]},
    ],
)
def test_a_response_with_content_is_said(variation: dict[str, object]) -> None:
    said = announce(
        "utter_x",
        OwnText.STARTED,
        {"utter_x": [variation]},
        {},
        designer(),
        channels=(),
        seed="s",
    )
    assert (said.own, said.reply) == (False, variation)

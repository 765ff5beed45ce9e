"""Keywords: whole words, in any case and script, in the customer's language."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.settings import Condition, HandoffRules, HandoffSettings
from bridge.triggers import decide
from bridge.triggers.keywords import mentions
from bridge.turn.reading import fold
from tests.unit.conversations import turn, user


def said(text: str, **keywords: tuple[str, ...]) -> str | None:
    rules = HandoffSettings(handoff=HandoffRules(when=(Condition(keyword=keywords),)))
    decision = decide(turn(user(text, "greet")), rules)
    return decision.reason if decision.rule == 0 else None


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("I want an AGENT!", "agent"),
        ("agent", "Agent"),
        ("talk   to\na human", "talk to a human"),
        ("Ich möchte zum KUNDENDIENST.", "kundendienst"),
        ("ÜBERGABE bitte", "übergabe"),
        ("u\u0308bergabe", "übergabe"),  # the same letter in two code points
        ("GROSSE STRASSE", "große straße"),
        ("ОПЕРАТОР!", "оператор"),
        ("मुझे मदद चाहिए", "मदद"),
        ("我要人工客服", "人工"),
        ("请转agent谢谢", "agent"),
        ("人間と話したい", "人間"),
        ("ขอคุยกับเจ้าหน้าที่หน่อย", "เจ้าหน้าที่"),
        ("상담원을 연결해 주세요", "상담원"),
        ("אני רוצה נציג", "נציג"),
        ("help-desk", "help"),
        ("C++ support", "c++"),
        ("reagent, agents, agent", "agent"),
        ("the agents", "agent*"),
        ("agent", "agent*"),
        ("Frag den Rechtsanwalt.", "*anwalt"),
        ("Anwalt", "*anwalt"),
        ("Rechtsanwaltskanzlei", "*anwalt*"),
        ("a \u00adgent age\u00adnt", "agent"),  # with a soft hyphen
        ("\u200bagent\ufeff", "agent"),
        ("人々と話す", "人"),
        ("ｱｼﾞｱ", "アジア"),
        ("ຂໍລົມກັບພະນັກງານ", "ພະນັກງານ"),
        ("ខ្ញុំចង់និយាយជាមួយភ្នាក់ងារ", "ភ្នាក់ងារ"),
        ("ΌΛΟΣ", "όλος"),  # two letters for one sigma
        ("IT\u2019S broken", "it's"),
        ("it\u00b4s", "it's"),
        ("it`s", "it's"),
        ("it\u02bcs", "it\u2019s"),
        ("it's", "it\u2019s"),
        ("say „help“!", '"help"'),
        ('say "help"!', "«help»"),
        ("הצה״ל", 'הצה"ל'),
    ],
)
def test_a_word_is_found(text: str, keyword: str) -> None:
    assert said(text, en=(keyword,)) == f'keyword "{keyword}" (en) (handoff.when[0])'


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("reagent", "agent"),
        ("agents", "agent"),
        ("agent_1", "agent"),
        ("über", "ber"),
        ("talk to human", "talk to a human"),
        ("मददगार", "मदद"),
        ("", "agent"),
        ('/inform{"queue": "agent"}', "agent"),  # a button's payload, not what was said
        ("Rechtsanwalt", "anwalt"),
        ("Anwaltskanzlei", "*anwalt"),
        ("reagents", "agent*"),
        ("กี", "ก"),  # a mark makes it another letter
        ("été", "ét"),
    ],
)
def test_a_part_of_a_word_is_not(text: str, keyword: str) -> None:
    assert said(text, en=(keyword,)) is None


KEYWORDS = {"en": ("agent",), "de": ("Mensch",), "de-AT": ("Beamter",)}
WORDS = ("agent", "mensch", "beamter")


@pytest.mark.parametrize(
    ("language", "default", "found"),
    [
        (None, "en", WORDS),
        ("", "en", WORDS),
        (" ", "en", WORDS),
        (7, "en", WORDS),
        ("de", "en", ("mensch",)),
        ("DE", "en", ("mensch",)),
        ("de_CH", "en", ("mensch",)),
        ("de-at", "en", ("mensch", "beamter")),
        ("fr", "en", ("agent",)),
        ("fr", "de-AT", ("mensch", "beamter")),
        ("fr", "es", ()),
        ("-".join("a" * 50_000), "de", ("mensch",)),
    ],
)
def test_the_customers_language_chooses_the_keywords(
    language: object, default: str, found: tuple[str, ...]
) -> None:
    rules = HandoffSettings.model_validate(
        {
            "handoff": {"when": [{"keyword": KEYWORDS}]},
            "language": {"slot": "tongue", "default": default},
        }
    )
    slots = {"tongue": language}
    decisions = {word: decide(turn(user(word), slots=slots), rules) for word in WORDS}
    assert tuple(word for word in WORDS if decisions[word].rule == 0) == found


def test_the_reason_names_the_languages_that_were_looked_for_and_not_the_slots_value() -> None:
    rules = HandoffSettings(handoff=HandoffRules(when=(Condition(keyword={"de": ("Mensch",)}),)))
    assert "no keyword (de)" in decide(turn(user("salut")), rules).reason
    reason = decide(turn(user("salut"), slots={"language": "fr-secret"}), rules).reason
    assert "no keywords in the customer's language or the default" in reason
    assert "secret" not in reason


def test_without_a_slot_the_keywords_of_all_languages_are_looked_for() -> None:
    settings = {"handoff": {"when": [{"keyword": KEYWORDS}]}, "language": {"slot": None}}
    rules = HandoffSettings.model_validate(settings)
    assert decide(turn(user("mensch"), slots={"language": "en"}), rules).rule == 0


@given(st.text(max_size=40), st.text(max_size=8))
def test_a_keyword_among_spaces_is_always_found(text: str, keyword: str) -> None:
    word = fold(keyword).strip("* ")
    if word:
        assert mentions(fold(f"{text} {word} {text}"), keyword)
    else:
        assert not mentions(fold(text), keyword)


@given(st.text())
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("piece", "keyword"),
    [
        ("a", "a" * 50 + "b"),
        ("agent", "agent"),
        ("xagent", "agent"),
        ("人", "人人人工"),
        ("\u0316\u0301", "\u0301b"),
        ("\uff9e\u0316", "か"),
        ("\u0316\u200d\u0301", "b"),
        ("\ufdfa", "b"),
        ("\u00ad", "b"),
    ],
)
def test_the_time_grows_with_the_text_and_not_with_its_square(piece: str, keyword: str) -> None:
    hostile = "a" + piece * (100_000 // len(piece))
    begun = time.process_time()
    mentions(fold(hostile), keyword)
    assert time.process_time() - begun < 2  # some 0.1 s; quadratic, it would be minutes

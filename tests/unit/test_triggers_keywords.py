"""Keywords: whole words, in any case and script."""

from __future__ import annotations

import pytest

from bridge.config.settings import Condition, HandoffRules, HandoffSettings
from bridge.triggers import decide
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
        ("anything", "  "),
    ],
)
def test_a_part_of_a_word_is_not(text: str, keyword: str) -> None:
    assert said(text, en=(keyword,)) is None


def test_any_language_is_enough() -> None:
    keywords = {"en": ("agent", "human"), "de": ("Mensch",)}
    assert said("ein Mensch bitte", **keywords) == 'keyword "Mensch" (de) (handoff.when[0])'
    rules = HandoffSettings(handoff=HandoffRules(when=(Condition(keyword=keywords),)))
    assert "no keyword (en, de)" in decide(turn(user("salut", "greet")), rules).reason

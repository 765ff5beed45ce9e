"""handoff.yml: what is taken, and what is told about the rest."""

from __future__ import annotations

import pytest

from bridge.config.settings import Condition, HandoffSettings, response_names
from bridge.errors import ConfigurationError
from bridge.model import Mode
from tests.config.conftest import GATEWAY, Folder


@pytest.mark.parametrize("content", [None, "", "# nothing yet\n", "handoff:\nassist:\n", "---\n"])
def test_an_empty_or_missing_file_means_the_defaults(folder: Folder, content: str | None) -> None:
    if content is not None:
        folder.write(handoff=content)
    designer = folder.write(bridge=GATEWAY).load().designer
    assert designer == HandoffSettings()
    assert designer.handoff.when == (
        Condition(intent="human_handoff", min_confidence=0.6),
        Condition(command="human_handoff"),
        Condition(fallbacks=3),
    )
    assert (designer.handoff.card.turns, designer.handoff.card.slots) == (10, ())
    assert designer.assist.when == ()


def test_everything_the_contract_shows_is_taken(folder: Folder) -> None:
    designer = (
        folder.write(
            bridge=GATEWAY,
            handoff="""
handoff:
  when:
    - {intent: human_handoff, min_confidence: 0.6}
    - {command: human_handoff}
    - {fallbacks: 3}
    - {slot: vip, is: null}
    - {flow: talk, keyword: {en: [agent], no: [nei]}}
  say: null
  unavailable: utter_handoff_unavailable
  then: pause
  card: {turns: 10, slots: [order_id]}
assist:
  when:
    - {intent: ask_price, reply: utter_price}
    - {intent: faq, reply: response_selector}
  mode: off
  auto: {intents: [ask_hours], min_confidence: 0.9, min_margin: 0.3}
""",
        )
        .load()
        .designer
    )
    assert designer.handoff.say is None
    assert designer.handoff.when[3].asks_value
    assert not designer.handoff.when[0].asks_value
    assert designer.handoff.when[4].keyword == {"en": ("agent",), "no": ("nei",)}
    assert designer.assist.mode is Mode.OFF  # a word in YAML 1.2, as in Rasa's files
    assert designer.assist.when[1].reply == "response_selector"


def test_texts_are_taken_by_language_and_emoji_may_be_escaped(folder: Folder) -> None:
    handoff = r"""
language: {slot: null, default: pt-BR}
texts:
  started: {pt-BR: "Ol\u00e1 \ud83d\ude00, {name}"}
  summary: {pt: "{agent_nickname}: {minutes}, {messages}", en: "{{minutes}}"}
"""
    designer = folder.write(bridge=GATEWAY, handoff=handoff).load().designer
    assert (designer.language.slot, designer.language.default) == (None, "pt-BR")
    assert designer.texts.started == {"pt-BR": "Ol\u00e1 \U0001f600, {name}"}
    assert designer.texts.summary["pt"] == "{agent_nickname}: {minutes}, {messages}"


def test_a_response_may_be_named_for_each_language(folder: Folder) -> None:
    handoff = "handoff: {say: {en: utter_a, de: null, no: 5}, unavailable: utter_b}"
    rules = folder.write(bridge=GATEWAY, handoff=handoff).load().designer.handoff
    assert rules.say == {"en": "utter_a", "de": None, "no": "5"}
    assert response_names(rules.say) == ("utter_a", "5")
    assert response_names(rules.unavailable) == ("utter_b",)
    assert response_names(None) == ()


def test_a_summary_with_an_unknown_placeholder_is_a_fault(folder: Folder) -> None:
    folder.write(bridge=GATEWAY, handoff="texts: {summary: {de: '{minutes} von {name}'}}")
    with pytest.raises(ConfigurationError, match=r"texts\.summary\.de") as raised:
        folder.load()
    assert "{minutes}, {messages}, {agent_nickname}" in str(raised.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [("5", 5), ("5.0", 5.0), ("true", True), ("gold", "gold"), ("'5'", "5"), ("[a, 1]", ["a", 1])],
)
def test_a_slots_value_keeps_its_type(folder: Folder, written: str, value: object) -> None:
    handoff = f"handoff: {{when: [{{slot: s, is: {written}}}]}}"
    condition = folder.write(bridge=GATEWAY, handoff=handoff).load().designer.handoff.when[0]
    assert condition.is_ == value
    assert type(condition.is_) is type(value)


FAULTS: list[tuple[str, list[str]]] = [
    ("handoff: {unavailible: x}", ["handoff.unavailible", "did you mean  unavailable?"]),
    ("handoff: {card: {mask: ['(']}}", ["card.mask[0]", '"("', "missing )", "as in ORD-"]),
    ("handoff: {card: {mask: ['a', '(?=a)b']}}", ["card.mask[1]", "invalid perl operator"]),
    (r"handoff: {card: {mask: ['(a)\1']}}", ["card.mask[0]", "invalid escape sequence"]),
    ("handoff: {card: {mask: ['a*']}}", ["card.mask[0]", "match empty text"]),
    ("handoff: {card: {mask: ['']}}", ["card.mask[0]", "match empty text"]),
    (f"handoff: {{card: {{mask: [{'a' * 201}]}}}}", ["card.mask[0]", "at most 200 characters"]),
    ("handoff: {card: {mask: ['a{1000}']}}", ["card.mask[0]", "smaller"]),
    (f"handoff: {{card: {{mask: [{', '.join('a' * 11)}]}}}}", ["card.mask"]),
    ("handoff: {card: {mask: 5}}", ["card.mask", "a list"]),
    ("handoff: {then: paus}", ["pause, assist", "did you mean  pause?"]),
    ("handoff: {when: {intent: x}}", ["handoff.when", "a mapping", "a list"]),
    ("handoff: {when: null}", ["nothing (null)", "a list"]),
    ("handoff: {when: [human]}", ["handoff.when[0]", '"human"', "a mapping with keys of intent"]),
    ("handoff: {when: [{fallback: 3}]}", ["when[0].fallback", "did you mean  fallbacks?"]),
    ("handoff: {when: [{}]}", ["at least one of intent"]),
    (
        "handoff: {when: [{intend: x, min_confidence: 0.6}]}",
        ["when[0].intend", "did you mean  intent?"],
    ),
    ("handoff: {when: [{intent: null}]}", ["when[0].intent", "nothing (null)", "give intent"]),
    (
        "handoff: {when: [{intent: null, min_confidence: 0.6}]}",
        ["when[0].intent", "give intent a value"],
    ),
    ("handoff: {when: [{slot: null, is: gold}]}", ["when[0].slot", "give slot a value"]),
    ("handoff: {when: [{fallbacks: }]}", ["when[0].fallbacks", "give fallbacks a value"]),
    ("assist: {when: [{keyword: null, reply: utter_x}]}", ["when[0].keyword", "give keyword"]),
    ("assist: {when: [{reply: utter_x}]}", ["when[0]", "an item with reply"]),
    ("handoff: {when: [{intent: x, is: 1}]}", ["handoff.when[0].is", "add the key slot"]),
    ("handoff: {when: [{slot: x, min_confidence: 1}]}", ["add the key intent"]),
    ("handoff: {when: [{fallbacks: 0}]}", ["a whole number of at least 1"]),
    ("handoff: {when: [{fallbacks: true}]}", ["found         true", "a whole number"]),
    ("handoff: {when: [{intent: x, min_confidence: 60}]}", ["60", "a number from 0 to 1"]),
    ("handoff: {when: [{intent: x, reply: y}]}", ["reply", "not known here"]),
    ("handoff: {when: [{keyword: {en: agent}}]}", ["keyword.en", '"agent"', "a list"]),
    ("handoff: {when: [{keyword: {en: [agent, ' *']}}]}", ["keyword.en[1]", '" *"', "a word"]),
    ("handoff: {card: {slots: order_id}}", ["handoff.card.slots", '"order_id"', "a list"]),
    ("handoff: {card: {turns: -1}}", ["a whole number from 0 to 200", "default 10"]),
    ("handoff: {say: ''}", ["handoff.say", "text that is not empty"]),
    ("handoff: {say: []}", ["handoff.say", "a list", "text or a mapping"]),
    ("handoff: {say: {}}", ["handoff.say", "a response for each language: {en: utter_x"]),
    ("handoff: {say: {en: ''}}", ["handoff.say.en", "text that is not empty"]),
    ("handoff: {unavailable: {en: [x]}}", ["handoff.unavailable.en", "a list", "text"]),
    ("assist: {mode: automatic}", ["suggest, auto, off", "did you mean  auto?"]),
    ("assist: {auto: {intents: [3, [x]]}}", ["assist.auto.intents[1]", "a list"]),
    ("gateway: {}", ["did you mean  gateway in bridge.yml?"]),
    ("- handoff", ["handoff.yml, line 1", "a list", "a mapping with keys of handoff, assist"]),
    ("handoff", ["handoff.yml, line 1", "a mapping"]),
]


@pytest.mark.parametrize(("written", "told"), FAULTS, ids=[each for each, _ in FAULTS])
def test_a_fault_says_where_what_and_what_is_allowed(
    folder: Folder, written: str, told: list[str]
) -> None:
    fault = folder.write(bridge=GATEWAY, handoff=written).fault()
    assert fault.startswith("handoff.yml, line 1, column ")
    for words in told:
        assert words in fault


def test_lines_are_those_of_the_file(folder: Folder) -> None:
    handoff = (
        "\ufeff# words\r\nhandoff:\r\n  when:\r\n    - intent: x\r\n      min_confidence: high\r\n"
    )
    fault = folder.write(bridge=GATEWAY, handoff=handoff).fault()
    assert fault.startswith("handoff.yml, line 5, column 23: handoff.when[0].min_confidence")


def test_a_condition_that_came_by_an_alias_is_told_where_it_is_used(folder: Folder) -> None:
    handoff = """
handoff: {when: [&rule {intent: x, min_confidence: 2}]}
assist: {when: [*rule]}
"""
    faults = folder.write(bridge=GATEWAY, handoff=handoff).faults()
    assert [each.splitlines()[0].split(": ")[1] for each in faults] == [
        "handoff.when[0].min_confidence",
        "assist.when[0].min_confidence",
    ]

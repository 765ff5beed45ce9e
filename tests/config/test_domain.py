"""Rasa's domain: reading it like Rasa, and the designer's names against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import inspect, load_domain
from bridge.config.faults import spell
from bridge.errors import ConfigurationError
from tests.config.conftest import GATEWAY, Folder

DOMAIN = """
version: "3.1"
intents:
  - human_handoff
  - ask_price
  - faq: {use_entities: []}
entities:
  - order_number
slots:
  order_id: {type: text, mappings: [{type: custom}]}
responses:
  utter_handoff_started: [{text: A colleague is coming.}]
  utter_handoff_unavailable: [{text: Nobody is here.}]
  utter_price: [{text: "3 EUR"}]
  utter_faq/hours: [{text: 9 to 5}]
"""


def _with_domain(folder: Folder, handoff: str, domain: str = DOMAIN) -> Folder:
    path = folder.path / "domain.yml"
    path.write_text(domain)
    return folder.write(bridge=f'{GATEWAY}rasa: {{domain: "{path}"}}', handoff=handoff)


def test_names_that_the_domain_has_are_taken(folder: Folder) -> None:
    handoff = """
handoff:
  when:
    - {intent: human_handoff}
    - {intent: "*", min_confidence: 0.1}
    - {intent: nlu_fallback}
    - {intent: faq/hours}
  card: {slots: [order_id]}
assist:
  when:
    - {intent: ask_price, reply: utter_price}
    - {intent: faq, reply: response_selector}
    - {intent: faq, reply: utter_faq/hours}
    - {intent: faq, reply: utter_chitchat/among_the_training_examples}
"""
    settings = _with_domain(folder, handoff).load()
    assert settings.domain is not None
    assert settings.domain["responses"]["utter_price"] == [{"text": "3 EUR"}]
    assert not [each for each in settings.warnings if "domain" in each]


UNKNOWN: list[tuple[str, list[str]]] = [
    ("handoff: {say: utter_handoff_startd}", ["handoff.say", "utter_handoff_started?"]),
    ("handoff: {unavailable: utter_x}", ["handoff.unavailable", "a response of "]),
    ("handoff: {say: {en: utter_prize}}", ["handoff.say.en", "utter_price?"]),
    ("handoff: {when: [{intent: human-handoff}]}", ["handoff.when[0].intent", "human_handoff?"]),
    ("assist: {when: [{intent: faqs/hours}]}", ["when[0].intent", '"faqs"', "faq?"]),
    ("assist: {auto: {intents: [ask_prices]}}", ["assist.auto.intents[0]", "ask_price?"]),
    ("assist: {when: [{flow: f, reply: utter_pric}]}", ["reply", "did you mean  utter_price?"]),
    ("assist: {when: [{flow: f, reply: utter_faq}]}", ["retrieval", "response_selector?"]),
    ("assist: {when: [{flow: f, reply: utter_faq/hour}]}", ["utter_faq/hours?"]),
]


@pytest.mark.parametrize(("written", "told"), UNKNOWN, ids=[each for each, _ in UNKNOWN])
def test_a_name_that_the_domain_does_not_have_is_told(
    folder: Folder, written: str, told: list[str]
) -> None:
    fault = _with_domain(folder, written).fault()
    assert fault.startswith("handoff.yml, line 1, column ")
    for words in told:
        assert words in fault


def test_names_are_checked_beside_other_faults(folder: Folder) -> None:
    handoff = "handoff: {say: utter_x, then: paus}\nassist: {when: [{intent: zzz}, 5]}"
    titles = [each.splitlines()[0] for each in _with_domain(folder, handoff).faults()]
    assert [each.split(": ")[1] for each in titles] == [
        "handoff.say",
        "handoff.then",
        "assist.when[0].intent",
        "assist.when[1]",
    ]


def test_what_nobody_wrote_is_only_a_warning(folder: Folder) -> None:
    settings = _with_domain(
        folder, "", "intents: [greet]\nresponses: {utter_hi: [{text: x}]}"
    ).load()
    told = [each for each in settings.warnings if "has no such response" in each]
    assert len(told) == 2
    assert "handoff.say is utter_handoff_started by default" in told[0]


@pytest.mark.parametrize(
    "variations",
    [
        "[]",
        "[{text: x, channel: web}]",
        "[{text: x, condition: [{type: slot, name: vip, value: true}]}]",
        "[{text: x, condition: []}]",
        "[{text: ' '}, {channel: web, text: x}]",
    ],
)
def test_a_response_without_a_default_variation_is_warned_about(
    folder: Folder, variations: str
) -> None:
    rules = "handoff: {say: utter_say}\nassist: {when: [{intent: faq, reply: utter_reply}]}"
    good = "[{text: x}, {text: y, channel: web}]"
    domain = (
        f"responses: {{utter_say: {variations}, utter_reply: {variations},"
        f" utter_handoff_unavailable: {good}}}"
    )
    found = _with_domain(folder, rules, domain).load().warnings
    lacking = [each for each in found if "has no default variation" in each]
    assert [each.split(" of ", 1)[0].rsplit(" ", 1)[-1] for each in lacking] == [
        "utter_say",
        "utter_reply",
    ]
    assert all("domain.yml, line 1, column" in each for each in lacking), lacking


def test_a_default_variation_of_the_default_responses_counts_too(folder: Folder) -> None:
    domain = "responses: {utter_handoff_started: [{text: x, channel: web}]}"
    found = _with_domain(folder, "", domain).load().warnings
    assert any("utter_handoff_started of" in each and "no default" in each for each in found)


def test_emoji_written_as_surrogate_escapes_are_joined(folder: Folder) -> None:
    domain = r"""
intents: [faq]
responses:
  utter_handoff_started: [{text: "Hi \ud83d\ude00!"}]
  utter_handoff_unavailable: [{text: "\ud83d alone", buttons: [{title: "\ud83d\udc4d"}]}]
"""
    known = _with_domain(folder, "", domain).load().domain
    assert known is not None
    assert known["responses"] == {
        "utter_handoff_started": [{"text": "Hi \U0001f600!"}],
        "utter_handoff_unavailable": [{"text": "? alone", "buttons": [{"title": "\U0001f44d"}]}],
    }


def test_slots_and_entities_that_the_domain_lacks_are_faults(folder: Folder) -> None:
    handoff = "handoff: {when: [{slot: vipp}, {entity: e}], card: {slots: [order]}}"
    written = _with_domain(folder, handoff)
    keys = ["handoff.when[0].slot", "handoff.when[1].entity", "handoff.card.slots[0]"]
    found = [each for each in inspect(written.path).faults if "of the domain" in each.allowed]
    assert [(spell(each.path), each.severity) for each in found] == [(key, "error") for key in keys]
    # The server starts, and logs them: Rasa may get a slot from elsewhere.
    logged = [each for each in written.load().warnings if "of the domain" in each]
    assert [key for key, each in zip(keys, logged, strict=True) if key in each] == keys


def test_a_domain_without_intents_is_said_to_leave_them_unchecked(folder: Folder) -> None:
    settings = _with_domain(
        folder, "handoff: {when: [{intent: zzz}]}", "responses: {utter_handoff_started: []}"
    ).load()
    assert any("conditions on intents were not checked" in each for each in settings.warnings)


def test_a_folder_is_merged_as_rasa_does(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.yml").write_text("version: '3.1'\nintents: [a, b]\nresponses: {utter_a: [1]}\n")
    (tmp_path / "deep" / "b.yaml").write_text(
        "intents: [b, c]\nresponses: {utter_a: [2], utter_b: [3]}\nslots: {s: {type: text}}\n"
    )
    (tmp_path / "nlu.yml").write_text("nlu:\n- intent: zzz\n  examples: |\n    - [\n")
    (tmp_path / "broken.yml").write_text("credentials: [")
    (tmp_path / ".hidden" / "c.yml").write_text("intents: [hidden]")
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    assert load_domain(tmp_path) == {
        "version": "3.1",
        "intents": ["a", "b", "c"],
        "responses": {"utter_a": [1], "utter_b": [3]},
        "slots": {"s": {"type": "text"}},
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"intents: [a", "not closed"),
        (b"- a", "a domain is a mapping"),
        (b"intents: !x a", "a YAML tag"),
        (b"responses:\n\tx: 1", "line 2, column 1"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_domain_that_cannot_be_read_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "domain.yml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_domain(path)
    (fault,) = caught.value.faults
    assert fault.startswith(str(path))
    assert words in fault


def test_a_domain_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yml", tmp_path / ("x" * 300)):
        with pytest.raises(ConfigurationError) as caught:
            load_domain(str(path))
        assert "no such domain file or folder" in caught.value.faults[0]


def test_rasa_may_say_a_key_twice(tmp_path: Path) -> None:
    (tmp_path / "domain.yml").write_text("intents: [a]\nintents: [b]\n")
    assert set(load_domain(tmp_path / "domain.yml")) == {"intents"}


def test_faults_of_the_domain_come_with_all_others(folder: Folder) -> None:
    faults = _with_domain(folder, "handoff: {then: paus}", "intents: [a").faults()
    assert [each.splitlines()[0] for each in faults] == [
        "domain.yml, line 1, column 10",
        "handoff.yml, line 1, column 17: handoff.then",
    ]


def test_another_domain_can_be_checked_against(folder: Folder) -> None:
    _with_domain(folder, "handoff: {when: [{intent: human_handoff}]}")
    other = folder.path / "other.yml"
    other.write_text("intents: [a]\n")
    (fault,) = [
        each for each in inspect(folder.path, {}, domain=[other]).faults if each.severity == "error"
    ]
    assert "other.yml" in str(fault)


def test_a_domain_named_by_a_variable_shows_as_the_file_says(folder: Folder) -> None:
    _with_domain(folder, "handoff: {say: utter_x}")
    folder.write(bridge=GATEWAY + 'rasa: {domain: "${WHERE}/domain.yml"}')
    fault = folder.fault({"WHERE": str(folder.path)})
    assert "a response of the domain (${WHERE}/domain.yml)" in fault

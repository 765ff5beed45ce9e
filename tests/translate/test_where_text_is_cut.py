"""Long words: cut where a reader would pause, measured as the wire measures."""

from __future__ import annotations

import json

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Room, Translator
from bridge.translate.sms import segments
from bridge.translate.text import clean, escape, is_blank, json_size, split
from tests.translate import contract

TRANSLATOR = Translator(MediaSettings())


def pieces(text: str, size: int) -> list[str]:
    found, left = split(text, lambda each: len(each.encode()) <= size, reach=size, most=100)
    assert left == 0
    return found


def test_a_paragraph_is_better_than_a_line_and_that_than_a_sentence() -> None:
    assert pieces("One. Two.\nThree.\n\nFour five", 21) == ["One. Two.\nThree.", "Four five"]
    assert pieces("One. Two.\nThree four", 14) == ["One. Two.", "Three four"]
    assert pieces("One two. Three four", 14) == ["One two.", "Three four"]
    assert pieces("One two three four", 14) == ["One two three", "four"]


def test_a_pause_too_early_is_no_place_to_cut() -> None:
    assert pieces("A. " + "word " * 10, 40)[0] == "A. word word word word word word word"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好。世界很大。再见", ["你好。", "世界很大。", "再见"]),
        ("नमस्ते। फिर मिलेंगे।", ["नमस्ते।", "फिर", "मिलेंगे।"]),
        ("מה שלומך? טוב מאוד", ["מה שלומך?", "טוב מאוד"]),
    ],
)
def test_other_scripts_pause_too(text: str, expected: list[str]) -> None:
    assert pieces(text, 25 if "म" in text else 18) == expected


def test_an_address_goes_whole_to_the_next_piece() -> None:
    address = "https://shop.example/a/b"
    assert pieces(f"Look here:查看{address} now", 26) == ["Look", "here:查看", address, "now"]
    assert pieces(f"查看{address}\uff0c谢谢您的光临", 40) == [
        f"查看{address}\uff0c谢谢",
        "您的光临",
    ]


def test_an_address_longer_than_a_message_is_cut() -> None:
    address = "https://shop.example/" + "a" * 100
    assert "".join(pieces(address, 50)) == address


def test_a_character_of_many_parts_is_cut_only_where_it_fits_nowhere() -> None:
    assert pieces("👩‍👩‍👧" * 3, 20) == ["👩‍👩‍👧"] * 3
    endless = "a" + "\u0301" * 500
    assert "".join(pieces(endless, 100)) == endless


def test_a_mark_on_a_space_stays_on_it() -> None:
    assert pieces("aaaa \u0301bbbb", 8) == ["aaaa \u0301b", "bbb"]


def test_no_break_spaces_hold() -> None:
    assert pieces("take 5\u00a0€ now", 9) == ["take", "5\u00a0€", "now"]


def test_nothing_is_said_in_no_room() -> None:
    translation = TRANSLATOR.text("Hello", Channel.WEB, Room(limit=100, overhead=100, as_json=True))
    assert translation.drafts == ()
    assert [each.code for each in translation.refused] == ["no_room"]


def test_quotes_and_line_ends_cost_what_they_cost_in_json() -> None:
    room = Room(limit=500, overhead=100, as_json=True)
    for draft in TRANSLATOR.text('"quote"\n' * 200, Channel.WEB, room).drafts:
        assert 300 < len(json.dumps(draft.content, ensure_ascii=False).encode()) - 2 <= 400
        assert contract.faults(draft, Channel.WEB, room) == []
    assert json_size('"a\n') == 5


def test_an_escape_is_never_cut() -> None:
    room = Room(limit=150, overhead=0, as_json=True)
    drafts = TRANSLATOR.text("&<>\n" * 300, Channel.WEB, room).drafts
    for draft in drafts:
        rest = draft.content
        for whole in ("&amp;", "&lt;", "&gt;", "<br>"):
            rest = rest.replace(whole, "")
        assert rest.split() == []
    assert "".join(each.content for each in drafts).count("&lt;") == 300


def test_html_is_escaped_where_it_is_rendered_alone() -> None:
    text = 'Tom & <b>Jerry</b>\nsay "hi" to O\'Hara'
    room = Room(limit=1900, overhead=0, as_json=True)
    (web,) = TRANSLATOR.text(text, Channel.WEB, room).drafts
    (sms,) = TRANSLATOR.text(text, Channel.SMS, room).drafts
    assert web.content == 'Tom &amp; &lt;b&gt;Jerry&lt;/b&gt; <br>\nsay "hi" to O\'Hara'
    assert sms.content == text


def test_parts_are_numbered_only_where_config_says_so() -> None:
    numbering = Translator(MediaSettings(part_numbers=True))
    room = Room(limit=120, overhead=0, as_json=True)
    text = "word " * 50
    plain = [each.content for each in TRANSLATOR.text(text, Channel.SMS, room).drafts]
    numbered = [each.content for each in numbering.text(text, Channel.SMS, room).drafts]
    assert not any("(" in each for each in plain)
    assert [each[-5:] for each in numbered] == ["(1/3)", "(2/3)", "(3/3)"]
    assert numbering.text("word", Channel.SMS, room).drafts[0].content == "word"


def test_what_is_too_much_is_left_out_and_told() -> None:
    few = Translator(MediaSettings(max_messages=2))
    room = Room(limit=100, overhead=0, as_json=True)
    translation = few.text("word " * 100, Channel.SMS, room)
    assert len(translation.drafts) == 2
    assert translation.drafts[-1].content.endswith("word ...")
    assert contract.faults(translation.drafts[-1], Channel.SMS, room) == []
    (note,) = translation.notes
    assert note.code == "left_out"
    assert "304 characters" in note.sentence


# -- SMS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 153, 1),
        ("a" * 154, 2),
        ("a" * 1530, 10),
        ("a" * 1531, 11),
        ("€" * 76, 1),  # 152 of 153 units: the last one cannot hold half of an escape
        ("€" * 77, 2),
        ("€" * 765, 11),
        ("я" * 67, 1),
        ("я" * 670, 10),
        ("я" * 671, 11),
        ("😀" * 33, 1),  # 66 of 67 units
        ("😀" * 34, 2),
        ("a" * 100 + "я", 2),
    ],
)
def test_segments(text: str, expected: int) -> None:
    assert segments(text) == expected


@pytest.mark.parametrize(
    ("text", "messages"),
    [("a" * 1530, 1), ("a" * 1531, 2), ("я" * 670, 1), ("я" * 671, 2), ("a" * 1529 + "я", 2)],
)
def test_an_sms_takes_ten_segments(text: str, messages: int) -> None:
    drafts = TRANSLATOR.text(text, Channel.SMS, Room(limit=3800, overhead=0, as_json=False)).drafts
    assert len(drafts) == messages
    assert "".join(each.content for each in drafts) == text
    for draft in drafts:
        assert contract.sms_units_left(draft.content) >= 0


# -- cleaning ------------------------------------------------------------------------------------


def test_what_cannot_be_sent_is_replaced() -> None:
    assert clean("a\r\nb\x0bc\u2028d") == "a\nb\nc\nd"
    assert clean("a\x00b\x1bc\x7f") == "a b c "
    assert clean("half \ud83d") == "half \ufffd"
    assert clean("tab\tand 😀") == "tab\tand 😀"


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\u00a0\u2060", "\ufeff"])
def test_nothing_to_see_is_blank(text: str) -> None:
    assert is_blank(text)
    assert TRANSLATOR.text(text, Channel.WEB, Room(1900, 0, as_json=True)).drafts == ()


def test_words_stay_words_without_a_renderer() -> None:
    assert escape("one\ntwo").split() == ["one", "<br>", "two"]

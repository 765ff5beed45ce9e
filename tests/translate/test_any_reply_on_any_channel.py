"""Whatever a bot says: valid messages or a named refusal, every word in order, nothing too long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config.media import MediaSettings
from bridge.model import Channel, Draft
from bridge.simulator import checks
from bridge.simulator.options import SimulatorSettings as SimulatedSite
from bridge.translate import Room, Translation, Translator
from tests.translate import contract, reading
from tests.translate.replies import replies, rooms

SHIPPED = Translator(MediaSettings())
CHANGED = Translator(
    MediaSettings.model_validate(
        {
            "on_unknown_file": "url",
            "base_url": "https://bot.example/files/",
            "part_numbers": True,
            "email_subject": "Your question",
            "files": [
                {"prefix": "https://cdn.example/", "key": "bot/{rest}"},
                {"pattern": r".*\.jpeg", "id": "f-1"},
            ],
            "channels": {
                "WEB": {"takes": ["TEXT", "RICHTEXT", "CARD", "MULTICARD", "LOCATE", "IMAGE"]},
                "TWITTER": {"markup": "html", "buttons": True},
                "TELEGRAM": {"markup": "whatsapp"},
                "WHATSAPP": {"takes": ["TEXT", "RICHTEXT"]},
            },
            "media": {"event": {"becomes": ["TEXT"]}},
            "templates": {"RICHTEXT": '{"html": {{content}}}'},
        }
    )
)
REFUSING = Translator(MediaSettings(on_unknown_file="refuse", max_messages=3, max_items=2))
SITE = SimulatedSite(strict=True)
LONG = Translator(MediaSettings(max_messages=1000))
ROOM = Room(limit=1900, overhead=480, as_json=True)
HTML = {Channel.WEB, Channel.EMAIL}
quick = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def checked(translation: Translation, channel: Channel, room: Room) -> tuple[Draft, ...]:
    """The drafts, which are valid; there is always an outcome, and nothing broke."""
    for draft in translation.drafts:
        assert contract.faults(draft, channel, room) == [], draft
        if channel is Channel.SMS and draft.media_type.value == "TEXT":
            assert contract.sms_units_left(draft.content) >= 0
    assert not [each for each in translation.refused if "could not be read" in each.sentence]
    skipped = any(each.code == "event_skipped" for each in translation.notes)
    assert translation.drafts or translation.refused or skipped
    return translation.drafts


@quick
@given(reply=replies, room=rooms)
@pytest.mark.parametrize(
    "translator", [SHIPPED, CHANGED, REFUSING], ids=["shipped", "changed", "refusing"]
)
def test_every_message_is_one_that_the_gateway_takes(
    translator: Translator, reply: dict[str, Any], room: Room
) -> None:
    for channel in Channel:
        checked(translator.translate(reply, channel, room), channel, room)


@quick
@given(reply=replies)
def test_the_simulated_gateway_agrees(reply: dict[str, Any]) -> None:
    for channel in Channel:
        for draft in SHIPPED.translate(reply, channel, ROOM).drafts:
            checks.message(sent(draft, channel), SITE)


def sent(draft: Draft, channel: Channel) -> dict[str, Any]:
    """The request of a draft, field by field as the page has them."""
    fields = {
        "from": "202301032048582419",
        "to": "anna@example.org" if channel is Channel.EMAIL else "40001",
        "channel": channel.value,
        "controlType": "CHAT",
        "mediaType": draft.media_type.value,
        "messageCode": "00000000-0000-5000-8000-000000000000",
        "senderNickname": "Anna",
        "senderAvatar": "DefaultAvatar",
        "sendTime": "1800000000000",
        "content": draft.content,
        "userId": "40001",
    }
    if draft.media_file_type:
        fields["mediaFileType"] = draft.media_file_type
    if draft.content_type:
        fields["contentType"] = draft.content_type
    data = json.dumps(fields, ensure_ascii=False)
    return {"callid": "1552524689-16797284", "userid": "40001", "data": data}


# -- words ---------------------------------------------------------------------------------------

ADDRESS = "https://shop.example/a/b_c?d=1&e=(f)"
FRAGMENTS = st.sampled_from(
    [
        ("Hello, world!", ["Hello", "world"]),
        ("**bold** and _slanted_", ["bold", "and", "slanted"]),
        ("snake_case_name 2 * 3 * 4", ["snake_case_name", "2", "3", "4"]),
        ("[the shop](https://shop.example/x)", ["the", "shop"]),
        (ADDRESS, [ADDRESS]),
        ("# Heading\n", ["Heading"]),
        ("\n- one\n- two\n", ["one", "two"]),
        ("\n1. first\n2. second\n", ["1", "first", "2", "second"]),
        ("a < b & c > d \"e\" 'f'", ["a", "b", "c", "d", "e", "f"]),
        ("<name> a < b", ["name", "a", "b"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("你好\uff0c世界。欢迎使用我们的服务\uff01", ["你好", "世界", "欢迎使用我们的服务"]),
        ("ありがとうございます。", ["ありがとうございます"]),
        ("👩‍👩‍👧 🇩🇪 e\u0301", ["👩‍👩‍👧", "🇩🇪", "e\u0301"]),
        ("क्षि स्त्री", ["क्षि", "स्त्री"]),
        ("tab\tand\u00a0space\u2028line", ["tab", "and", "space", "line"]),
        ("<https://shop.example/y|Our shop>", ["Our", "shop"]),
        ("&lt;x&gt; &amp; &#121;", ["x", "&", "y"]),
        ("<mark>lit</mark> <my-tag>kept</my-tag>", ["lit", "kept"]),
        (
            "<table><tr><td>Mon</td><td>9</td></tr><tr><td>Tue</td></tr></table>",
            ["Mon", "9", "Tue"],
        ),
        ("<ol><li>eins</li><li>zwei</li></ol>", ["eins", "zwei"]),
        ("**粗体**中文_斜体_", ["粗体", "中文", "斜体"]),
        ("\n\n", []),
        ("x" * 300, ["x" * 300]),
    ]
)


@quick
@given(
    fragments=st.lists(st.tuples(FRAGMENTS, st.integers(1, 12)), min_size=1, max_size=8),
    room=rooms,
)
def test_every_word_is_there_in_order(
    fragments: list[tuple[tuple[str, list[str]], int]], room: Room
) -> None:
    text = " ".join(" ".join([part] * times) for (part, _), times in fragments)
    wanted = [word for (_, words), times in fragments for word in words * times]
    for channel in Channel:
        drafts = checked(LONG.translate({"text": text}, channel, room), channel, room)
        rendered = channel in HTML and not room.text_only
        read = " ".join(reading.shown(draft, html_text=rendered) for draft in drafts)
        missing = reading.in_order(wanted, read)
        assert missing is None or not fits_whole(missing, channel, room), (missing, read)


def fits_whole(word: str, channel: Channel, room: Room) -> bool:
    """Whether a word could have been kept whole; a longer one is cut."""
    caps = [room.chars or 10**6, {Channel.WECHAT: 600, Channel.INSTAGRAM: 1000}.get(channel, 10**6)]
    return contract.size(word, room) <= room.limit and len(word) <= min(caps)


@quick
@given(text=st.text(max_size=3000), room=rooms)
def test_an_agents_words_come_as_they_were_written(text: str, room: Room) -> None:
    for channel in Channel:
        drafts = checked(LONG.text(text, channel, room), channel, room)
        rendered = channel in HTML and not room.text_only
        read = "".join(reading.shown(draft, html_text=rendered) for draft in drafts)
        assert reading.words("".join(read.split())) == reading.words("".join(cleaned(text).split()))


def cleaned(text: str) -> str:
    """Controls part words; nothing else is changed."""
    return "".join(" " if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 else char for char in text)


@quick
@given(
    st.lists(
        st.sampled_from(["👩‍👩‍👧", "🇩🇪", "e\u0301\u0302", "क्षि", "نّ", "字", "😀"]), min_size=200
    )
)
def test_what_is_read_as_one_character_is_never_cut(characters: list[str]) -> None:
    text = "".join(characters)
    for channel in Channel:
        drafts = SHIPPED.translate({"text": text}, channel, ROOM).drafts
        place = 0
        ends = set()
        for each in characters:
            place += len(each)
            ends.add(place)
        place = 0
        for draft in drafts:
            place += len(SHIPPED.plain(draft, channel) or "")
            assert place in ends
        assert place == len(text)


@quick
@given(st.lists(st.integers(1, 250), min_size=1, max_size=30), rooms)
def test_an_address_is_cut_only_where_it_is_longer_than_a_message(
    lengths: list[int], room: Room
) -> None:
    addresses = [
        f"https://shop.example/{number}/{'a' * length}" for number, length in enumerate(lengths)
    ]
    text = "Look: " + ", 看".join(f"{each} " for each in addresses)
    for channel in Channel:
        drafts = checked(LONG.translate({"text": text}, channel, room), channel, room)
        for each in addresses:
            if fits_whole(each, channel, room):
                assert sum(each in draft.content for draft in drafts) >= 1

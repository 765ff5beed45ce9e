"""The fallbacks of each kind: what docs/media.md says becomes of a part on each channel."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel, MediaType
from bridge.translate import Room, Translation, Translator

ROOM = Room(limit=1900, overhead=430, as_json=True)
BUTTONS = {
    "text": "Choose",
    "buttons": [{"title": "A", "payload": "/a{}"}, {"title": "B", "url": "https://b.example"}],
}
CARD = {"title": "Hat", "subtitle": "Red", "image_url": "https://cdn.example/hat.png"}
PAGE = {"type": "link", "title": "Shop", "description": "Hats", "url": "https://s.example"}


def translate(reply: Any, channel: str, **media: Any) -> Translation:
    translator = Translator(MediaSettings.model_validate(media))
    return translator.translate(reply, Channel(channel), ROOM)


def kinds(translation: Translation) -> list[str]:
    return [each.media_type.value for each in translation.drafts]


def codes(translation: Translation) -> list[str]:
    return [each.code for each in translation.notes]


def test_buttons_native_then_richtext_then_numbered_text() -> None:
    native = translate(BUTTONS, "FACEBOOK")
    assert kinds(native) == ["CARD"]
    assert native.notes == ()
    nearest = translate(BUTTONS, "WEB")
    assert kinds(nearest) == ["RICHTEXT"]
    assert codes(nearest) == ["links_as_richtext"]
    last = translate(BUTTONS, "TWITTER")
    assert last.drafts[0].content == "Choose\n1. A\n2. B: https://b.example"
    assert codes(last) == ["links_as_text"]
    assert last.notes[0].sentence == "links as TEXT: the channel takes no CARD or RICHTEXT"
    assert last.notes[0].draft == 0


def test_a_channels_row_says_whether_buttons_are_cards() -> None:
    row = {"takes": ["TEXT", "CARD"], "buttons": True}
    assert kinds(translate(BUTTONS, "TWITTER", channels={"TWITTER": row})) == ["CARD"]
    row["buttons"] = False
    plain = translate(BUTTONS, "TWITTER", channels={"TWITTER": row})
    assert kinds(plain) == ["TEXT"]
    assert "the channel has no buttons of its own" in plain.notes[0].sentence


def test_a_card_too_long_for_its_message_is_words() -> None:
    long = translate({**BUTTONS, "text": "word " * 400}, "FACEBOOK")
    assert set(kinds(long)) == {"TEXT"}
    assert "it is too long for one CARD" in long.notes[0].sentence


@pytest.mark.parametrize(
    ("takes", "expected"),
    [
        (["TEXT", "RICHTEXT", "CARD", "MULTICARD"], ["MULTICARD"]),
        (["TEXT", "RICHTEXT", "CARD"], ["CARD", "CARD"]),
        (["TEXT", "RICHTEXT"], ["RICHTEXT"]),
        (["TEXT"], ["TEXT"]),
    ],
)
def test_a_carousel(takes: list[str], expected: list[str]) -> None:
    reply = {"elements": [CARD, {**CARD, "title": "Cap"}]}
    assert kinds(translate(reply, "WEB", channels={"WEB": {"takes": takes}})) == expected


def test_a_carousel_longer_than_a_message_is_several() -> None:
    reply = {"elements": [{**CARD, "subtitle": "words " * 40} for _ in range(9)]}
    translation = translate(reply, "FACEBOOK")
    assert set(kinds(translation)) == {"MULTICARD"}
    cards = [card for each in translation.drafts for card in json.loads(each.content)["cards"]]
    assert len(cards) == 9


@pytest.mark.parametrize(
    ("takes", "expected"),
    [
        (["TEXT", "RICHTEXT", "WEBCARD", "CARD"], "WEBCARD"),
        (["TEXT", "RICHTEXT", "CARD"], "CARD"),
        (["TEXT", "RICHTEXT"], "RICHTEXT"),
        (["TEXT"], "TEXT"),
    ],
)
def test_a_pages_preview(takes: list[str], expected: str) -> None:
    translation = translate({"custom": PAGE}, "WEB", channels={"WEB": {"takes": takes}})
    assert kinds(translation) == [expected]
    assert "Hats" in translation.drafts[0].content


def test_a_location_is_named_as_the_channel_names_it() -> None:
    reply = {"custom": {"latitude": 52.5, "longitude": 13.4}}
    assert kinds(translate(reply, "TELEGRAM")) == ["LOCATION"]
    elsewhere = translate(reply, "WHATSAPP")
    assert kinds(elsewhere) == ["LOCATE"]
    assert elsewhere.notes == ()
    assert "openstreetmap.org" in translate(reply, "SMS").drafts[0].content


@pytest.mark.parametrize(
    ("custom", "native"),
    [
        ({"type": "template", "template": {"name": "hi", "language": {"code": "de"}}}, "WHATSAPP"),
        ({"type": "sms_template", "template": "T1"}, "SMS"),
    ],
)
def test_a_template_without_words_is_refused_elsewhere(custom: Any, native: str) -> None:
    assert kinds(translate({"custom": custom}, native)) == [f"{native}TEMPLATE"]
    elsewhere = translate({"custom": custom}, "WEB")
    assert elsewhere.drafts == ()
    assert elsewhere.refused[0].code.endswith("_template_refused")


def test_on_email_all_words_are_email() -> None:
    reply = {**BUTTONS, "custom": [PAGE, CARD, {"latitude": 1, "longitude": 2}, "**bold**"]}
    assert set(kinds(translate(reply, "EMAIL"))) == {"EMAIL"}


def test_a_reply_is_one_email() -> None:
    reply = {**BUTTONS, "custom": [PAGE, CARD, "**bold** & new", "A < B"], "image": "a.jpg"}
    (draft,) = translate(reply, "EMAIL").drafts
    for each in ("1. A", "b.example", "Hats", "hat.png", "<strong>bold</strong> &amp;", "a.jpg"):
        assert each in draft.content
    assert draft.content.endswith("<p>A &lt; B</p>\n<p>a.jpg</p>")


def test_an_email_comes_before_its_files_and_holds_their_captions() -> None:
    files = [{"prefix": "https://cdn.example/", "key": "b/{rest}"}]
    picture = {"type": "image", "payload": {"src": CARD["image_url"], "title": "A hat"}}
    reply = {"text": "Look", "attachment": picture, "elements": [{"title": "Last"}]}
    translation = translate(reply, "EMAIL", files=files)
    assert [(each.media_type.value, each.content) for each in translation.drafts] == [
        ("EMAIL", "Look <br>\n <br>\nA hat <br>\n <br>\nLast"),
        ("IMAGE", "b/hat.png"),
    ]


def test_what_does_not_fit_in_an_email_is_the_next() -> None:
    reply = {"text": "one " * 300, "custom": ["two " * 300, "three"]}
    drafts = translate(reply, "EMAIL").drafts
    assert [each.content.split()[0] for each in drafts] == ["one", "two"]
    assert drafts[1].content.endswith("three")


def test_emails_of_different_subjects_stay_apart() -> None:
    mails = [{"type": "email", "subject": each, "text": f"about {each}"} for each in ("S", "T")]
    translation = translate({"text": "Hi", "custom": mails}, "EMAIL")
    assert [json.loads(each.content) for each in translation.drafts] == [
        {"subject": "S", "content": "Hi\n<p>about S</p>"},
        {"subject": "T", "content": "<p>about T</p>"},
    ]


def test_a_note_names_the_email_that_its_part_went_into() -> None:
    reply = {"text": "Hi", "image": "https://cdn.example/a.jpg"}
    translation = translate(reply, "EMAIL")
    (note,) = translation.notes
    assert (len(translation.drafts), note.draft) == (1, 0)
    assert note.sentence.startswith("image as EMAIL")


def test_an_email_has_a_subject_where_one_is_known() -> None:
    assert translate({"text": "Hi"}, "EMAIL").drafts[0].content == "Hi"
    subject = translate({"text": "A & B"}, "EMAIL", email_subject='Your "order"')
    assert json.loads(subject.drafts[0].content) == {
        "subject": 'Your "order"',
        "content": "A &amp; B",
    }
    own = translate({"custom": {"type": "email", "subject": "S", "text": "x " * 900}}, "EMAIL")
    assert len(own.drafts) > 1
    assert {json.loads(each.content)["subject"] for each in own.drafts} == {"S"}


def test_a_private_deployment_carries_words_alone() -> None:
    private = Room(limit=1900, overhead=0, as_json=False, text_only=True)
    translator = Translator(MediaSettings(on_unknown_file="url"))
    reply = {**BUTTONS, "image": "https://cdn.example/a.jpg", "elements": [CARD, CARD]}
    for channel in Channel:
        drafts = translator.translate(reply, channel, private).drafts
        assert {each.media_type for each in drafts} <= {MediaType.TEXT, MediaType.EMAIL}
        assert drafts[0].content.startswith("Choose\n1. A\n2. B: https://b.example")


def test_a_row_of_the_media_table_is_changed() -> None:
    cards = {"carousel": {"becomes": ["TEXT"]}}
    assert kinds(translate({"elements": [CARD, CARD]}, "FACEBOOK", media=cards)) == ["TEXT"]
    never = {"image": {"becomes": ["IMAGE"]}}
    refused = translate({"image": "https://cdn.example/a.webp"}, "WEB", media=never)
    assert refused.refused[0].code == "image_refused"
    silent = translate({"image": "x.png"}, "WEB", media={"image": {"becomes": []}})
    assert codes(silent) == ["event_skipped"]


def test_an_event_is_skipped_and_counted_or_read() -> None:
    event = {"custom": {"data": {"event_type": "open", "text": "Opening"}}}
    skipped = translate(event, "WEB")
    assert (skipped.drafts, skipped.refused, codes(skipped)) == ((), (), ["event_skipped"])
    read = translate(event, "WEB", media={"event": {"becomes": ["TEXT"]}})
    assert [each.content for each in read.drafts] == ["Opening"]


def test_a_template_inserts_values_once_and_encoded() -> None:
    template = '{"t": {{title}}, "again": {{title}}, "at": [{{latitude}}, {{longitude}}]}'
    reply = {"custom": {"latitude": 1.5, "longitude": 2, "title": 'The "{{address}}" \\ {{title}}'}}
    (draft,) = translate(reply, "LINE", templates={"LOCATE": template}).drafts
    title = 'The "{{address}}" \\ {{title}}'
    assert json.loads(draft.content) == {"t": title, "again": title, "at": [1.5, 2.0]}


def test_a_shape_of_the_bots_own_is_one_row() -> None:
    shape = {
        "match": {"payload": "price_tag", "data.page": "*"},
        "as": "web_card",
        "fields": {"title": "data.product", "description": "data.price", "url": "data.page"},
    }
    data = {"product": "Hat", "price": 5, "page": "https://s.example"}
    reply = {"custom": {"payload": "price_tag", "data": data}}
    (draft,) = translate(reply, "WEB", shapes=[shape]).drafts
    assert json.loads(draft.content)["description"] == "5"
    assert draft.media_type is MediaType.WEBCARD


@pytest.mark.parametrize("kind", ["carousel", "buttons", "location", "cobrowse", "video", "email"])
def test_a_shape_of_the_bots_own_may_find_nothing(kind: str) -> None:
    shape = {"match": {"x": 1}, "as": kind, "fields": {"url": "a.b.0.c", "cards": "q"}}
    translation = translate({"custom": {"x": 1}}, "WEB", shapes=[shape])
    assert translation.drafts == ()
    assert translation.refused


def test_rasa_sends_in_this_order() -> None:
    reply = {
        "elements": [{"title": "six"}],
        "attachment": "five",
        "image": "https://four.example/x.png",
        "custom": {"text": "three"},
        "buttons": [{"title": "two"}],
        "text": "one",
    }
    contents = [each.content for each in translate(reply, "SMS").drafts]
    assert contents == ["one\n1. two", "three", "https://four.example/x.png", "five", "six"]


def test_quick_replies_go_before_buttons_and_instead_of_them() -> None:
    reply = {"text": "x", "quick_replies": [{"title": "q"}], "buttons": [{"title": "b"}]}
    translation = translate(reply, "SMS")
    assert [each.content for each in translation.drafts] == ["x\n1. q"]
    assert codes(translation) == ["left_out", "buttons_as_text"]


def test_what_is_for_the_bot_is_never_shown() -> None:
    buttons = [
        {"title": "Yes", "payload": '/affirm{"x": 1}'},
        {"payload": "/hidden"},
        {"payload": '{"json": 1}'},
        {"title": "", "payload": "Say this"},
        {"title": "Script", "url": "javascript:alert(1)"},
    ]
    (draft,) = translate({"text": "?", "buttons": buttons}, "SMS").drafts
    assert draft.content == "?\n1. Yes\n2. Say this\n3. Script"


TITLES = [
    (["Yes", "No"], ["1. Yes", "2. No"]),
    (["5", "4", "Other"], ["5", "4", "Other"]),
    (["1️⃣", "2️⃣"], ["1️⃣", "2️⃣"]),
    (["10:30", "11:00"], ["10:30", "11:00"]),
    (["2 people", "More"], ["- 2 people", "- More"]),
    (["(1) Gold", "(2) Silver"], ["- (1) Gold", "- (2) Silver"]),
    (["٣ أيام", "غدا"], ["- ٣ أيام", "- غدا"]),
    (["Room 2", "Room 1"], ["1. Room 2", "2. Room 1"]),
]


@pytest.mark.parametrize(("titles", "lines"), TITLES, ids=[each[0][0] for each in TITLES])
@pytest.mark.parametrize("channel", ["SMS", "WEB"])
def test_a_number_has_one_meaning(titles: list[str], lines: list[str], channel: str) -> None:
    buttons = [{"title": title, "payload": f"/p{place}"} for place, title in enumerate(titles)]
    (draft,) = translate({"text": "**Which?**", "buttons": buttons}, channel).drafts
    shown = Translator(MediaSettings()).plain(draft, Channel(channel))
    assert (shown or "").split("\n")[1:] == lines


@pytest.mark.parametrize("channel", ["SMS", "WEB", "EMAIL", "WHATSAPP"])
def test_the_lists_of_one_reply_go_on_counting(channel: str) -> None:
    def buttons(*titles: str) -> list[dict[str, str]]:
        return [{"title": title, "url": "https://s.example"} for title in titles]

    cards = [
        {"title": "Hat", "buttons": buttons("C", "D")},
        {"title": "5", "buttons": buttons("5")},
    ]
    reply = {
        "text": "?",
        "buttons": buttons("A", "B"),
        "custom": {"answers": [{"type": "hints", "options": ["E", "F"]}]},
        "elements": [*cards, {"title": "Cap", "buttons": buttons("G")}],
    }
    translator = Translator(MediaSettings())
    for _ in range(2):
        drafts = translator.translate(reply, Channel(channel), ROOM).drafts
        texts = [translator.plain(draft, Channel(channel)) or "" for draft in drafts]
        assert re.findall(r"^(\d)\. (\w)", "\n".join(texts), re.MULTILINE) == [
            *(("1", "A"), ("2", "B"), ("3", "E"), ("4", "F")),
            *(("5", "C"), ("6", "D"), ("7", "G")),
        ]


def test_a_rasa_channel_is_one_row() -> None:
    rows = {"my_viber": "WEB", "rest": {"channel": "SMS", "output": "mine", "push": True}}
    translator = Translator(MediaSettings.model_validate({"rasa_channels": rows}))
    own, changed, shipped = map(translator.rasa_channel, ("my_viber", "rest", "whatsapp_cloud"))
    assert own is not None
    assert own.channel is Channel.WEB
    assert changed is not None
    assert (changed.channel, changed.output, changed.push) == (Channel.SMS, "mine", True)
    assert shipped is not None
    assert shipped.channel is Channel.WHATSAPP
    assert translator.rasa_channel("nobody") is None

"""Files: what an address is of, what the gateway knows it as, and what becomes of the others."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel, Draft, MediaType
from bridge.translate import Room, Translation, Translator

ROOM = Room(limit=1900, overhead=430, as_json=True)


def translate(reply: Any, channel: Channel = Channel.WEB, **media: Any) -> Translation:
    return Translator(MediaSettings.model_validate(media)).translate(reply, channel, ROOM)


def one(reply: Any, channel: Channel = Channel.WEB, **media: Any) -> Draft:
    (draft,) = translate(reply, channel, **media).drafts
    return draft


TYPES = [
    ("image", "https://c.example/a.jpg", "IMAGE", "jpg"),
    ("image", "https://c.example/a.JPEG?w=1#x", "IMAGE", "jpeg"),
    ("image", "https://c.example/a%2Epng", "IMAGE", "png"),
    ("image", "https://c.example/a.gif", "EMOTICONS", "gif"),
    ("image", "https://c.example/a.pdf", "DOCUMENT", "pdf"),
    ("image", "https://c.example/a.mp4", "VIDEO", None),
    ("audio", "https://c.example/a.mp4", "AUDIO", "mp4"),
    ("audio", "https://c.example/a.AAC", "AUDIO", "aac"),
    ("video", "https://c.example/a.webm", "VIDEO", None),
    ("file", "https://c.example/a.rtf", "DOCUMENT", "RTF"),
    ("file", "https://c.example/a.docx", "DOCUMENT", "docx"),
    ("image", "https://c.example/a.webp", "RICHTEXT", None),
    ("image", "https://c.example/a.gifv", "RICHTEXT", None),
    ("image", "https://c.example/a", "RICHTEXT", None),
    ("image", "https://c.example/a?file=b.jpg", "RICHTEXT", None),
    ("image", "https://c.example/a.jpg/", "RICHTEXT", None),
    ("file", "https://c.example/a.xlsx", "RICHTEXT", None),
    ("video", "https://www.youtube.com/embed/x", "RICHTEXT", None),
    ("image", "static/a.jpg", "TEXT", None),
]


@pytest.mark.parametrize(("kind", "address", "media_type", "file_type"), TYPES)
def test_the_extension_says_what_it_is(
    kind: str, address: str, media_type: str, file_type: str | None
) -> None:
    reply = {"attachment": {"type": kind, "payload": {"src": address}}}
    draft = one(reply, on_unknown_file="url")
    assert (draft.media_type.value, draft.media_file_type) == (media_type, file_type)
    linked = f'<p><a href="{address}">{address}</a></p>'
    assert draft.content == (linked if media_type == "RICHTEXT" else address)
    assert draft.content_type is None


FILES = [
    {"url": "https://c.example/menu.jpg", "id": "exact"},
    {"prefix": "https://c.example/docs/", "key": "bot/{rest}"},
    {"prefix": "https://c.example/", "id": "prefix"},
    {"pattern": r"https://img\.example/(\w+)/(\d+)", "id": "{2}-{1}-{3}", "file_type": "png"},
    {"pattern": ".*/clip", "id": "clip", "media_type": "VIDEO"},
    {"prefix": "static/", "key": "static/{rest}"},
]


@pytest.mark.parametrize(
    ("address", "draft"),
    [
        ("https://c.example/menu.jpg", Draft(MediaType.IMAGE, "exact", "jpg")),
        (
            "https://c.example/docs/a/b.pdf?v=1",
            Draft(MediaType.DOCUMENT, "bot/a/b.pdf", "pdf", "1"),
        ),
        ("https://c.example/other", Draft(MediaType.IMAGE, "prefix")),
        ("https://img.example/ab/12", Draft(MediaType.IMAGE, "12-ab-", "png")),
        ("https://x.example/clip", Draft(MediaType.VIDEO, "clip")),
        ("static/a.png", Draft(MediaType.IMAGE, "static/a.png", "png", "1")),
    ],
)
def test_the_look_up_goes_from_exact_to_pattern(address: str, draft: Draft) -> None:
    assert one({"image": address}, files=FILES) == draft


def test_a_known_file_of_an_unlisted_type_is_a_link() -> None:
    translation = translate({"image": "https://c.example/a.webp"}, Channel.WECHAT, files=FILES)
    assert [each.content for each in translation.drafts] == ["https://c.example/a.webp"]
    assert "IMAGE lists no file type webp" in translation.notes[0].sentence


def test_a_relative_address_is_found_with_and_without_its_base() -> None:
    base = "https://bot.example/files/"
    relative = {"image": "/img/a.jpg"}
    known = [{"url": "https://bot.example/img/a.jpg", "id": "f"}]
    assert one(relative, base_url=base, files=known).content == "f"
    assert "https://bot.example/img/a.jpg" in one(relative, base_url=base).content
    assert one(relative).content == "/img/a.jpg"


def test_a_caption_is_read_with_the_file_or_with_its_link() -> None:
    reply = {"custom": {"photo": "https://c.example/a.jpg", "caption": "Our *new* hat"}}
    known = translate(reply, files=FILES).drafts
    assert [each.content for each in known] == ["prefix", "Our new hat"]
    assert one(reply, Channel.SMS).content == "Our new hat\nhttps://c.example/a.jpg"


def test_a_refused_file_keeps_its_caption() -> None:
    reply = {"custom": {"photo": "https://c.example/a.jpg", "caption": "Our hat"}}
    translation = translate(reply, on_unknown_file="refuse")
    assert [each.content for each in translation.drafts] == ["Our hat"]
    assert [each.code for each in translation.refused] == ["unknown_file"]
    card = {"title": "Hat", "subtitle": "x", "image_url": "https://c.example/a.jpg"}
    assert "c.example" not in one({"custom": card}, on_unknown_file="refuse").content


@pytest.mark.parametrize("address", ["data:image/png;base64," + "A" * 9000, "blob:x", "CAACAgIA"])
def test_what_is_no_address_is_not_shown(address: str) -> None:
    alone = translate({"image": address})
    assert alone.drafts == ()
    assert [each.code for each in alone.refused] == ["image_refused"]
    named = translate({"image": {"url": address, "alt": "A hat"}})
    assert [each.content for each in named.drafts] == ["A hat"]


def test_a_pattern_of_hours_does_not_hold_a_reply_up() -> None:
    slow = [{"pattern": "https://c.example/(a|aa)+", "id": "x"}]
    reply = {"image": "https://c.example/" + "a" * 500 + "!"}
    assert one(reply, files=slow).media_type is MediaType.RICHTEXT


LINK = '<p><a href="https://c.example/p.pdf">https://c.example/p.pdf</a></p>'


@pytest.mark.parametrize("channel", [Channel.WEB, Channel.EMAIL])
@pytest.mark.parametrize(
    ("payload", "content"),
    [
        ({"title": "Price list"}, '<p><a href="https://c.example/p.pdf">Price list</a></p>'),
        ({}, LINK),
        (
            {"title": "Our **new** list"},
            f"<p>Our <strong>new</strong> list</p>\n{LINK}",
        ),
    ],
)
def test_a_file_is_a_link_where_there_are_links(
    channel: Channel, payload: dict[str, str], content: str
) -> None:
    reply = {"custom": {"payload": "pdf_attachment", "url": "https://c.example/p.pdf", **payload}}
    draft = one(reply, channel)
    assert draft.content == content
    chain = {"document": {"becomes": ["DOCUMENT", "TEXT"]}}
    assert "<a" not in "".join(
        each.content for each in translate(reply, channel, media=chain).drafts
    )


def test_a_card_names_its_picture_as_the_gateway_knows_it() -> None:
    card = {"title": "Hat", "image_url": "https://c.example/menu.jpg", "subtitle": "x"}
    (draft,) = translate({"elements": [card]}, Channel.FACEBOOK, files=FILES).drafts
    assert '"mediaFileId": "exact", "mediaFileType": "jpg"' in draft.content

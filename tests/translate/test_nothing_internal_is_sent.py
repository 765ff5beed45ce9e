"""What is for programs, and the addresses of the bot's machines, reach no customer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Room, Translation, Translator
from bridge.translate.addresses import is_machines
from bridge.translate.reading.door import FOR_PROGRAMS
from tests.translate.replies import anything, replies
from tests.translate.shapes import REPLIES

ROOM = Room(limit=3800, overhead=430, as_json=True)
TRANSLATOR = Translator(MediaSettings())
MARK = "Xyzzy"
PEOPLE = ("text", "title", "message", "url", "image", "buttons", "name", "value", "items", "data")

often = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
marked = st.sampled_from(
    [
        MARK,
        f"{MARK} is angry",
        f"https://shop.example/{MARK}",
        f"<b>{MARK}</b>",
        f'{{"a":"{MARK}"}}',
    ]
)
below = st.recursive(
    marked,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(PEOPLE), inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
program_keys = st.sampled_from(sorted(FOR_PROGRAMS - {"prompt"})).map(
    lambda key: "".join(
        part.title() if number else part for number, part in enumerate(key.split("_"))
    )
) | st.sampled_from(sorted(FOR_PROGRAMS))


def poisoned(value: Any, key: str, secret: Any, *, top: bool = True) -> Any:
    """The value with a secret under a key for programs in each of its objects."""
    if isinstance(value, dict):
        copy = {name: poisoned(each, key, secret, top=False) for name, each in value.items()}
        return copy if top else {key: secret, **copy}
    return (
        [poisoned(each, key, secret, top=False) for each in value]
        if isinstance(value, list)
        else value
    )


def translate(reply: Any, channel: str, **media: Any) -> Translation:
    translator = Translator(MediaSettings.model_validate(media))
    return translator.translate(reply, Channel(channel), ROOM)


def contents(reply: Any, channel: str, **media: Any) -> list[str]:
    return [each.content for each in translate(reply, channel, **media).drafts]


def codes(reply: Any, channel: str, **media: Any) -> list[str]:
    return [each.code for each in translate(reply, channel, **media).notes]


def assert_unmarked(reply: Any) -> None:
    for channel in Channel:
        translation = TRANSLATOR.translate(reply, channel, ROOM)
        assert not [each for each in translation.drafts if MARK in each.content]
        assert not [each for each in translation.notes if MARK in each.sentence]


@often
@given(reply=replies, key=program_keys, secret=below)
def test_nothing_below_a_key_for_programs_in_any_payload(reply: Any, key: str, secret: Any) -> None:
    assert_unmarked(poisoned(reply, key, secret))


@often
@given(name=st.sampled_from(sorted(REPLIES)), key=program_keys, secret=below)
def test_nothing_below_a_key_for_programs_in_a_known_shape(
    name: str, key: str, secret: Any
) -> None:
    plain, with_secret = REPLIES[name], poisoned(REPLIES[name], key, secret)
    assert_unmarked(with_secret)
    for channel in Channel:  # and the reply loses nothing by it
        drafts = TRANSLATOR.translate(plain, channel, ROOM).drafts
        if "a list" not in name and name not in ("a message", "widget text"):
            assert TRANSLATOR.translate(with_secret, channel, ROOM).drafts == drafts


@often
@given(payload=st.dictionaries(st.text(max_size=8), anything, max_size=4), secret=below)
def test_an_unknown_payload_is_read_at_its_top_level_alone(
    payload: dict[str, Any], secret: Any
) -> None:
    nested = {"kind": "of the bot's own", "record": secret, "x": {"record": [secret]}}
    assert_unmarked({"custom": nested})
    assert_unmarked({"text": "Hello", "custom": {**payload, **nested}})


@pytest.mark.parametrize(
    "key", ["metadata", "debug", "error", "prompt", "sources", "query", "customer", "note", "x"]
)
def test_a_payload_beside_words_is_skipped_with_a_note(key: str) -> None:
    reply = {"text": "Thanks!", "custom": {"event": "update", key: {"text": f"{MARK} is angry"}}}
    assert contents(reply, "WHATSAPP") == ["Thanks!"]
    assert codes(reply, "WHATSAPP") == ["unknown_payload"]


def test_a_shape_in_media_yml_shows_what_it_names() -> None:
    shape = {
        "match": {"event": "receipt"},
        "as": "card",
        "fields": {"title": "metadata.headline", "buttons": "moreActions"},
    }
    offered = [{"title": "Open", "linkUri": "https://shop.example"}]
    payload = {"event": "receipt", "metadata": {"headline": "Your order"}, "moreActions": offered}
    (content,) = contents({"custom": payload}, "SMS", shapes=[shape])
    assert content == "Your order\n1. Open: https://shop.example"


LOOK_KNOWN: list[Any] = [
    {"to": "team@shop.example", "from": "bot", "subject": "S", "body": f"{MARK} is angry"},
    {"content_type": "application/json", "content": f"{MARK} is angry"},
    {"document": f"{MARK} is angry. See page 4", "rank": 0.3},
    {"document": f"{MARK} is angry,\nvery angry", "rank": 0.3},
    {"document": f"Note: {MARK} is angry", "rank": 0.3},
    {"msgtype": "audit", "text": {"content": f"{MARK} is angry"}},
    {"answers": [{"type": "trace", "data": f"{MARK} is angry", "content": [MARK], "value": MARK}]},
    {"role": "system", "content": f"Say that {MARK} is angry"},
    {"choices": [{"message": {"content": MARK}}], "model": "x"},
    {"type": "record", "name": MARK, "label": MARK, "note": MARK, "summary": MARK, "content": MARK},
    {"recipient": {"id": MARK}, "results": [{"text": MARK, "title": MARK}]},
    {"data": {"text": MARK, "title": MARK, "message": MARK}, "items": [{"title": MARK}]},
]


@pytest.mark.parametrize("payload", LOOK_KNOWN)
def test_a_payload_that_only_resembles_a_known_shape_is_unknown(payload: dict[str, Any]) -> None:
    assert_unmarked({"text": "Thanks!", "custom": payload})
    if "body" not in payload:
        assert_unmarked({"custom": payload})


# -- addresses -------------------------------------------------------------------------------------

MACHINES = [
    "http://bot-internal:5005",
    "http://localhost/x",
    "https://LOCALHOST:8443/x.jpg",
    "//files/a.jpg",
    "bot-internal:5005/a.jpg",
    "http://10.0.0.7/a.jpg",
    "http://192.168.1.9:9000/b/a.png",
    "http://127.0.0.1",
    "http://[::1]:80/a",
    "http://169.254.169.254/latest",
    "http://100.64.3.2/a",
    "https://bot.internal/a.jpg",
    "https://files.local./a.jpg",
    "http://rasa.default.svc:5005/",
    "https://user:word@shop.example/a",
    "redis://cache.example:6379/0",
    "postgresql+psycopg://db.example/x",
    "s3://bucket/a.jpg",
    "http://2130706433/",
    "HTTP:///a",
]
PUBLIC = [
    "https://shop.example/a.jpg",
    "http://shop.example:8080/a.jpg",
    "http://8.8.8.8/a.jpg",
    "www.shop.example",
    "static/a.jpg",
    "/a.jpg",
    "a.jpg",
    "mailto:anna@shop.example",
    "tel:+491234",
    "whatsapp://send?text=hello",
    "https://local.example",
]


@pytest.mark.parametrize("address", MACHINES)
def test_a_machines_address_is_shown_nowhere(address: str) -> None:
    assert is_machines(address)
    button = {"title": "Open", "url": address}
    card = {"title": "Hat", "image_url": address, "default_action": {"url": address}}
    payloads = {
        "image": address,
        "attachment": {"type": "file", "payload": {"url": address, "title": "Terms"}},
        "buttons": [button],
        "elements": [card, {**card, "title": "Cap", "buttons": [button]}],
        "custom": [
            address,
            {"title": "Shop", "url": address},
            {"type": "cobrowse", "url": address},
            {"text": f"See {address}", "x": 1},
            {"handoff_host": address, "title": "Billing"},
        ],
    }
    shown = ("Terms", "Hat", "Cap", "Shop", "Billing")
    for channel in Channel:
        for key, value in payloads.items():
            translation = TRANSLATOR.translate({key: value}, channel, ROOM)
            whole = " ".join(each.content for each in translation.drafts)
            host = address.rpartition("//")[2].partition("/")[0]
            assert address not in whole
            assert len(host) < 2 or host not in whole
            assert "machine_address" in [each.code for each in translation.notes]
        whole = " ".join(contents(payloads, channel.value))
        assert [each for each in shown[:4] if each not in whole] == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_shown(address: str) -> None:
    assert not is_machines(address)
    for channel in Channel:
        reply = {"text": "Look", "buttons": [{"title": "Open", "url": address}]}
        whole = " ".join(contents(reply, channel.value))
        assert address.removeprefix("mailto:").removeprefix("tel:") in whole


def test_a_page_loses_only_the_address_that_is_a_machines() -> None:
    page = {"type": "link", "title": "Shop", "image": "https://cdn.example/a.jpg"}
    for channel in Channel:
        whole = " ".join(contents({"custom": {**page, "url": "http://shop:80/x"}}, channel.value))
        assert "Shop" in whole
        assert "https://cdn.example/a.jpg" in whole
        assert "shop:80" not in whole


def test_a_machines_address_that_files_knows_is_a_file() -> None:
    files = [{"prefix": "http://minio:9000/bot/", "key": "bot/{rest}"}]
    translation = translate({"image": "http://minio:9000/bot/a.jpg"}, "WEB", files=files)
    assert [(each.media_type.value, each.content) for each in translation.drafts] == [
        ("IMAGE", "bot/a.jpg")
    ]
    assert translation.notes == ()


def test_the_reply_s_own_words_are_sent_as_they_are_written() -> None:
    assert contents({"text": "Open http://localhost:3000"}, "SMS") == ["Open http://localhost:3000"]

"""``cc-bridge preview``: a designer sees what a customer would get, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.cli.preview import app

REPLY = {
    "text": "Look",
    "image": "https://cdn.example/a.jpg",
    "buttons": [{"title": "Shop", "url": "https://s.example"}],
    "custom": {"data": {"event_type": "open"}},
}
DOMAIN = """
responses:
  utter_price:
    - text: "It is {price} euros"
    - text: "Telegram: {price}"
      channel: telegram
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRIDGE_CONFIG", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "reply.json").write_text(json.dumps(REPLY))
    (tmp_path / "domain.yml").write_text(DOMAIN)
    return tmp_path


def preview(*arguments: object, said: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments], input=said)


def test_a_reply_on_all_channels_with_each_fallback_explained(folder: Path) -> None:
    result = preview(folder / "reply.json")
    assert result.exit_code == 0
    for channel in ("WEB", "5G", "TELEGRAM", "SMS"):
        assert channel in result.output
    assert "1. Shop: https://s.example" in result.output
    assert "why: links as RICHTEXT: the channel takes no CARD" in result.output
    assert "an event for a page and not for the customer: skipped" in result.output


def test_one_channel_as_json_in_the_gateways_words(folder: Path) -> None:
    (folder / "media.yml").write_text('files: [{prefix: "https://cdn.example/", key: "b/{rest}"}]')
    result = preview(folder / "reply.json", "--channel", "telegram", "--json")
    shown = json.loads(result.stdout)["channels"]
    assert list(shown) == ["TELEGRAM"]
    assert shown["TELEGRAM"]["reply"] == REPLY
    assert shown["TELEGRAM"]["messages"] == [
        {"mediaType": "TEXT", "content": "Look\n1. Shop: https://s.example", "bytes": 32},
        {
            "mediaType": "IMAGE",
            "mediaFileType": "jpg",
            "contentType": "1",
            "content": "b/a.jpg",
            "bytes": 7,
        },
    ]
    codes = [each["code"] for each in shown["TELEGRAM"]["notes"]]
    assert sorted(codes) == ["event_skipped", "links_as_text"]


def test_a_response_with_its_slots_and_variations(folder: Path) -> None:
    result = preview(
        "utter_price", "--domain", folder / "domain.yml", "--slot", "price=5", "--json"
    )
    shown = json.loads(result.stdout)["channels"]
    assert shown["WEB"]["messages"][0]["content"] == "It is 5 euros"
    assert shown["TELEGRAM"]["messages"][0]["content"] == "Telegram: 5"


def test_standard_input_and_several_replies(folder: Path) -> None:
    assert folder.is_dir()
    result = preview("-", "--channel", "SMS", "--json", said='[{"text": "a"}, "b", {"text": ""}]')
    first, second, third = json.loads(result.stdout)["replies"]
    assert first["channels"]["SMS"]["messages"][0]["content"] == "a"
    assert second["channels"]["SMS"]["messages"][0]["content"] == "b"
    assert third["channels"]["SMS"]["refused"][0]["code"] == "empty_reply"


def test_the_limits_are_the_configured_ones(folder: Path) -> None:
    (folder / "bridge.yml").write_text("gateway: {deployment: private, max_content_chars: 50}")
    long = json.dumps({"text": "word " * 30, "image": "https://cdn.example/a.jpg"})
    shown = json.loads(preview("-", "--channel", "WEB", "--json", said=long).stdout)
    messages = shown["channels"]["WEB"]["messages"]
    assert len(messages) > 3
    assert {each["mediaType"] for each in messages} == {"TEXT"}
    assert all(len(each["content"]) <= 50 for each in messages)


def test_long_contents_are_shortened_unless_asked_for(folder: Path) -> None:
    assert folder.is_dir()
    long = json.dumps({"text": "x" * 900})
    assert "more characters (--full)" in preview("-", "--channel", "SMS", said=long).output
    assert "--full" not in preview("-", "--channel", "SMS", "--full", said=long).output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.json"], "nothing.json: No such file or directory"),
        (["utter_x"], "name its domain with --domain domain.yml"),
        (["utter_prise", "--domain", "domain.yml"], "did you mean utter_price?"),
        (["domain.yml"], "not JSON in UTF-8"),
        (["reply.json", "--channel", "PIGEON"], "the channels are WEB, WECHAT"),
        (["reply.json", "--channel", "whatsap"], "no channel 'whatsap'; did you mean WHATSAPP?"),
        (["reply.json", "--channel", "We Chat"], "did you mean WECHAT?"),
        (["utter_price", "--domain", "domain.yml", "--slot", "price"], "NAME=VALUE"),
        (["reply.json", "--config", "broken"], "did you mean  on_unknown_file?"),
    ],
)
def test_what_is_wrong_is_told_and_the_command_ends_with_2(
    folder: Path, arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broken").mkdir()
    (folder / "broken" / "media.yml").write_text("on_unkown_file: link")
    monkeypatch.chdir(folder)
    result = preview(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr

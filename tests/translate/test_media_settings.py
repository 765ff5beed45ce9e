"""``media.yml``: every fault has its place and says what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import load
from bridge.config.media import MediaSettings
from bridge.config.templates import parse
from bridge.errors import ConfigurationError

URL = {"BRIDGE__GATEWAY__URL": "https://gw.example:8043"}
WRONG = [
    ("channels: {WEBB: {}}", "channels.WEBB", "WEB?"),
    ("channels: {WEB: {takes: [TEXT, PICTURE]}}", "channels.WEB.takes", "TEXT"),
    ("channels: {WEB: {takes: [TEXT, EMAIL]}}", "channels.WEB.takes", "only EMAIL supports EMAIL"),
    (
        "channels: {SMS: {takes: [TEXT, LOCATION]}}",
        "channels.SMS",
        "only TELEGRAM supports LOCATION",
    ),
    (
        "channels: {TELEGRAM: {takes: [TEXT, LOCATE]}}",
        "channels.TELEGRAM",
        "remove LOCATE from the list",
    ),
    ("channels: {EMAIL: {takes: [TEXT, EMAIL]}}", "channels.EMAIL", "remove TEXT from the list"),
    ("channels: {WEB: {takes: [IMAGE]}}", "channels.WEB.takes", "a list without TEXT"),
    ("channels: {WEB: {markup: xml}}", "channels.WEB.markup", "plain"),
    ("channels: {WEB: {max_chars: 10}}", "channels.WEB.max_chars", "50"),
    ("rasa_channels: {mine: NOWHERE}", "rasa_channels.mine", "WHATSAPP"),
    ("rasa_channels: {mine: {push: true}}", "rasa_channels.mine", "channel"),
    ("media: {pictures: {becomes: [TEXT]}}", "media.pictures", "image"),
    ("media: {image: {becomes: [IMAGE, IMAGE]}}", "media.image.becomes", "each media type once"),
    ("files: [{url: a, prefix: b, id: x}]", "files[0]", "one of url, prefix and pattern"),
    ("files: [{url: a}]", "files[0]", "either id (multimedia library) or key"),
    (
        "files: [{pattern: '(', id: x}]",
        "files[0].pattern",
        "this one has missing )",
    ),
    ("files: [{url: a, id: x, file_type: rtf}]", "files[0].file_type", "RTF"),
    ("files: [{url: a, id: x, media_type: CARD}]", "files[0].media_type", "DOCUMENT"),
    (
        "files: [{url: a, id: x, media_type: VIDEO, file_type: mp4}]",
        "file_type",
        "VIDEO has no file types",
    ),
    ("templates: {TEXT: '1'}", "templates.TEXT", "WEBCARD"),
    ("templates: {CARD: '{\"a\": {{titel}}}'}", "templates.CARD", "not 'titel'"),
    ('templates: {CARD: \'{"a": "{{title}}"}\'}', "templates.CARD", "without quotes"),
    ("templates: {CARD: '{'}", "templates.CARD", "JSON"),
    ("shapes: [{match: {}, as: link}]", "shapes[0].match", "at least one path"),
    ("shapes: [{match: {a: 1}, as: poem}]", "shapes[0].as", "web_card"),
    ("shapes: [{match: {a: 1}, as: link, fields: {uri: a}}]", "shapes[0].fields.uri", "url?"),
    ("base_url: bot.example", "base_url", "http"),
    ("max_messages: 0", "max_messages", "1"),
    ("on_unknown_file: fetch", "on_unknown_file", "link"),
]


@pytest.mark.parametrize(("text", "key", "allowed"), WRONG, ids=[each[0] for each in WRONG])
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, key: str, allowed: str) -> None:
    (tmp_path / "media.yml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, URL)
    (fault,) = caught.value.faults
    assert f"{tmp_path / 'media.yml'}, line 1" in fault
    assert key in fault
    assert allowed in fault


def test_the_examples_of_the_shipped_file_are_right(tmp_path: Path) -> None:
    """Comments right below an empty key are examples of it."""
    lines: list[str] = []
    example = False
    for line in (Path(__file__).parents[2] / "config" / "media.yml").read_text().splitlines():
        example = line.startswith("#") and (
            example or (bool(lines) and lines[-1].endswith((": {}", ": []")))
        )
        if example and lines[-1].endswith((": {}", ": []")):
            lines[-1] = lines[-1][:-3]
        lines.append(line[1:] if example else line)
    (tmp_path / "media.yml").write_text("\n".join(lines))
    media = load(tmp_path, URL).media
    assert len(media.files) == 3
    assert set(media.rasa_channels) == {"my_viber", "my_widget"}
    assert len(media.channels) == len(media.templates) == len(media.shapes) == 1
    assert media.shapes[0].fields["url"] == "data.page"
    assert len(media.media) == 2


def test_without_a_file_the_tables_are_as_shipped(tmp_path: Path) -> None:
    assert load(tmp_path, URL).media == MediaSettings()


def test_a_template_names_its_fields() -> None:
    template = parse('{"a": {{ title }}, "b": [{{url}}]}')
    assert template.fields == {"title", "url"}
    assert template.render({"title": '"{{url}}"', "url": "1"}) == '{"a": "{{url}}", "b": [1]}'

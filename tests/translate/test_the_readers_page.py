"""docs/media.md shows the tables as they are."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from bridge.config import media as media_settings
from bridge.config.media import FILE_TYPES, Kind
from bridge.config.templates import FIELDS
from bridge.model import MediaType
from bridge.translate.channels import CHANNELS, RASA_CHANNELS
from bridge.translate.kinds import KINDS, TEMPLATES
from bridge.translate.writer import ChannelRow

MARKUP = {"html": "HTML", "plain": "plain", "whatsapp": "WhatsApp's markup"}
PAGE = (Path(__file__).parents[2] / "docs" / "media.md").read_text(encoding="utf-8")


def section(name: str) -> list[str]:
    """The lines of a table, without its head."""
    return PAGE.split(f"<!-- {name} -->\n")[1].split("\n<!-- end -->")[0].splitlines()[2:]


def limits(row: ChannelRow) -> str:
    found = [f"{row.max_chars:,} characters"] if row.max_chars else []
    found += [f"{row.max_segments} SMS segments"] if row.max_segments else []
    return ", ".join(found)


def channel_line(name: str, row: ChannelRow) -> str:
    takes = ", ".join(each.value for each in MediaType if each in row.takes)
    text = f"{row.text.value}, {MARKUP[row.markup]}"
    return f"| {name} | {takes} | {text} | {'CARD' if row.buttons else 'text'} | {limits(row)} |"


def test_the_channels() -> None:
    rows = [channel_line(channel.value, row) for channel, row in CHANNELS.items()]
    assert section("channels") == rows


def test_rasas_channels() -> None:
    rows = [
        f"| {name} | {row.channel.value} | {row.output or name} | {'yes' if row.push else 'no'} |"
        for name, row in RASA_CHANNELS.items()
    ]
    assert section("rasa channels") == rows


def test_the_media() -> None:
    comments = dict(
        re.findall(r'^    \w+ = "(\w+)"(?:  # (.*))?$', inspect.getsource(Kind), re.MULTILINE)
    )
    rows = [
        f"| {kind.value} | {comments[kind.value]} | "
        f"{', '.join(each.value for each in row.becomes) or 'nothing: skipped'} |"
        for kind, row in KINDS.items()
    ]
    assert section("media") == rows


def test_the_templates() -> None:
    assert section("templates")[-1] == "```"
    block = PAGE.split("<!-- templates -->\n")[1].split("\n<!-- end -->")[0].splitlines()
    assert block[1:-1] == [f"{name}: {source}" for name, source in TEMPLATES.items()]


def test_every_field_and_file_type_is_there() -> None:
    for field in FIELDS:
        assert f"`{field}`" in PAGE, field
    for media_type, types in FILE_TYPES.items():
        assert re.search(rf"^\| {media_type.value} \| {', '.join(types)}", PAGE, re.MULTILINE)
    assert media_settings.__doc__

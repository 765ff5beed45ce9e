"""A folder per row of the tables: the reply as a bot says it, the messages as they go out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.config.media import Kind, MediaSettings
from bridge.model import Channel, MediaType
from bridge.simulator import checks
from bridge.simulator.options import SimulatorSettings as SimulatedSite
from bridge.translate import Room, Translator
from bridge.translate.channels import CHANNELS, RASA_CHANNELS
from bridge.translate.kinds import KINDS, TEMPLATES
from bridge.translate.reading.shapes import SHAPES
from tests.translate import contract
from tests.translate.test_any_reply_on_any_channel import sent

FOLDER = Path(__file__).parents[1] / "fixtures" / "translate"
CASES = sorted(each.parent for each in FOLDER.glob("*/*/reply.json"))
ROOM = Room(limit=1900, overhead=430, as_json=True)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[f"{each.parent.name}/{each.name}" for each in CASES])
def test_the_reply_becomes_these_messages(case: Path) -> None:
    media = read(case / "media.json") if (case / "media.json").exists() else {}
    translator = Translator(MediaSettings.model_validate(media))
    for name, wire in read(case / "wire.json").items():
        channel = Channel(name)
        translation = translator.translate(read(case / "reply.json"), channel, ROOM)
        messages = []
        for draft in translation.drafts:
            assert contract.faults(draft, channel, ROOM) == []
            fields = json.loads(sent(draft, channel)["data"])
            checks.message(sent(draft, channel), SimulatedSite(strict=True))
            kept = ("mediaType", "mediaFileType", "content", "contentType")
            messages.append({key: fields[key] for key in kept if key in fields})
        assert messages == wire, name
        assert not translation.refused


def names(group: str) -> set[str]:
    return {each.name for each in (FOLDER / group).iterdir()}


def test_every_row_has_its_folder() -> None:
    assert names("channels") == {each.value for each in CHANNELS} == set(contract.CHANNELS)
    assert names("rasa_channels") == set(RASA_CHANNELS)
    assert names("kinds") == {each.value for each in KINDS} == {each.value for each in Kind}
    assert names("shapes") >= {each.name for each in SHAPES}


def test_every_media_type_is_native_to_one_row() -> None:
    natives = [native for row in KINDS.values() for native in row.native]
    assert sorted(each.media_type for each in natives) == sorted(MediaType)
    templates = [name for native in natives for name in native.templates]
    assert sorted(templates) == sorted(TEMPLATES)
    for native in natives:
        assert native.on, native.media_type
        assert {*native.templates} <= {native.media_type.value, "BUTTON"}
        assert contract.ONLY_ON.get(native.media_type.value, native.on) >= {*native.on}


def test_all_sixteen_media_types_are_reached() -> None:
    reached = {
        message["mediaType"]
        for case in CASES
        for messages in read(case / "wire.json").values()
        for message in messages
    }
    assert reached == contract.MEDIA_TYPES == {each.value for each in MediaType}


def test_a_connectors_own_dialect_goes_to_its_channel() -> None:
    for name, row in RASA_CHANNELS.items():
        assert list(read(FOLDER / "rasa_channels" / name / "wire.json")) == [row.channel.value]

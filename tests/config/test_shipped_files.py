"""The files that come with the bridge: they start, they say the defaults, they name every key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bridge.config import defaults_folder, load, schema
from bridge.config.schema import Which, paths, spelled
from bridge.config.settings import HandoffSettings, MediaSettings

CONFIG = Path(__file__).parents[2] / "config"
WHICH: tuple[Which, ...] = ("bridge", "handoff", "media")
URL = {"BRIDGE__GATEWAY__URL": "https://gw.example:8043"}


def test_the_defaults_are_the_checkouts_or_the_wheels() -> None:
    assert defaults_folder() == CONFIG
    assert (defaults_folder() / "bridge.yml").is_file()


def test_the_shipped_folder_starts_with_the_address_alone(tmp_path: Path) -> None:
    shipped, bare = load(CONFIG, URL), load(tmp_path, URL)
    assert shipped.bridge == bare.bridge
    assert shipped.designer == bare.designer == HandoffSettings()
    assert shipped.media == bare.media == MediaSettings()
    assert shipped.warnings == bare.warnings


@pytest.mark.parametrize("which", ["bridge", "handoff"])
def test_the_shipped_file_names_every_key(which: Which) -> None:
    text = (CONFIG / f"{which}.yml").read_text()
    missing = [
        path
        for path in paths(which)
        if not re.search(rf"^[^#]*\b{path[-1]}:|# +{path[-1]}: ", text, re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("which", ["bridge", "handoff"])
def test_the_shipped_file_names_its_schema(which: Which) -> None:
    first = (CONFIG / f"{which}.yml").read_text().splitlines()[0]
    relative = first.removeprefix("# yaml-language-server: $schema=")
    assert (CONFIG / relative).is_file()


@pytest.mark.parametrize("which", WHICH)
def test_the_schema_is_current(which: Which) -> None:
    written = (CONFIG / "schema" / f"{which}.json").read_text()
    assert written == spelled(which), "run: python -m bridge.config"


@pytest.mark.parametrize("which", WHICH)
def test_every_key_is_described(which: Which) -> None:
    definitions = schema(which)["$defs"].values()
    for node in [schema(which), *(each for each in definitions if "properties" in each)]:
        for name, key in node["properties"].items():
            assert "description" in key or "$ref" in key, name


def test_the_schema_takes_what_the_loader_takes() -> None:
    bridge, handoff = schema("bridge"), schema("handoff")
    agent = bridge["$defs"]["AgentSettings"]["properties"]
    assert agent["phone"]["anyOf"][0]["type"] == ["string", "number"]
    wait = bridge["$defs"]["DeliverySettings"]["properties"]["wait"]
    assert {"type": "string", "pattern": r"\$\{"} in wait["anyOf"]
    assert wait["anyOf"][0]["maximum"] == 45
    assert "required" not in json.dumps(bridge)
    assert bridge["properties"]["agents"]["propertyNames"] == {"pattern": r"^(\*|[0-9]{3,6})$"}
    assert r"\$\{" not in json.dumps(handoff)
    assert handoff["$defs"]["Condition"]["additionalProperties"] is False
    rows = schema("media")["properties"]["rasa_channels"]["additionalProperties"]["anyOf"]
    assert [each["$ref"].rpartition("/")[2] for each in rows] == ["Channel", "RasaChannelRow"]

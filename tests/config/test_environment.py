"""Keys that the environment sets, and what is told where it sets them wrongly."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from bridge.config import load
from bridge.model import Channel
from tests.config.conftest import GATEWAY, Folder

URL = {"BRIDGE__GATEWAY__URL": "https://env.example:8043"}


def test_without_a_file_the_address_is_enough(folder: Folder) -> None:
    assert folder.load(URL).bridge.gateway.url == "https://env.example:8043"


def test_the_environment_wins_over_the_file(folder: Folder) -> None:
    settings = folder.write(bridge=GATEWAY + "delivery: {wait: 1, workers: 4}").load(
        {**URL, "BRIDGE__DELIVERY__WAIT": "7.5"}
    )
    assert settings.bridge.gateway.url == "https://env.example:8043"
    assert (settings.bridge.delivery.wait, settings.bridge.delivery.workers) == (7.5, 4)


def test_each_value_is_typed_by_its_field(folder: Folder) -> None:
    bridge = folder.load(
        {
            **URL,
            "BRIDGE__GATEWAY__USE_ENVIRONMENT": "true",
            "BRIDGE__GATEWAY__CA_FILE": "",
            "BRIDGE__GATEWAY__MAX_AGENT_ID": "999999",
            "BRIDGE__AGENTS__291__SESSION": "sign_in",
            "BRIDGE__AGENTS__291__PASSWORD": "0123",
            "BRIDGE__AGENTS__291__PHONE": "007",
            "BRIDGE__AGENTS__291__NICKNAME": "null",
            "BRIDGE__AGENTS__60000__NICKNAME": "{Anna}",
            "BRIDGE__CHANNEL_CONFIG_IDS__WEB": "20230",
            "BRIDGE__CHANNEL_CONFIG_IDS__5g": "77",
            "BRIDGE__RETENTION__CONTENT": "12h",
            "BRIDGE__API__TOKEN": "",
        }
    ).bridge
    anna = bridge.agents["291"]
    assert anna.password is not None
    assert anna.password.get_secret_value() == "0123"
    assert (anna.phone, anna.nickname) == ("007", "null")
    assert bridge.agents["60000"].nickname == "{Anna}"
    assert bridge.channel_config_ids == {Channel.WEB: "20230", Channel.FIVE_G: "77"}
    assert bridge.retention.content == timedelta(hours=12)
    assert bridge.gateway.use_environment is True
    assert bridge.gateway.ca_file is None
    assert bridge.api.token is None


def test_a_mapping_is_json_and_the_whole_of_its_key(folder: Folder) -> None:
    folder.write(bridge=GATEWAY + "agents: {300: {nickname: Old}}")
    agents = folder.load(
        {
            "BRIDGE__AGENTS": '{"291": {"nickname": "Anna", "phone": 40038}, "*": {}}',
            "BRIDGE__AGENTS__291__PHONE": "007",
            "BRIDGE__AGENTS__292__NICKNAME": "Ben",
        }
    ).bridge.agents
    assert list(agents) == ["291", "*", "292"]
    assert (agents["291"].nickname, agents["291"].phone) == ("Anna", "007")


def test_a_number_in_json_is_kept_as_it_was_written(folder: Folder) -> None:
    environ = {**URL, "BRIDGE__AGENTS": '{"291": {"phone": 40038}}'}
    assert folder.load(environ).bridge.agents["291"].phone == "40038"


def test_capitals_do_not_matter(folder: Folder) -> None:
    assert folder.load({"bridge__Gateway__url": "https://gw"}).bridge.gateway.url == "https://gw"


def test_values_are_taken_literally(folder: Folder) -> None:
    environ = {**URL, "BRIDGE__AGENTS__291__NICKNAME": "${USER}", "USER": "root"}
    assert folder.load(environ).bridge.agents["291"].nickname == "${USER}"


def test_what_the_environment_replaces_is_not_faulty_in_the_file(folder: Folder) -> None:
    folder.write(bridge='gateway: {url: "${NOT_SET}", read_timeout: ten}')
    folder.load({**URL, "BRIDGE__GATEWAY__READ_TIMEOUT": "4"})


def test_a_wrong_file_is_told_beside_the_environment(folder: Folder) -> None:
    folder.write(bridge="gateway: https://gw")
    assert "bridge.yml, line 1" in folder.fault(URL)


FAULTS: list[tuple[str, str, list[str]]] = [
    ("BRIDGE__DELIVERY__WAIT", "ten", ["delivery.wait", '"ten"', "a number from 0 to 45"]),
    ("BRIDGE__DELIVERY__WAIT", "", ["delivery.wait", '""']),
    ("BRIDGE__DELIVERY__WIAT", "1", ["did you mean  BRIDGE__DELIVERY__WAIT?"]),
    ("BRIDGE__DELIVRY__WAIT", "1", ["did you mean  BRIDGE__DELIVERY__WAIT?"]),
    ("BRIDGE__WAIT", "1", ["did you mean  BRIDGE__DELIVERY__WAIT?"]),
    ("bridge__delivery__wiat", "1", ["did you mean  BRIDGE__DELIVERY__WAIT?"]),
    ("BRIDGE__HANDOFF__SAY", "x", ["sets no key", "BRIDGE__GATEWAY"]),
    ("BRIDGE__", "x", ["sets no key"]),
    ("BRIDGE__AGENTS__", "{}", ["sets no key"]),
    ("BRIDGE__API__TOKEN__X", "x", ["did you mean  BRIDGE__API__TOKEN?"]),
    ("BRIDGE__AGENTS__291__PASWORD", "x", ["did you mean  BRIDGE__AGENTS__291__PASSWORD?"]),
    ("BRIDGE__AGENTS__29__NICKNAME", "x", ["agents.29", "3 to 6 digits"]),
    ("BRIDGE__AGENTS__291__NICKNAME", "", ["agents.291.nickname", "not empty"]),
    ("BRIDGE__AGENTS__291", "Anna", ["JSON", "BRIDGE__AGENTS__291__SESSION"]),
    ("BRIDGE__AGENTS", "[1]", ["JSON", "no JSON mapping"]),
    ("BRIDGE__AGENTS", "{", ["JSON", "no JSON mapping"]),
    ("BRIDGE__AGENTS", '{"291": {"nick": 1}}', ["agents.291.nick", "not known here"]),
    ("BRIDGE__CHANNEL_CONFIG_IDS__WEBB", "1", ["BRIDGE__CHANNEL_CONFIG_IDS__WEB?"]),
    ("BRIDGE__AGENTS", '{"291": {}, "291": {}}', ["agents.291", "the key 291 a second time"]),
    ("BRIDGE__API__TOKEN", "short", ["api.token", "not shown here", "32 bytes"]),
]


@pytest.mark.parametrize(("name", "value", "told"), FAULTS, ids=[" ".join(f[:2]) for f in FAULTS])
def test_a_fault_names_the_variable(folder: Folder, name: str, value: str, told: list[str]) -> None:
    fault = folder.fault({**URL, name: value})
    assert fault.startswith(f"environment variable {name}")
    assert "line" not in fault
    for words in told:
        assert words in fault


def test_what_a_sign_in_lacks_is_told_of_the_variable_that_asks_for_it(folder: Folder) -> None:
    faults = folder.faults({**URL, "BRIDGE__AGENTS__291__SESSION": "sign_in"})
    assert [each.splitlines()[0] for each in faults] == [
        "environment variable BRIDGE__AGENTS__291__SESSION: agents.291.password",
        "environment variable BRIDGE__AGENTS__291__SESSION: agents.291.phone",
    ]


def test_the_same_key_twice_is_a_fault(folder: Folder) -> None:
    fault = folder.fault({**URL, "bridge__gateway__url": "https://other"})
    assert "the same key as BRIDGE__GATEWAY__URL" in fault


def test_the_folder_comes_from_the_environment(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(bridge=GATEWAY)
    monkeypatch.setenv("BRIDGE_CONFIG", str(folder.path))
    for name in [each for each in os.environ if each.upper().startswith("BRIDGE__")]:
        monkeypatch.delenv(name)
    assert load().folder == str(folder.path)

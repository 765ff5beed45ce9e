"""What is allowed, and worth a word at start."""

from __future__ import annotations

import pytest

from tests.config.conftest import Folder

LONG = "x" * 32
GOOD = f"""
gateway: {{url: "https://gw.example:8043"}}
channel_config_ids: {{WEB: "1"}}
assignment: {{secret: "{LONG}"}}
api: {{token: "{LONG}", inbox_secret: "{LONG}"}}
rasa: {{webhook_token: "{LONG}", url: "http://localhost:5005"}}
"""


def test_there_is_nothing_to_say_of_a_full_configuration(folder: Folder) -> None:
    assert folder.write(bridge=GOOD).load().warnings == ()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("GATEWAY__URL", "http://gw.example", "gateway.url is http"),
        ("GATEWAY__URL", "http://10.0.0.1:8043", "gateway.url is http"),
        ("API__TOKEN", "", "the API and the agents' page are closed"),
        ("API__INBOX_SECRET", "", "agents cannot get tokens"),
        ("RASA__WEBHOOK_TOKEN", "", "/webhook accepts requests from this machine only"),
        ("RASA", f'{{"webhook_token": "{LONG}"}}', "handoff.then is pause and rasa.url is not"),
        ("ASSIGNMENT__SECRET", "", "assignments in a message's metadata are refused"),
        ("ASSIGNMENT__METADATA", "trusted", "assignment.metadata is trusted"),
        ("CHANNEL_CONFIG_IDS", "{}", "channel_config_ids is empty"),
        ("AGENTS__291__PASSWORD", "x", "agents.291.password is not used"),
        (
            "AGENTS",
            '{"*": {"session": "sign_in", "password": "x", "phone": "1"}}',
            "the same password",
        ),
        ("READER__CALM", "true", "no agent has reader: true"),
        ("RASA", f'{{"url": "http://r", "token": "t", "webhook_token": "{LONG}"}}', "rasa.token"),
    ],
)
def test_each_warning_names_its_key(folder: Folder, variable: str, value: str, words: str) -> None:
    (only,) = folder.write(bridge=GOOD).load({f"BRIDGE__{variable}": value}).warnings
    assert words in only


@pytest.mark.parametrize(
    "url", ["http://localhost:8043", "http://127.0.0.1:8043", "http://[::1]", "http://gw.localhost"]
)
def test_http_on_this_machine_is_quiet(folder: Folder, url: str) -> None:
    assert folder.write(bridge=GOOD).load({"BRIDGE__GATEWAY__URL": url}).warnings == ()


def test_a_private_deployment_has_no_configuration_ids(folder: Folder) -> None:
    environ = {"BRIDGE__CHANNEL_CONFIG_IDS": "{}", "BRIDGE__GATEWAY__DEPLOYMENT": "private"}
    assert folder.write(bridge=GOOD).load(environ).warnings == ()


@pytest.mark.parametrize(
    ("handoff", "words"),
    [
        ("assist: {mode: auto}", "nothing is sent automatically"),
        ("assist: {when: [{intent: x}]}", "assist.when[0] names no reply"),
        ("handoff: {then: assist}", "nothing is ever suggested"),
    ],
)
def test_rules_that_do_nothing_are_told(folder: Folder, handoff: str, words: str) -> None:
    (only,) = folder.write(bridge=GOOD, handoff=handoff).load().warnings
    assert words in only


@pytest.mark.parametrize(
    ("names", "default", "warned"),
    [
        ("utter_a", "en", False),
        ("{en: utter_a, de: utter_b}", "en", False),
        ("{EN: utter_a}", "en_GB", False),
        ("{en: null}", "en", False),
        ("{de: utter_b}", "en", True),
        ("{en-GB: utter_b}", "en", True),
    ],
)
def test_responses_by_language_have_one_for_the_default(
    folder: Folder, names: str, default: str, *, warned: bool
) -> None:
    handoff = f"handoff: {{say: {names}}}\nlanguage: {{default: {default}}}"
    warnings = folder.write(bridge=GOOD, handoff=handoff).load().warnings
    assert [each.split(":")[0] for each in warnings] == (
        ["handoff.say has no response for language.default"] if warned else []
    )


@pytest.mark.parametrize(
    ("handoff", "warned"),
    [
        ("closed: utter_x", True),
        ("closed: null", True),
        ("closed: utter_handoff_closed", False),
        ("closed: utter_x, hours: {time_zone: UTC, week: {mon: [9:00-10:00]}}", False),
    ],
)
def test_a_response_outside_hours_that_are_not_set_is_never_said(
    folder: Folder, handoff: str, *, warned: bool
) -> None:
    warnings = folder.write(bridge=GOOD, handoff=f"handoff: {{{handoff}}}").load().warnings
    assert warnings == (("handoff.closed is not used: handoff.hours is not set",) if warned else ())


def test_pushed_events_over_an_open_network_are_worth_a_word(folder: Folder) -> None:
    agents = '{"305": {"session": "sign_in", "password": "x", "phone": "1", "reader": true}}'
    environ = {"BRIDGE__AGENTS": agents, "BRIDGE__READER__PUSH_URL": "http://10.0.0.1:5055"}
    (only,) = folder.write(bridge=GOOD).load(environ).warnings
    assert "reader.push_url is http" in only

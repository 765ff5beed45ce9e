"""bridge.yml: what is taken, and what is told about the rest."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bridge.config.settings import BridgeSettings
from bridge.model import Channel
from tests.config.conftest import GATEWAY, Folder

LONG = "x" * 32


def test_only_the_gateways_url_has_no_default(folder: Folder) -> None:
    settings = folder.write(bridge=GATEWAY).load()
    assert settings.bridge == BridgeSettings.model_validate(
        {"gateway": {"url": "https://gw.example:8043"}}
    )
    assert settings.bridge.agent("291") == settings.bridge.agents["*"]
    assert settings.folder == str(folder.path)


def test_everything_the_contract_shows_is_taken(folder: Folder) -> None:
    settings = folder.write(
        bridge="""
gateway:
  url: https://cc-gateway.example:8043
  auth_mode: dynamic
  deployment: public_cloud
  encryption: platform
  limit_counts: data
  ca_file: null
  connect_timeout: 3
  read_timeout: 5
agents:
  "291": {session: sign_in, password: "${AGENT_291_PASSWORD}", phone: "40038", nickname: Anna,
          avatar: DefaultAvatar}
  "*":   {session: pushed, nickname: Agent, avatar: DefaultAvatar}
channel_config_ids: {WEB: "202301032048582419"}
storage: {url: "sqlite:///bridge.db"}
delivery: {wait: 2.0, expire_after: 300, attempt_timeout: 8, uncertain: resend}
retention: {content: 30d, audit: 365d}
assignment: {metadata: signed, secret: "${BRIDGE_ASSIGNMENT_SECRET:-}"}
api: {token: "${BRIDGE_API_TOKEN:-}", inbox_secret: "${BRIDGE_INBOX_SECRET:-}"}
rasa: {url: null, token: null, webhook_token: null, replies: customer, domain: null}
"""
    ).load({"AGENT_291_PASSWORD": "s3cret"})
    anna = settings.bridge.agents["291"]
    assert anna.password is not None
    assert anna.password.get_secret_value() == "s3cret"
    assert (anna.phone, anna.nickname, anna.session) == ("40038", "Anna", "sign_in")
    assert settings.bridge.channel_config_ids == {Channel.WEB: "202301032048582419"}
    assert settings.bridge.retention.content == timedelta(days=30)
    assert settings.bridge.api.token is None  # empty counts as none


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("40038", "40038"),
        ("007", "007"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1e5", "1e5"),
        ("2024-01-01", "2024-01-01"),
        ('"40038"', "40038"),
    ],
)
def test_a_number_where_text_is_wanted_is_kept_as_it_was_written(
    folder: Folder, written: str, kept: str
) -> None:
    agents = f"agents: {{291: {{phone: {written}, nickname: {written}}}}}"
    agent = folder.write(bridge=GATEWAY + agents).load().bridge.agents["291"]
    assert (agent.phone, agent.nickname) == (kept, kept)


def test_long_numbers_lose_no_digit(folder: Folder) -> None:
    ids = "channel_config_ids: {WEB: 202301032048582419001122334455, 5G: 0077}"
    assert folder.write(bridge=GATEWAY + ids).load().bridge.channel_config_ids == {
        Channel.WEB: "202301032048582419001122334455",
        Channel.FIVE_G: "0077",
    }


@pytest.mark.parametrize("empty", ["agents:", "delivery:\nrasa:", "delivery: ~"])
def test_a_section_with_nothing_in_it_is_as_absent(folder: Folder, empty: str) -> None:
    assert folder.write(bridge=GATEWAY + empty).load() == folder.write(bridge=GATEWAY).load()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://gw.example", "https://gw.example"),
        ("https://gw.example:8043/", "https://gw.example:8043"),
        ("https://GW.example:8043/", "https://gw.example:8043"),
        ("http://[::1]:8043", "http://[::1]:8043"),
    ],
)
def test_the_gateways_address_is_its_base(folder: Folder, url: str, base: str) -> None:
    assert folder.write(bridge=f'gateway: {{url: "{url}"}}').load().bridge.gateway.url == base


def test_anchors_and_merges_are_yaml(folder: Folder) -> None:
    agents = """
agents:
  "291": &anna {nickname: Anna, phone: "40038"}
  "292":
    <<: *anna
    nickname: Ben
"""
    ben = folder.write(bridge=GATEWAY + agents).load().bridge.agents["292"]
    assert (ben.nickname, ben.phone) == ("Ben", "40038")


# What is written after GATEWAY (line 1), and what its only fault says.
FAULTS: list[tuple[str, list[str]]] = [
    (
        "delivery: {wait: ten}",
        ["bridge.yml, line 2, column 18: delivery.wait", '"ten"', "a number from 0 to 45"],
    ),
    ("rasa: {domain: tests/confg}", ["rasa.domain", "no such domain", "mean  tests/config?"]),
    ("delivery: {wait: 45.5}", ["delivery.wait", "45.5", "from 0 to 45", "seconds"]),
    ("delivery: {wait: true}", ["found         true", "a number"]),
    ("delivery: {wait: .inf}", ["found         .inf", "a number"]),
    ("delivery: {wait: null}", ["found         nothing (null)", "a number"]),
    ("delivery: {workers: 2.5}", ["2.5", "a whole number from 1 to 256"]),
    ("delivery: {expire_after: 0}", ["found         0", "a number above 0"]),
    ("delivery: {attempt_timeout: 10}", ["a number above 0 and below 10"]),
    ("delivery: {wiat: 2}", ["a key that is not known", "did you mean  wait?"]),
    ("delivery: {uncertain: resnd}", ['"resnd"', "resend, hold", "did you mean  resend?"]),
    ("delivery: {uncertain: HOLD}", ["did you mean  hold?"]),
    ("delivery: 5", ["delivery", "a single value", "a mapping with keys of wait, "]),
    ("delivery: [1]", ["found         a list", "a mapping"]),
    ("wait: 2", ["line 2, column 1: wait", "allowed       gateway, ", "delivery.wait?"]),
    ("handof: {}", ["allowed       gateway", "did you mean  handoff in handoff.yml?"]),
    ("on_unknown_file: link", ["did you mean  on_unknown_file in media.yml?"]),
    ("agents: {29: {}}", ["agents.29", "the key 29", "3 to 6 digits"]),
    ("agents: {100: {}}", ["agents.100", "from 101 to 59999"]),
    ("agents: {60000: {}}", ["agents.60000", "gateway.max_agent_id"]),
    ("agents: {291: {session: signin}}", ["sign_in, pushed", "did you mean  sign_in?"]),
    ("agents: {291: {nickname: ''}}", ["agents.291.nickname", "text that is not empty"]),
    ("agents: {291: {phone: [1]}}", ["found         a list", "text of at most 24 characters"]),
    ("agents: {291: {phone: true}}", ["found         true", "text"]),
    ("agents: {291: {session: sign_in, password: x}}", ["agents.291.phone", "needs a phone"]),
    (f"agents: {{291: {{password: {'x' * 33}}}}}", ["not shown here", "at most 32 characters"]),
    ("channel_config_ids: {web: '1'}", ["the key web", "WEB, WECHAT", "did you mean  WEB?"]),
    ("channel_config_ids: {WEB: ''}", ["channel_config_ids.WEB", "not empty"]),
    ("storage: {url: mysql://u:pw@h/d}", ['"mysql://***@h/d"', "sqlite:///FILE"]),
    ("storage: {url: 'sqlite:///'}", ["sqlite:///FILE"]),
    ("alerts: {url: 'https://ops.example/x'}", ["alerts.secret", "alerts.url needs one"]),
    (f"alerts: {{url: 'http://ops.example/x', secret: {LONG}}}", ["alerts.url", "https address"]),
    (f"alerts: {{url: 'https://u:p@ops.example', secret: {LONG}}}", ["without user"]),
    (f"alerts: {{url: 'https://ops.example:x', secret: {LONG}}}", ["https address"]),
    (f"alerts: {{url: 'https://', secret: {LONG}}}", ["https address"]),
    ("alerts: {url: 'http://127.0.0.1:9/x', secret: short}", ["alerts.secret", "32 bytes"]),
    ("retention: {content: 30}", ["found         30", "90s, 45m, 12h or 30d"]),
    ("retention: {audit: 10d}", ["retention.audit", "at least as long as retention.content"]),
    ("retention: {content: 1h, audit: 2h}", ["retention.audit", "1d or more"]),
    ("retention: {content: 30y}", ['"30y"', "30d"]),
    ("retention: {audit: 999999999999d}", ["12h or 30d"]),
    ("api: {token: short}", ["api.token", "not shown here", "at least 32 bytes", "openssl"]),
    ("assignment: {secret: short}", ["assignment.secret", "at least 32 bytes"]),
    ("rasa: {webhook_token: short}", ["rasa.webhook_token", "at least 32 bytes"]),
    ("rasa: {url: localhost}", ["rasa.url", "http://localhost:5005"]),
    ("rasa: {url: 'http://rasa/?token=abc'}", ['"http://rasa/?..."', "rasa.token"]),
    ("rasa: {url: 'http://[::1'}", ["rasa.url"]),
    ("rasa: {replies: loud}", ["customer, silent"]),
    ("rasa: {domain: nowhere.yml}", ["rasa.domain", "no such domain file", "nowhere.yml"]),
    ("agents: {291: {reader: true}}", ["agents.291.reader", "only with session: sign_in"]),
    (
        "agents: {'*': {session: sign_in, password: x, phone: '1', reader: true}}",
        ["agents.*.reader", "an agent's own entry"],
    ),
    ("reader: {push_url: 'https://b', x: 1}", ["reader.x", "lookup, skills, sign_in_as"]),
    ("reader: {push_url: bridge.example}", ["reader.push_url", "as in https://bridge.example"]),
    ("reader: {push_url: 'https://u:p@b'}", ["reader.push_url", "as in https://bridge.example"]),
    (f"reader: {{push_url: 'https://{'b' * 130}'}}", ["reader.push_url", "at most 130"]),
    ("reader: {skills: []}", ["reader.skills", "a list of numbers"]),
    ("reader: {skills: [-1]}", ["reader.skills", "a list of numbers"]),
    ("reader: {skills: [chat]}", ["reader.skills", "a list of numbers"]),
    ("reader: {sign_in_as: wrap_up}", ["ready, busy"]),
    ("reader: {lookup: call}", ["callinfo, workbench, off"]),
    ("reader: {workbench: {url: ftp://x}}", ["reader.workbench.url", "as in https://"]),
    ("gateway: {url: 'https://other'}", ["the key gateway a second time", "line 1"]),
    ("? [a, b]\n: 1", ["one word as the key"]),
    ("delivery: !fast {wait: 1}", ["delivery", "a YAML tag"]),
    ("delivery: {<<: 5}", ["<< with a value that is no mapping"]),
]


@pytest.mark.parametrize(("written", "told"), FAULTS, ids=[each for each, _ in FAULTS])
def test_a_fault_says_where_what_and_what_is_allowed(
    folder: Folder, written: str, told: list[str]
) -> None:
    fault = folder.write(bridge=GATEWAY + written).fault()
    assert fault.startswith("bridge.yml, line ")
    for words in told:
        assert words in fault


@pytest.mark.parametrize(
    "url",
    [
        "gw.example:8043",
        "ftp://gw.example",
        "https://",
        "https://gw.example:0",
        "https://gw.example:70000",
        "https://gw.example:x",
        "https://[::1",
        "https://gw example",
        "https://u:p@gw.example",
        "https://gw.example/other",
        "https://gw.example/?a=b",
        "https://gw.example/#a",
    ],
)
def test_an_address_that_is_none_is_refused(folder: Folder, url: str) -> None:
    fault = folder.write(bridge=f'gateway: {{url: "{url}"}}').fault()
    assert "gateway.url" in fault
    assert "https://cc-gateway.example:8043" in fault


def test_a_higher_bound_of_agent_ids_is_believed(folder: Folder) -> None:
    bridge = 'gateway: {url: "https://gw", max_agent_id: 999999}\nagents: {60000: {}}'
    assert "60000" in folder.write(bridge=bridge).load().bridge.agents


def test_what_belongs_together_is_checked_beside_wrong_values(folder: Folder) -> None:
    agents = "agents:\n  291:\n    session: sign_in\n    avatar: [x]\n"
    faults = folder.write(bridge=GATEWAY + agents).faults()
    assert [fault.splitlines()[0] for fault in faults] == [
        "bridge.yml, line 3, column 3: agents.291.password",
        "bridge.yml, line 3, column 3: agents.291.phone",
        "bridge.yml, line 5, column 13: agents.291.avatar",
    ]


def test_the_missing_address_names_the_file_and_the_variable(folder: Folder) -> None:
    fault = folder.write(bridge="gateway:\n  auth_mode: static\n").fault()
    assert fault.startswith("bridge.yml, line 1, column 1: gateway.url")
    assert "the key is missing" in fault
    assert "BRIDGE__GATEWAY__URL" in fault


@pytest.mark.parametrize("nothing", ["", "# only words\n", "gateway:\n", "{}"])
def test_a_file_that_says_nothing_lacks_only_the_address(folder: Folder, nothing: str) -> None:
    assert "gateway.url" in folder.write(bridge=nothing).fault()


def test_a_ca_file_must_be_there(folder: Folder) -> None:
    bridge = f'gateway: {{url: "https://gw", ca_file: "{folder.path}/ca.pem"}}'
    assert "gateway.ca_file" in folder.write(bridge=bridge).fault()
    (folder.path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    assert folder.load().bridge.gateway.ca_file == f"{folder.path}/ca.pem"


def test_settings_are_frozen(folder: Folder) -> None:
    settings = folder.write(bridge=GATEWAY).load()
    with pytest.raises(ValueError, match="frozen"):
        settings.bridge.delivery.wait = 3  # type: ignore[misc]


READER = 'agents: {305: {session: sign_in, password: x, phone: "1", reader: true, events: push}}\n'


@pytest.mark.parametrize("environ", [{}, {"BRIDGE__AGENTS__305__READER": "true"}])
def test_readers_and_where_their_events_are_pushed_to(
    folder: Folder, environ: dict[str, str]
) -> None:
    push = "reader: {push_url: 'https://bridge.example:5055/cc/', skills: [1, 2]}"
    bridge = folder.write(bridge=GATEWAY + READER + push).load(environ).bridge
    assert bridge.readers == ("305",)
    assert bridge.reader.skills == (1, 2)
    assert (
        bridge.reader.callback("abc")
        == "https://bridge.example:5055/cc/bridge/events?service_token=abc"
    )


def test_pushed_events_need_a_reader_and_an_address(folder: Folder) -> None:
    fault = folder.write(bridge=GATEWAY + "agents: {305: {events: push}}").fault()
    assert "agents.305.events" in fault
    assert "only with reader: true" in fault
    assert "only with reader.push_url" in folder.write(bridge=GATEWAY + READER).fault()


def test_each_key_of_the_workbench_is_needed_for_it(folder: Folder) -> None:
    keys = ("url", "app_key", "app_secret", "tenant_id")
    fault = folder.write(bridge=GATEWAY + "reader: {lookup: workbench}").fault()
    assert "reader.lookup" in fault
    assert all(f"workbench.{key}" in fault for key in keys)
    given = json.dumps({"lookup": "workbench", "workbench": dict.fromkeys(keys, "https://x")})
    assert folder.write(bridge=f"{GATEWAY}reader: {given}").load().bridge.reader.workbench.url

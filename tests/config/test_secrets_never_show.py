"""Whatever is wrong, no secret is in a fault, a warning or a repr."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config import load
from bridge.errors import ConfigurationError

# Random enough never to be in a message by chance, with the signs that YAML and URLs trip over.
_CORE = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=10, max_size=40).map("QZ".__add__)
_EDGE = st.sampled_from(["", "*", "&", "!", "@", "%", "{", "[", "- ", "#", "a: ", "'", '"', ":"])
SECRETS = st.tuples(_EDGE, _CORE, _EDGE).map("".join)

# Where a secret stands, rightly or not. %s is how it is written.
PLACES = [
    "agents: {291: {session: sign_in, password: %s}}",
    "agents: {291: {password: %s, phone: '1'}}",
    "agents: {291: {password: [%s]}}",
    "agents: {291: {password: {a: %s}}}",
    "agents: {291: {pasword: %s}}",
    "agents: {291: %s}",
    "agents: %s",
    "api: {token: %s}",
    "api: {token: %s, inbox_secret: %s}",
    "api: {tokens: {kb: {token: %s, may: [metrics]}}}",
    "api: {tokens: {kb: {token: %s, may: []}}}",
    "api: {tokens: {kb: {token: %s}, kc: {token: %s, may: [metrics]}}}",
    "api: {tokens: {kb: {tokn: %s, may: [all]}}}",
    "api: {tokn: %s}",
    "api: %s",
    "api: [%s]",
    "api:\n  token: %s\n   indented: wrongly",
    "api:\n  token: %s\n  token: %s",
    "assignment: {secret: %s, metadata: nonsense}",
    "assignment: %s",
    "rasa: {token: %s, webhook_token: %s, replies: 5}",
    "token: %s",
    "gateway:\n  password: %s",
]
URLS = [
    "storage: {url: 'postgresql+psycopg://bridge:%s@db/bridge'}",
    "storage: {url: 'postgresql+psycopg://db/bridge?password=%s'}",
    "storage: {url: 'postgres://bridge:%s@db/bridge'}",
    "storage: {url: 'mysql://db/bridge?user=u&password=%s'}",
    "gateway: {url: 'https://user:%s@gw.example'}",
    "gateway: {url: 'https://gw.example/?token=%s'}",
    "gateway: {url: 'user:%s@gw.example'}",
    "gateway: {url: 'user:%s'}",
    "storage: {url: 'postgres://bridge:%s'}",
    "storage: {url: 'postgresql+psycopg://bridge:%s'}",
    "storage: {url: 'postgres://bridge:%s@db:5432/bridge?a=%s'}",
    "rasa: {url: 'http://user:%s@rasa'}",
    "rasa: {url: 'http://rasa/?token=%s'}",
    "rasa: {url: 'http://rasa/#%s'}",
]
EXPANDED = [
    "agents: {291: {session: '${S}', nickname: '${S}', phone: '${S}${S}${S}'}}",
    "delivery: {wait: '${S}', uncertain: 'a ${S:-b}'}",
    "gateway: {url: '${S}', auth_mode: '${S}', ca_file: '/x/${S}', use_environment: '${S}'}",
    "storage: {url: '${S}'}",
    "retention: {content: '${S}'}",
    "rasa: {domain: '/x/${S}/domain.yml', url: 'x${S}'}",
    "channel_config_ids: {WEBB: '${S}'}",
    "api: {token: '${S}$', inbox_secret: '${S} ${'}",
]
VARIABLES = [
    "BRIDGE__API__TOKEN",
    "BRIDGE__API__TOKENS",
    "BRIDGE__API__TOKENS__KB__TOKEN",
    "BRIDGE__API",
    "BRIDGE__AGENTS",
    "BRIDGE__AGENTS__291",
    "BRIDGE__AGENTS__291__PASSWORD",
    "BRIDGE__AGENTS__291__PASWORD",
    "BRIDGE__ASSIGNMENT__SECRET",
    "BRIDGE__RASA__WEBHOOK_TOKEN",
    "BRIDGE__RASA__TOKEN",
    "BRIDGE__API_TOKEN",
    "BRIDGE__TOKEN",
]


def _core(secret: str) -> str:
    found = re.search(r"QZ[A-Z2-9]{10,}", secret)
    assert found
    return found[0]


def _said(bridge: str, environ: dict[str, str]) -> str:
    """All that anybody could get to see of a configuration."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bridge.yml").write_text(bridge)
        environ = {"BRIDGE__GATEWAY__READ_TIMEOUT": "nonsense", **environ}
        with pytest.raises(ConfigurationError) as caught:
            load(folder, environ)
        environ["BRIDGE__GATEWAY__READ_TIMEOUT"] = "5"
        try:
            loaded = load(folder, environ)
        except ConfigurationError as error:
            return f"{caught.value}{caught.value!r}{error}{error!r}{error.args}"
        return f"{caught.value}{loaded!r}{loaded}{loaded.warnings}{loaded.bridge.storage!r}"


def _file(place: str) -> str:
    return place if place.startswith("gateway") else f"gateway: {{url: 'https://gw'}}\n{place}"


@given(secret=SECRETS, place=st.sampled_from(PLACES), quoted=st.booleans())
@settings(deadline=None, max_examples=250)
def test_written_in_the_file(secret: str, place: str, *, quoted: bool) -> None:
    written = "'" + secret.replace("'", "''") + "'" if quoted else secret
    assert _core(secret) not in _said(_file(place.replace("%s", written)), {})


@given(secret=SECRETS, place=st.sampled_from(URLS))
@settings(deadline=None, max_examples=150)
def test_written_in_a_url(secret: str, place: str) -> None:
    written = secret.replace("'", "")
    if not place.rstrip("}'").partition("%s")[2]:
        written = written.replace("@", "")  # "user:@x" may well be a host called x
    assert _core(secret) not in _said(_file(place.replace("%s", written)), {})


@given(secret=SECRETS, place=st.sampled_from(EXPANDED))
@settings(deadline=None, max_examples=150)
def test_put_in_by_a_variable(secret: str, place: str) -> None:
    broken = _file(place) + "\nwait: 1"
    assert _core(secret) not in _said(broken, {"S": secret})


@given(secret=SECRETS, name=st.sampled_from(VARIABLES))
@settings(deadline=None, max_examples=150)
def test_set_by_the_environment(secret: str, name: str) -> None:
    assert _core(secret) not in _said(_file(""), {name: secret})

"""``page`` in bridge.yml: origins are whole, addresses are safe, no key does two things."""

from __future__ import annotations

import json
import re

import pytest

from bridge.config.page import PANEL_KEYS, PageSettings, origin_of
from tests.config.conftest import GATEWAY, Folder


def page(folder: Folder, **keys: object) -> PageSettings:
    return folder.write(bridge=f"{GATEWAY}\npage: {json.dumps(keys)}\n").load().bridge.page


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://desk.example", "https://desk.example"),
        ("https://Desk.Example:8443/", "https://desk.example:8443"),
        ("https://desk.example:443", "https://desk.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
@pytest.mark.parametrize("key", ["frame_ancestors", "element_origins", "media_hosts"])
def test_an_origin_is_kept_as_browsers_write_it(
    folder: Folder, key: str, written: str, kept: str
) -> None:
    assert getattr(page(folder, **{key: [written]}), key) == (kept,)


@pytest.mark.parametrize(
    "written",
    [
        "*",
        "https://*.example",
        "https://*",
        "desk.example",
        "http://desk.example",
        "https://desk.example/path",
        "https://desk.example?x=1",
        "https://user@desk.example",
        "https://desk.example; script-src *",
        "https://desk.example 'self'",
        "https://desk.example:0",
        "https://desk.example:99999",
        "javascript:alert(1)",
        "data:",
        "null",
        "",
    ],
)
@pytest.mark.parametrize("key", ["frame_ancestors", "element_origins", "media_hosts"])
def test_anything_else_is_a_fault_that_says_what_is_allowed(
    folder: Folder, key: str, written: str
) -> None:
    faults = folder.write(bridge=f"{GATEWAY}\npage: {json.dumps({key: [written]})}\n").faults()
    assert any(f"page.{key}" in fault and "an origin" in fault for fault in faults), faults


@pytest.mark.parametrize("key", ["login_url", "aicc_script"])
@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("https://sso.example/agents?app=inbox", True),
        ("http://127.0.0.1:9000/login", True),
        ("http://sso.example/login", False),
        ("https://sso.example/#x", False),
        ("https://sso.example/a; script-src *", False),
        ("javascript:alert(1)", False),
        ("/login", False),
    ],
)
def test_an_address_is_https(folder: Folder, key: str, written: str, *, taken: bool) -> None:
    folder.write(bridge=f"{GATEWAY}\npage: {json.dumps({key: written})}\n")
    if taken:
        assert getattr(folder.load().bridge.page, key) == written
    else:
        assert any(f"page.{key}" in fault for fault in folder.faults())


def test_an_address_has_an_origin() -> None:
    assert origin_of("https://sso.example:443/agents?app=inbox") == "https://sso.example"


def test_keys_are_changed_and_switched_off(folder: Folder) -> None:
    found = page(folder, keys={"suggestions": "F8", "edit": "B", "reject": None})
    assert found.pressed() == {**PANEL_KEYS, "suggestions": "F8", "edit": "b", "reject": None}


@pytest.mark.parametrize(
    "keys",
    [{"edit": "r"}, {"edit": "x", "copy": "X"}, {"edit": "Ctrl+E"}, {"edit": "F13"}, {"jump": "j"}],
)
def test_a_key_that_cannot_be(folder: Folder, keys: dict[str, str]) -> None:
    faults = folder.write(bridge=f"{GATEWAY}\npage: {json.dumps({'keys': keys})}\n").faults()
    assert any("page.keys" in fault for fault in faults), faults


def test_two_actions_may_exchange_their_keys(folder: Folder) -> None:
    assert page(folder, keys={"edit": "r", "reject": "e"}).pressed()["edit"] == "r"


def test_languages(folder: Folder) -> None:
    own = folder.path / "languages"
    own.mkdir()
    for name in ("de", "pt-BR"):
        (own / f"{name}.json").write_text("{}", encoding="utf-8")
    assert page(folder, languages=["de", "pt-BR", "zh"]).languages == ("de", "pt-BR", "zh")
    for wrong in ([], ["../../etc"], ["english"]):
        folder.write(bridge=f"{GATEWAY}\npage: {json.dumps({'languages': wrong})}\n")
        assert any("page.languages" in fault for fault in folder.faults())


@pytest.mark.parametrize(
    ("written", "own", "allowed", "meant"),
    [
        ("xx", [], "en, zh", ""),
        ("zh-TW", [], "en, zh", "zh"),
        ("eng", [], "en, zh", "en"),
        ("pt", ["pt-BR"], "en, pt-BR, zh", "pt-BR"),
        ("fr", ["de", "not a language"], "de, en, zh", ""),
    ],
)
def test_a_language_without_a_catalogue(
    folder: Folder, written: str, own: list[str], allowed: str, meant: str
) -> None:
    (folder.path / "languages").mkdir()
    for name in own:
        (folder.path / "languages" / f"{name}.json").write_text("{}", encoding="utf-8")
    folder.write(bridge=f"{GATEWAY}page:\n  languages:\n    - en\n    - {written}\n")
    first, *lines = folder.fault().splitlines()
    assert first == "bridge.yml, line 5, column 7: page.languages[1]"
    said = " ".join(" ".join(lines).split())
    assert f'found "{written}", a language without a catalogue allowed {allowed}' in said
    assert re.findall(r"did you mean (\S+)\?", said) == ([meant] if meant else [])
    assert f"languages/{written}.json" in said

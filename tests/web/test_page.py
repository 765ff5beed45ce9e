"""``/inbox``: what is served to whom, under which policy."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.web import page
from tests.web.reading import Reader
from tests.web.serving import API_TOKEN, INBOX_SECRET, ActionServer, error

DESK = "https://desk.example:8443"
OTHER = "https://other.example"
SCRIPT = "https://aicc.example/AICCSupport.js"
CONFIGURED: dict[str, Any] = {
    "frame_ancestors": [DESK],
    "element_origins": [DESK],
    "media_hosts": ["https://media.example"],
    "login_url": "https://sso.example/agents",
    "aicc_script": SCRIPT,
    "languages": ["en", "zh", "de", "it"],
    "keys": {"reject": None},
}
GERMAN = {"title": "Eingang", "calls.waiting.other": "{count} warten"}
SHIPPED = sorted(path.name for path in page.FOLDER.iterdir() if path.is_file())


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActionServer]:
    """A server whose page may be framed by one desk, and has a language of its own."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "config" / "languages").mkdir(parents=True)
    (folder / "config" / "languages" / "de.json").write_text(json.dumps(GERMAN))
    (folder / "config" / "languages" / "it.json").write_text('{"title": {}}')
    bridge = {"api": {"token": API_TOKEN, "inbox_secret": INBOX_SECRET}, "page": CONFIGURED}
    with ActionServer(folder, "--cors", "*", bridge=bridge) as started:
        yield started


def policy(answer: requests.Response) -> dict[str, str]:
    """The directives of the content security policy."""
    directives = answer.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (each.partition(" ") for each in directives)}


def test_by_default_nobody_may_frame_the_page(server: ActionServer) -> None:
    answer = server.get("/inbox", token=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert policy(answer) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert server.get("/inbox/", token=None).text == answer.text


def test_the_configured_origins_may(configured: ActionServer) -> None:
    answer = configured.get("/inbox", token=None)
    found = policy(answer)
    assert found["frame-ancestors"] == f"'self' {DESK}"  # itself: within /inbox/aicc
    assert found["img-src"] == "'self' https://media.example"
    assert SCRIPT not in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers


def test_the_document_for_aicc_is_the_only_one_with_its_script(
    configured: ActionServer, server: ActionServer
) -> None:
    answer = configured.get("/inbox/aicc?callid=1-2&token=secret", token=None)
    found = policy(answer)
    assert found["script-src"] == f"'self' {SCRIPT}"
    assert found["frame-ancestors"] == DESK
    assert "connect-src" not in found  # default-src 'none'
    assert f'src="{SCRIPT}"' in answer.text
    assert 'src="/inbox?embed=1&amp;callid=1-2"' in answer.text
    assert "secret" not in answer.text
    assert error(server.get("/inbox/aicc", token=None), 404) == "not_configured"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_selectors_come_by_query_and_form_and_the_rest_is_ignored(
    server: ActionServer, method: str
) -> None:
    fields = {
        "callid": "1552524689-16797284",
        "workNo": "291",
        "calldata": "<script>",
        "token": "t",
    }
    how = {"params": fields} if method == "GET" else {"data": fields}
    answer = server.ask(method, "/inbox", token=None, **how)
    assert answer.status_code == 200
    element = re.search(r"<cc-suggestions(.*?)>", answer.text)
    assert element is not None
    assert element[1] == ' callid="1552524689-16797284" workno="291"'
    assert server.ask(method, "/inbox?embed=1", token=None).text.count(' embed="1"') == 1


@pytest.mark.parametrize("callid", ['"><script>alert(1)</script>', "../x", "a" * 65, "a b", "é"])
def test_a_selector_that_is_no_id_is_left_out(server: ActionServer, callid: str) -> None:
    answer = server.get("/inbox", params={"callid": callid, "workNo": callid}, token=None)
    assert "<cc-suggestions></cc-suggestions>" in answer.text
    assert "alert(1)" not in answer.text


@pytest.mark.parametrize("name", SHIPPED)
def test_each_file_is_served_and_compressed(server: ActionServer, name: str) -> None:
    answer = server.get(f"/inbox/{name}", token=None)
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["x-content-type-options"] == "nosniff"
    plain = server.get(f"/inbox/{name}", token=None, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text


def test_no_other_file_is(server: ActionServer) -> None:
    for name in ("%2e%2e%2fapi.py", "__init__.py", "nothing.js", "en.json", "languages"):
        assert error(server.get(f"/inbox/{name}", token=None), 404) == "not_found", name


def test_the_page_has_no_part_that_runs_inline(server: ActionServer) -> None:
    text = server.get("/inbox", token=None).text
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_whole_page_is_small(server: ActionServer, language: str) -> None:
    texts = f"/languages/{language}.json"
    names = ["", *(f"/{name}" for name in SHIPPED), "/settings.json", texts]
    sizes = [
        len(gzip.compress(server.get(f"/inbox{name}", token=None).content, mtime=0))
        for name in names
    ]
    assert sum(sizes) < 50_000, sum(sizes)


def test_a_language_is_one_file(configured: ActionServer) -> None:
    own = configured.get("/inbox/languages/de.json", token=None)
    ours = configured.get("/inbox/languages/en.json", token=None).json()
    assert own.json() == {
        **{key: text for key, text in ours.items() if not key.startswith("calls.waiting")},
        **GERMAN,
    }
    assert configured.get("/inbox/languages/zh.json", token=None).json()["title"] == "收件箱"
    for name in ("fr.json", "en", "..%2fbridge.json", "%2e%2e%2fen.json"):
        assert configured.get(f"/inbox/languages/{name}", token=None).status_code == 404


def test_a_catalogue_that_cannot_be_used(configured: ActionServer) -> None:
    answer = configured.get("/inbox/languages/it.json", token=None)
    assert error(answer, 503) == "not_configured"
    assert "languages/it.json cannot be used" in answer.json()["error"]["message"]


def test_each_language_has_the_same_texts() -> None:
    folder = page.FOLDER / "languages"
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    singular = {key for key in read["en"] if key.endswith(".one")}
    for language, texts in read.items():
        # What the API says in English needs no English text.
        known = {key: text for key, text in texts.items() if key in read["en"]}
        assert set(known) | singular == set(read["en"]), language
        assert all(key.startswith("code.") for key in set(texts) - set(known)), language
        for key, text in known.items():
            values = set(re.findall(r"\{\w+\}", text))
            assert values == set(re.findall(r"\{\w+\}", read["en"][key])), key


def test_every_text_that_the_panel_names_is_there() -> None:
    english = json.loads((page.FOLDER / "languages" / "en.json").read_text("utf-8"))
    for path in page.FOLDER.glob("*.js"):
        for key in re.findall(r"\bt\('([\w.]+)'", path.read_text("utf-8")):
            assert key in english or f"{key}.other" in english, (path.name, key)


def test_the_panel_never_makes_markup_of_text() -> None:
    sinks = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
    for path in page.FOLDER.glob("*.js"):
        assert not re.search(sinks, path.read_text("utf-8")), path.name


def test_no_text_of_a_module_spans_lines() -> None:
    """Indents are removed before a module is sent."""
    for path in page.FOLDER.glob("*.js"):
        for line in path.read_text("utf-8").splitlines():
            comment = line.lstrip().startswith(("*", "/"))
            assert comment or line.count("`") % 2 == 0, (path.name, line)


def test_modules_are_small() -> None:
    for path in page.FOLDER.glob("*.js"):
        assert len(path.read_text("utf-8").splitlines()) < 400, path.name


def test_the_settings_of_the_panel_hold_no_secret(configured: ActionServer) -> None:
    answer = configured.get("/inbox/settings.json", token=None)
    found = answer.json()
    assert found["login_origin"] == "https://sso.example"
    assert found["frame_ancestors"] == [DESK]
    assert found["keys"]["reject"] is None
    assert found["keys"]["suggestions"] == "F2"
    assert found["limits"]["bytes"] == 1900
    assert abs(found["now"] / 1000 - time.time()) < 60
    for secret in (API_TOKEN, INBOX_SECRET, "202301032048582419"):
        assert secret not in answer.text


# Other origins


def test_a_listed_origin_may_load_the_element_and_call_the_api(configured: ActionServer) -> None:
    for path in ("/inbox/cc-suggestions.js", "/bridge/calls", "/bridge/health"):
        answer = configured.get(path, headers={"Origin": DESK})
        assert answer.headers["access-control-allow-origin"] == DESK, path
        assert "origin" in answer.headers["vary"].lower()
    asked = {"Origin": DESK, "Access-Control-Request-Method": "PUT"}
    answer = configured.ask("OPTIONS", "/bridge/calls/1/assist", headers=asked, token=None)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE"
    allowed = answer.headers["access-control-allow-headers"]
    assert allowed == "authorization, content-type, last-event-id"
    assert "access-control-allow-credentials" not in answer.headers


def test_a_listed_origin_may_read_the_stream(configured: ActionServer) -> None:
    with Reader(configured, origin=DESK) as reader:
        assert reader.status == 200
        assert reader.answer.headers["access-control-allow-origin"] == DESK
        assert "origin" in reader.answer.headers["vary"].lower()
    with Reader(configured, origin=OTHER) as reader:
        assert reader.status == 200
        assert "access-control-allow-origin" not in reader.answer.headers
        assert "origin" in reader.answer.headers["vary"].lower()


@pytest.mark.parametrize("origin", [OTHER, "null", DESK + ".evil.example", DESK.upper()])
def test_no_other_origin_may(configured: ActionServer, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for method, path in (("GET", "/bridge/calls"), ("OPTIONS", "/bridge/calls"), ("GET", "/inbox")):
        answer = configured.ask(method, path, headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control")], path


def test_by_default_no_origin_may(server: ActionServer) -> None:
    answer = server.get("/bridge/calls", headers={"Origin": DESK})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_without_a_token_of_the_api_the_page_is_closed(tmp_path: Path) -> None:
    with ActionServer(tmp_path, bridge={"api": {}}) as closed:
        for path in ("/inbox", "/inbox/cc-suggestions.js", "/inbox/settings.json"):
            answer = closed.get(path, token=None)
            assert error(answer, 403) == "closed"
            assert "api.token" in answer.json()["error"]["message"]

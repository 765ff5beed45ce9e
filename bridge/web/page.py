"""The agents' page: serve its documents, its files and its settings.

Nothing here needs a token, because nothing here is about a call: the page gets its token in the
fragment of its address or from the single sign-on, and reads everything else from the API.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic

from bridge import runtime
from bridge.config import catalogues
from bridge.config.page import PageSettings, origin_of
from bridge.config.settings import Settings
from bridge.errors import RefusedError
from bridge.gateway import wire
from bridge.web import panel_limits
from bridge.web.catalogues import completed

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).parents[1] / "panel"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_HTML = "text/html; charset=utf-8"
_LONGEST_ID = 64
_BLOCK_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^\s+", re.MULTILINE)
_LINE_COMMENT = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_DOCUMENT = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Inbox</title>
<link rel="icon" href="/inbox/icon.svg">
<link rel="stylesheet" href="/inbox/page.css">
{preloads}
<script type="module" src="/inbox/cc-suggestions.js"></script>
</head>
<body>
<cc-suggestions{attributes}></cc-suggestions>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
"""
_AICC = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Inbox in the AICC workbench</title>
<link rel="stylesheet" href="/inbox/page.css">
<script src="{script}"></script>
<script type="module" src="/inbox/aicc.js"></script>
</head>
<body>
<iframe id="panel" title="Inbox" src="/inbox?{query}" allow="clipboard-write"></iframe>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the panel, as it is sent."""

    content_type: str
    plain: bytes
    packed: bytes


def install(app: Sanic[Any, Any]) -> None:
    """Add the page's routes to ``app``."""
    page = Blueprint("page", url_prefix="/inbox")
    page.add_route(show, "/", methods=["GET", "POST"], name="inbox", strict_slashes=False)
    page.add_route(aicc, "/aicc", methods=["GET", "POST"], name="aicc")
    page.add_route(settings_file, "/settings.json", methods=["GET"], name="settings")
    page.add_route(file, "/<name:str>", methods=["GET"], name="file")
    page.add_route(catalogue, f"/{catalogues.FOLDER}/<name:str>", methods=["GET"], name="catalogue")
    app.blueprint(page)


async def show(request: Request) -> HTTPResponse:
    """Return the page; ``callid`` and ``workNo`` of the query or a form select, others are ignored.

    A selector is handed over as an attribute: the page shows the call if its token permits it.
    """
    settings = _opened()
    selected = _selectors(request)
    document = _DOCUMENT.format(
        language=escape(settings.bridge.page.languages[0]),
        preloads=_preloads(),
        attributes="".join(f' {name}="{escape(value)}"' for name, value in selected.items()),
    )
    return _document(document, policy(settings.bridge.page), settings.bridge.page)


async def aicc(request: Request) -> HTTPResponse:
    """Return the document that runs the AICC workbench's script beside the panel."""
    page = _opened().bridge.page
    if page.aicc_script is None:
        message = "set page.aicc_script in bridge.yml to the address of the workbench's script"
        raise RefusedError(404, "not_configured", message)
    selected = _selectors(request)
    query = "embed=1" + "".join(
        f"&amp;{name}={escape(selected[key])}"
        for key, name in (("callid", "callid"), ("workno", "workNo"))
        if key in selected
    )
    document = _AICC.format(script=escape(page.aicc_script), query=query)
    return _document(document, aicc_policy(page), page)


async def settings_file(request: Request) -> HTTPResponse:
    """Return what the panel needs of the configuration; none of it is secret."""
    return _sent(request, _File("application/json", *_both(_panel_settings(_opened()))))


async def file(request: Request, name: str) -> HTTPResponse:
    """Return a module or a style sheet of the panel."""
    _opened()
    found = _files().get(name)
    if found is None:
        raise RefusedError(404, "not_found", "there is nothing at this address")
    return _sent(request, found)


async def catalogue(request: Request, name: str) -> HTTPResponse:
    """Return the texts of a configured language: the operator's own file, else ours.

    Raises:
        RefusedError: 404 if there is none; 503 if the operator's file cannot be used.
    """
    settings = _opened()
    language = name.removesuffix(".json")
    listed = {*settings.bridge.page.languages, "en"}
    if not name.endswith(".json") or language not in listed:
        raise RefusedError(404, "not_found", "page.languages does not list this language")
    path = catalogues.find(language, Path(settings.folder or "."))
    if path is None:
        raise RefusedError(404, "not_found", "this language has no catalogue")
    try:
        return _sent(request, _completed(path, path.stat().st_mtime_ns))
    except ValueError as error:
        logger.warning("The panel's texts in %s cannot be used: %s", path, error)
        message = f"{catalogues.FOLDER}/{name} cannot be used: {error}"
        raise RefusedError(503, "not_configured", message) from None


def policy(page: PageSettings) -> str:
    """Return the content security policy of the page."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            " ".join(("img-src 'self'", *page.media_hosts)),
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            f"frame-ancestors {_ancestors(page, itself=page.aicc_script is not None)}",
        )
    )


def aicc_policy(page: PageSettings) -> str:
    """Return the policy of the document for AICC, the only one that permits ``aicc_script``."""
    script = (page.aicc_script or "").partition("?")[0]
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {script}",
            "style-src 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {_ancestors(page, itself=False)}",
        )
    )


def _ancestors(page: PageSettings, *, itself: bool) -> str:
    """Return the frame ancestors; the panel within ``/inbox/aicc`` has that page above it too."""
    allowed = (*(["'self'"] if itself else ()), *page.frame_ancestors)
    return " ".join(allowed) or "'none'"


def _document(text: str, csp: str, page: PageSettings) -> HTTPResponse:
    headers = {
        "content-security-policy": csp,
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if not page.frame_ancestors and page.aicc_script is None:
        headers["x-frame-options"] = "DENY"  # for browsers that do not know frame-ancestors
    return HTTPResponse(text, headers=headers, content_type=_HTML)


def _selectors(request: Request) -> dict[str, str]:
    """Return the page's own parameters, as attributes of the element."""
    form = request.form if request.method == "POST" else None
    found: dict[str, str] = {}
    for name in ("callid", "workNo"):
        value = str(request.args.get(name) or (form.get(name) if form else None) or "")
        if value and len(value) <= _LONGEST_ID and wire.is_call_id(value):
            found[name.lower()] = value
    if request.args.get("embed") == "1" or (form and form.get("embed") == "1"):
        found["embed"] = "1"
    return found


def _panel_settings(settings: Settings) -> bytes:
    page = settings.bridge.page
    shared: Mapping[str, Any] = {
        "languages": page.languages,
        "keys": page.pressed(),
        "login_url": page.login_url,
        "login_origin": origin_of(page.login_url) if page.login_url else None,
        "frame_ancestors": page.frame_ancestors,
        "aicc": page.aicc_script is not None,
        "media_hosts": page.media_hosts,
        "confirm_in_frame": page.confirm_in_frame,
        "signs_in": any(agent.session == "sign_in" for agent in settings.bridge.agents.values()),
        "limits": panel_limits.limits(settings),
        "now": int(time.time() * 1000),
    }
    return json.dumps(shared, ensure_ascii=False, separators=(",", ":")).encode()


def _opened() -> Settings:
    """Return the settings.

    Raises:
        RefusedError: 503 without a valid configuration; 403 while the API is closed.
    """
    settings = runtime.configured()
    if settings is None:
        message = "the bridge has no valid configuration; see its log"
        raise RefusedError(503, "not_configured", message)
    if settings.bridge.api.closed:
        message = "the page is closed: set api.token in bridge.yml (BRIDGE_API_TOKEN)"
        raise RefusedError(403, "closed", message)
    return settings


def _sent(request: Request, found: _File) -> HTTPResponse:
    headers = {"vary": "Accept-Encoding", "cross-origin-resource-policy": "cross-origin"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return HTTPResponse(found.packed, headers=headers, content_type=found.content_type)
    return HTTPResponse(found.plain, headers=headers, content_type=found.content_type)


@cache
def _files() -> dict[str, _File]:
    """Return the panel's files by name, read once."""
    return {path.name: _read(path, 0) for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES}


@cache
def _read(path: Path, _changed_at: int) -> _File:
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".js", ".css"):
        text = _shortened(text)
    return _File(_TYPES[path.suffix], *_both(text.encode()))


@cache
def _completed(path: Path, _changed_at: int) -> _File:
    english = FOLDER / catalogues.FOLDER / "en.json"
    return _File("application/json", *_both(completed(path, english)))


def _shortened(text: str) -> str:
    """Remove comments that have lines of their own, empty lines and indents: a quarter of it."""
    return _INDENT.sub("", _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", text)))


@cache
def _preloads() -> str:
    """Return the links by which a browser loads all modules at once."""
    modules = sorted({name for name in _files() if name.endswith(".js")} - {"aicc.js"})
    return "\n".join(f'<link rel="modulepreload" href="/inbox/{name}">' for name in modules)


def _both(plain: bytes) -> tuple[bytes, bytes]:
    return plain, gzip.compress(plain, mtime=0)

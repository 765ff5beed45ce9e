"""The action server: does it run, with the bridge's actions, and is it ready?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from bridge.doctor.diagnosis import Diagnosis, error, ok, warning

_KEY = "actions"
_SECONDS = 5.0
_OURS = {"action_human_handoff", "action_agent_assist", "action_bridge", "action_handback"}
_LARGEST = 1 << 20
_IMPORT = "bridge.actions"
_CURE = (
    "add `from bridge.actions import *` to a module of the bot's own package, or start the server"
    " with --actions bridge.actions"
)


def examine(url: str, folder: Path) -> Iterator[Diagnosis]:
    """Ask the action server at ``url``; without one, look at the folder where it would start."""
    with requests.Session() as http:
        http.trust_env = False
        if _get(http, f"{url}/health") is None:
            yield warning(
                _KEY,
                f"no action server answers at {url}",
                allowed="a running server",
                hint="start it, or name its address with --server",
            )
            yield from _shadow(folder)
            return
        if not isinstance(health := _get(http, f"{url}/bridge/health"), dict):
            yield error(
                _KEY,
                f"the action server at {url} runs without the bridge: another `actions` package"
                " was loaded",
                allowed="the bridge's actions",
                hint=_CURE,
            )
            return
        yield ok(_KEY, f"the bridge {health.get('version', '')} is loaded")
        yield from _missing(_get(http, f"{url}/actions"))
        yield from _readiness(_get(http, f"{url}/bridge/ready"))


def workers(wanted: int) -> Iterator[Diagnosis]:
    """Compare the number of Sanic's workers with this machine's processors."""
    cores = os.cpu_count() or 1
    if wanted <= cores:
        yield ok("workers", f"{wanted}, for {cores} processors")
        return
    yield warning(
        "workers",
        f"ACTION_SERVER_SANIC_WORKERS is {wanted}",
        allowed=f"at most {cores}, the number of this machine's processors",
        hint="lower it: the core is one more process, and one worker is enough for most",
    )


def _get(http: requests.Session, url: str) -> Any:
    """Return the JSON of a response, whatever its status; None without one."""
    try:
        with http.get(url, timeout=_SECONDS, allow_redirects=False, stream=True) as response:
            if response.status_code not in (200, 503):
                return None
            body = response.raw.read(_LARGEST, decode_content=True)
            response._content = body  # noqa: SLF001 - read with a limit
            return response.json()
    except (requests.RequestException, ValueError, OSError):
        return None


def _missing(listed: Any) -> Iterator[Diagnosis]:
    if not isinstance(listed, list):
        return
    names = {each.get("name") for each in listed if isinstance(each, dict)}
    if missing := sorted(_OURS - names):
        yield error(
            _KEY,
            f"the action server does not serve {', '.join(missing)}",
            allowed="all four actions of the bridge",
            hint=_CURE,
        )


def _readiness(ready: Any) -> Iterator[Diagnosis]:
    if not isinstance(ready, dict):
        return
    checks = ready.get("checks")
    failed = {
        name: result
        for name, result in (checks if isinstance(checks, dict) else {}).items()
        if result != "ok"
    }
    if failed:
        listed = ", ".join(f"{name}: {result}" for name, result in failed.items())
        yield error(
            "ready",
            f"the server is not ready ({listed})",
            allowed="every check is ok",
            hint="read the server's log, which says why",
        )
    elif ready.get("status") == "degraded":
        yield warning(
            "ready",
            "the circuit breaker is open: the gateway does not answer the server",
            hint="see gateway.url; messages are kept and sent when the gateway is back",
        )
    else:
        yield ok("ready", "the server is ready")


def _shadow(folder: Path) -> Iterator[Diagnosis]:
    """Look for an ``actions`` package that Python would load instead of the installed one."""
    package, module = folder / "actions", folder / "actions.py"
    if (package / "__init__.py").exists():
        files = sorted(package.rglob("*.py"))
    else:
        files = [module] if module.exists() else []
    if files and not any(_names_ours(path) for path in files):
        where = package if files[0] != module else module
        yield error(
            _KEY,
            f"the bot's own {where} shadows the bridge's actions, and does not import them",
            allowed="a package that imports bridge.actions",
            hint=_CURE,
        )


def _names_ours(path: Path) -> bool:
    try:
        return _IMPORT in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False

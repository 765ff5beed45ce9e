"""Rasa's API and the action server, played by a server that answers some paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bridge.config.settings import RasaSettings
from bridge.doctor import rasa, server
from bridge.doctor.diagnosis import Diagnosis, Severity
from bridge.rasa import Rasa
from tests.doctor.answering import ACTIONS, DOMAIN, OURS, READY, Answers, answering
from tests.web.serving import ActionServer


def faults(found: list[Diagnosis]) -> list[tuple[str, str]]:
    """Severity and key of what is not in order; each has a cure."""
    wrong = [each for each in found if each.severity is not Severity.OK]
    assert all(each.hint for each in wrong)
    return [(each.severity.value, each.key) for each in wrong]


def examined(answers: Answers, **more: Any) -> list[Diagnosis]:
    with answering(answers) as url:
        settings = RasaSettings.model_validate({"url": url, "token": "t" * 32, **more})
        client = Rasa(settings)
        try:
            return list(rasa.examine(client, settings))
        finally:
            client.close()


CHANNEL = (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"/domain": (200, DOMAIN)}, []),
        ({"/domain": (401, {})}, [("error", "rasa.url")]),
        ({"/domain": (403, {})}, [("error", "rasa.url")]),
        ({}, [("error", "rasa.url")]),
        ({"/domain": (500, {})}, [("error", "rasa.url")]),
        ({"/domain": (200, {})}, [("error", "rasa.domain"), ("error", "rasa.domain")]),
        (
            {"/domain": (200, {**DOMAIN, "slots": {"handoff_state": {}}})},
            [("error", "rasa.domain")],
        ),
        (
            {"/domain": (200, {**DOMAIN, "actions": [{"action_bridge": {"send_domain": True}}]})},
            [],
        ),
        (
            {"/domain": (200, DOMAIN), "/webhooks/rest/": CHANNEL},
            [("warning", "rasa.channels")],
        ),
    ],
)
def test_what_is_wrong_with_rasa_is_named(answers: Answers, found: list[Any]) -> None:
    assert faults(examined(answers)) == found


def test_replies_that_are_pushed_twice_are_named() -> None:
    answers = {"/domain": (200, DOMAIN), "/webhooks/callback/": CHANNEL}
    assert ("warning", "rasa.replies") in faults(examined(answers, replies="silent"))
    assert ("warning", "rasa.replies") not in faults(examined(answers))


def test_rasa_is_only_read_and_need_not_be_named() -> None:
    seen: list[str] = []
    with answering({"/domain": (200, DOMAIN)}, seen) as url:
        settings = RasaSettings.model_validate({"url": url})
        client = Rasa(settings)
        list(rasa.examine(client, settings))
        client.close()
    assert seen == ["GET /domain", "GET /webhooks/rest/", "GET /webhooks/callback/"]
    assert faults(list(rasa.examine(None, RasaSettings()))) == [("warning", "rasa.url")]


# -- the action server -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"/bridge/health": (404, {})}, [("error", "actions")]),
        ({"/bridge/health": (500, {})}, [("error", "actions")]),
        ({"/actions": (200, ACTIONS[:2])}, [("error", "actions")]),
        (
            {"/bridge/ready": (503, {"status": "not_ready", "checks": {"store": "failed"}})},
            [("error", "ready")],
        ),
        ({"/bridge/ready": (200, {**READY, "status": "degraded"})}, [("warning", "ready")]),
    ],
)
def test_what_is_wrong_with_the_action_server_is_named(
    tmp_path: Path, changed: Answers, found: list[Any]
) -> None:
    with answering({**OURS, **changed}) as url:
        assert faults(list(server.examine(url, tmp_path))) == found


def test_the_real_action_server_is_in_order(tmp_path: Path) -> None:
    with ActionServer(tmp_path) as running:
        assert faults(list(server.examine(f"http://127.0.0.1:{running.port}", tmp_path))) == []


@pytest.mark.parametrize(
    ("files", "shadowed"),
    [
        ({}, False),
        ({"actions/__init__.py": "", "actions/a.py": "x = 1"}, True),
        ({"actions/a.py": "x = 1"}, False),  # a folder that is no package shadows nothing
        ({"actions.py": "x = 1"}, True),
        ({"actions.py": "from bridge.actions import *"}, False),
        ({"actions/__init__.py": "", "actions/b.py": "from bridge.actions import *"}, False),
    ],
)
def test_a_package_that_shadows_ours_is_named(
    tmp_path: Path,
    files: dict[str, str],
    shadowed: bool,  # noqa: FBT001
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = list(server.examine("http://127.0.0.1:9", tmp_path))
    expected = [("warning", "actions")] + ([("error", "actions")] if shadowed else [])
    assert faults(found) == expected


def test_more_workers_than_processors_are_named() -> None:
    cores = os.cpu_count() or 1
    assert faults(list(server.workers(cores))) == []
    assert faults(list(server.workers(cores + 1))) == [("warning", "workers")]

"""The channel that ``init`` writes for Rasa, served by Sanic, with Rasa's three classes played."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

CHANNEL = Path(__file__).parents[2] / "examples" / "bot" / "cc_bridge_channel.py"
TOKEN = "the-token-of-the-channel"
RASA = """
class InputChannel:
    pass

class CollectingOutputChannel:
    def __init__(self):
        self.messages = []

class UserMessage:
    def __init__(self, text, output_channel, sender_id, input_channel, metadata):
        self.__dict__.update(locals())
"""
PROGRAM = f"""
import asyncio, socket, sys
from sanic import Sanic
from cc_bridge_channel import CCBridgeInput

async def on_new_message(message):
    if message.text.startswith("slow "):
        await asyncio.sleep(0.5)
        open(message.text[5:], "w").close()
    fields = ("text", "sender_id", "input_channel", "metadata")
    message.output_channel.messages.append({{name: getattr(message, name) for name in fields}})

app = Sanic("rasa", configure_logging=False)
channel = CCBridgeInput.from_credentials({{"token": "{TOKEN}"}})
app.blueprint(channel.blueprint(on_new_message), url_prefix="/webhooks/" + channel.name())
app.run(sock=socket.socket(fileno=int(sys.argv[1])), single_process=True, access_log=False)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rasa")
    package = path / "rasa" / "core" / "channels"
    package.mkdir(parents=True)
    (package / "channel.py").write_text(RASA)
    shutil.copy(CHANNEL, path)
    return path


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(listening.fileno())],
            cwd=folder,
            pass_fds=[listening.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/webhooks/cc_bridge"
        try:
            yield address  # connections wait until the server accepts them
        finally:
            process.terminate()
            process.wait(20)


def ask(url: str, body: Any, **headers: str) -> tuple[int, Any]:
    data = body if isinstance(body, str) else json.dumps(body)
    answer = requests.post(f"{url}/webhook", data=data, headers=headers, timeout=30)
    return answer.status_code, answer.json()


def authorized(url: str, body: Any) -> tuple[int, Any]:
    return ask(url, body, Authorization=f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    ("given", "text"),
    [("hello", "hello"), ("/restart", "restart"), (" //x", "x"), ("1/2", "1/2"), ("/", "")],
)
def test_a_message_reaches_the_bot_as_text(url: str, given: str, text: str) -> None:
    body = {"sender": "maria", "message": given, "metadata": {"a": 1}, "input_channel": "rest"}
    assert authorized(url, body) == (
        200,
        [{"text": text, "sender_id": "maria", "input_channel": "cc_bridge", "metadata": {"a": 1}}],
    )


def test_a_turn_goes_on_when_nobody_waits_for_it(url: str, tmp_path: Path) -> None:
    done = tmp_path / "done"
    body = {"sender": "maria", "message": f"slow {done}"}
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{url}/webhook",
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=(10, 0.2),
        )
    until = time.monotonic() + 15
    while not done.exists():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
    ],
)
def test_nobody_without_the_token_is_answered(url: str, headers: dict[str, str]) -> None:
    body = {"sender": "maria", "message": "hello"}
    assert ask(url, body, **headers) == (401, {"error": "unauthorized"})
    answer = requests.post(f"{url}/webhook?token={TOKEN}", json=body, timeout=30)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", [[], "x", None, {}, {"sender": "", "message": "x"}, {"sender": "a", "message": 1}]
)
def test_a_body_that_is_none_is_a_400(url: str, body: Any) -> None:
    answer = requests.post(
        f"{url}/webhook", json=body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("token", [None, "", "  ", 5])
def test_rasa_does_not_start_without_a_token(folder: Path, token: Any) -> None:
    program = (
        "from cc_bridge_channel import CCBridgeInput\n"
        f"CCBridgeInput.from_credentials({{'token': {token!r}}})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cc_bridge_channel.CCBridgeInput needs a token" in done.stderr

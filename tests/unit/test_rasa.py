"""Rasa's HTTP API as the bridge calls it, against a socket that records."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given

from bridge.config.settings import RasaSettings
from bridge.errors import RasaError
from bridge.rasa import Rasa, _json
from tests import poison

TOKEN = "rasas-own-token"


class Recorder(ThreadingHTTPServer):
    """Answers every request with ``answer``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.bearers: list[str | None] = []
        self.status, self.answer = 200, b"{}"
        self.drips = False
        self.closing = threading.Event()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._serve(None)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self._serve(json.loads(self.rfile.read(length)))

            def do_PUT(self) -> None:
                self.do_POST()

            def _serve(self, body: Any) -> None:
                recorder.asked.append((self.command, self.path, body))
                recorder.bearers.append(self.headers.get("Authorization"))
                self.send_response(recorder.status)
                length = 1_000_000 if recorder.drips else len(recorder.answer)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                with suppress(OSError):  # the client gives up
                    while recorder.drips and not recorder.closing.wait(0.05):
                        self.wfile.write(b" ")
                    self.wfile.write(recorder.answer)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def server() -> Iterator[Recorder]:
    made = Recorder()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.closing.set()
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def rasa(server: Recorder) -> Iterator[Rasa]:
    url = f"http://127.0.0.1:{server.server_port}"
    made = Rasa(RasaSettings.model_validate({"url": url, "token": TOKEN, "timeout": 2}))
    yield made
    made.close()


def test_parse_asks_the_nlu_and_runs_nothing(server: Recorder, rasa: Rasa) -> None:
    server.answer = json.dumps({"intent": {"name": "greet", "confidence": 0.9}}).encode()
    assert rasa.parse("hi")["intent"]["name"] == "greet"
    assert server.asked == [("POST", f"/model/parse?token={TOKEN}", {"text": "hi"})]


def test_say_speaks_over_the_rest_channel(server: Recorder, rasa: Rasa) -> None:
    server.answer = json.dumps([{"recipient_id": "s", "text": "Hello"}, "odd"]).encode()
    assert rasa.say("s", "hi", {"k": 1}) == [{"recipient_id": "s", "text": "Hello"}]
    method, path, body = server.asked[0]
    assert (method, path.partition("?")[0]) == ("POST", "/webhooks/rest/webhook")
    assert body == {"sender": "s", "message": "hi", "metadata": {"k": 1}}


def test_a_channel_with_a_token_gets_that_and_not_rasas(server: Recorder, rasa: Rasa) -> None:
    server.answer = b"[]"
    rasa.say("s", "hi", channel="cc_bridge", token="the-channels")
    assert server.asked[0][:2] == ("POST", "/webhooks/cc_bridge/webhook")
    assert server.bearers == ["Bearer the-channels"]


def test_a_prediction_names_no_conversation(server: Recorder, rasa: Rasa) -> None:
    rasa.predict([{"event": "session_started"}])
    method, path, body = server.asked[0]
    assert (method, path.partition("?")[0]) == ("POST", "/model/predict")
    assert body == [{"event": "session_started"}]


@pytest.mark.parametrize(
    ("parse", "sent"),
    [
        (
            {"intent": {"name": None, "confidence": 0.0}, "entities": []},
            {"intent": {"confidence": 0.0}, "entities": []},
        ),
        ({"intent": None}, {"intent": {}}),
        (
            {"intent": {"name": "greet"}, "intent_ranking": [{"name": "greet"}, {"name": None}]},
            {"intent": {"name": "greet"}, "intent_ranking": [{"name": "greet"}, {}]},
        ),
        ({}, {}),
    ],
)
def test_events_are_sent_without_intents_that_have_no_name(
    server: Recorder, rasa: Rasa, parse: dict[str, Any], sent: dict[str, Any]
) -> None:
    """Rasa refuses them, although its own trackers contain them."""
    other: dict[str, Any] = {"event": "slot", "name": "intent", "value": None}
    events: list[dict[str, Any]] = [
        {"event": "user", "text": "x", "parse_data": parse},
        other,
        {"event": "user"},
    ]
    rasa.predict(events)
    rasa.add_events("s", events)
    rasa.replace_events("s", events)
    expected = [{"event": "user", "text": "x", "parse_data": sent}, other, {"event": "user"}]
    assert [body for _, _, body in server.asked] == [expected] * 3


def test_a_conversation_that_rasa_does_not_know_is_not_begun(server: Recorder, rasa: Rasa) -> None:
    server.status = 404
    assert rasa.find_tracker("s") is None
    assert [path.partition("?")[0] for _, path, _ in server.asked] == ["/conversations/s/story"]


def test_a_conversation_that_rasa_knows_is_looked_for_once(server: Recorder, rasa: Rasa) -> None:
    assert rasa.find_tracker("s") == {}
    assert rasa.find_tracker("s") == {}
    tracker = "/conversations/s/tracker"
    asked = [path.partition("?")[0] for _, path, _ in server.asked]
    assert asked == ["/conversations/s/story", tracker, tracker]


def test_a_rasa_that_drips_costs_the_time_limit_and_no_more(rasa: Rasa, server: Recorder) -> None:
    server.drips = True
    begun = time.monotonic()
    with pytest.raises(RasaError, match="in time") as raised:
        rasa.parse("hi", within=0.3)
    assert time.monotonic() - begun < 1.5
    assert (raised.value.unknown, raised.value.sent) == (True, True)


def test_a_conversations_name_is_percent_encoded(server: Recorder, rasa: Rasa) -> None:
    server.answer = b'{"events": []}'
    rasa.tracker("a/b?c")
    assert server.asked[0][1].startswith("/conversations/a%2Fb%3Fc/tracker?include_events=ALL")


@pytest.mark.parametrize("name", [".", ".."])
def test_a_conversations_name_never_changes_the_path(
    server: Recorder, rasa: Rasa, name: str
) -> None:
    for ask in (lambda: rasa.tracker(name), lambda: rasa.add_events(name, [{"event": "resume"}])):
        with pytest.raises(RasaError, match="cannot address"):
            ask()
    assert server.asked == []


@given(poison.objects)
def test_what_rasa_answers_can_be_stored(value: Any) -> None:
    for content in (poison.written(value), poison.raw(value)):
        assert poison.is_storable(poison.finite(_json(content)))


def test_events_go_to_the_customer_only_where_that_is_asked(server: Recorder, rasa: Rasa) -> None:
    rasa.add_events("s", [{"event": "bot", "text": "x"}])
    rasa.add_events("s", [{"event": "bot", "text": "x"}], to_customer=True)
    kept, pushed = (path for _, path, _ in server.asked)
    assert "output_channel" not in kept
    assert "output_channel=latest" in pushed
    assert "execute_side_effects=true" in pushed


@pytest.mark.parametrize(
    ("status", "answer"), [(500, b"{}"), (401, b"{}"), (200, b"<html>"), (200, b"[]"), (302, b"")]
)
def test_what_is_no_answer_is_an_error_that_quotes_nothing(
    server: Recorder, rasa: Rasa, status: int, answer: bytes
) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(RasaError) as raised:
        rasa.parse("a secret of a customer")
    assert "secret" not in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_nobody_there(server: Recorder) -> None:
    url = "http://127.0.0.1:9"
    absent = Rasa(RasaSettings.model_validate({"url": url, "token": TOKEN, "timeout": 1}))
    with pytest.raises(RasaError) as raised:
        absent.domain()
    assert TOKEN not in str(raised.value)
    absent.close()
    assert server.asked == []

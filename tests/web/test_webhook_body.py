"""What the SDK is handed of a body, and what is refused in words."""

from __future__ import annotations

import concurrent.futures
import json
import time
import zlib
from typing import Any

import pytest

from tests.web.conftest import WEBHOOK_TOKEN
from tests.web.serving import ActionServer, slots, turn

MB = 1024 * 1024


def _probe(probed: ActionServer, body: Any, **options: Any) -> Any:
    answer = probed.webhook(body, token=WEBHOOK_TOKEN, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()["responses"][0]["custom"]


def _refused(server: ActionServer, body: Any, status: int = 400, **options: Any) -> str:
    answer = server.webhook(body, **options)
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert said.keys() == {"error", "action_name"}
    return str(said["error"])


# The domain


def test_a_request_with_its_domain_says_so(probed: ActionServer) -> None:
    found = _probe(probed, turn(action="action_probe"))
    assert found["carried"] is True
    assert "responses" in found["domain"]


def test_a_request_without_a_domain_runs_and_does_not_trust_the_last_one(
    probed: ActionServer,
) -> None:
    _probe(probed, turn(action="action_probe"))
    body = turn(action="action_probe")
    del body["domain"]
    assert _probe(probed, body)["carried"] is False
    assert _probe(probed, body | {"domain": None})["carried"] is False
    assert _probe(probed, body | {"domain": {}})["carried"] is False
    # and the next request on the same connection is judged for itself
    assert _probe(probed, turn(action="action_probe"))["carried"] is True


def test_a_digest_stands_for_its_domain(probed: ActionServer) -> None:
    whole = turn(action="action_probe", domain_digest="digest-1")
    _probe(probed, whole)
    body = turn(action="action_probe", domain_digest="digest-1")
    del body["domain"]
    assert _probe(probed, body)["carried"] is True
    unknown = probed.webhook(body | {"domain_digest": "digest-2"}, token=WEBHOOK_TOKEN)
    assert unknown.status_code == 449  # Rasa Pro sends the domain then


def test_a_message_that_is_null_does_not_trip_the_tracing_of_the_sdk(
    probed: ActionServer,
) -> None:
    body = turn(action="action_probe")
    body["tracker"]["latest_message"] = None
    assert _probe(probed, body)["text"] is None


# Encodings


def test_a_deflated_body_is_read(probed: ActionServer) -> None:
    body = zlib.compress(json.dumps(turn(action="action_probe")).encode())
    found = _probe(probed, body, headers={"Content-Encoding": "deflate"})
    assert found["text"] == turn()["tracker"]["latest_message"]["text"]


def test_a_bomb_is_refused(server: ActionServer) -> None:
    bomb = zlib.compress(b" " * (200 * MB), 9)
    began = time.monotonic()
    said = _refused(server, bomb, 413, headers={"Content-Encoding": "deflate"})
    assert said == "the body is over 10240 KB"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, deflate"])
def test_other_encodings_are_refused(server: ActionServer, encoding: str) -> None:
    said = _refused(server, b"anything", headers={"Content-Encoding": encoding})
    assert said == "the body's Content-Encoding is not known; expected deflate, or none"


@pytest.mark.parametrize(
    "body",
    [
        b"not deflated",
        zlib.compress(b'{"next_action": "x"}')[:-6],
        zlib.compress(b"{}") + b"more",
        b"",
    ],
)
def test_what_does_not_inflate_is_refused(server: ActionServer, body: bytes) -> None:
    said = _refused(server, body, headers={"Content-Encoding": "deflate"})
    assert said == "the body is not what its Content-Encoding, deflate, says"


def test_surrogate_halves_and_nan_are_put_right(probed: ActionServer) -> None:
    body = turn(action="action_probe")
    body["tracker"]["latest_message"]["text"] = "half \ud83d and whole \U0001f600"
    body["tracker"]["slots"] = {"number": float("nan")}
    found = _probe(probed, json.dumps(body).encode())
    assert found["text"] == "half ? and whole \U0001f600"
    assert found["slots"] == {"number": None}


def test_metadata_that_is_nested_hundreds_deep_reaches_the_core(server: ActionServer) -> None:
    body = turn("deeply-nested")
    body["tracker"]["latest_message"]["metadata"] = "NESTED"
    nested = '{"a":' * 700 + "1" + "}" * 700
    answer = server.webhook(json.dumps(body).replace('"NESTED"', nested).encode())
    assert slots(answer)["handoff_error"] == "no_assignment"  # not that the core is unavailable


# Size


def test_a_body_of_nearly_ten_megabytes_is_read(probed: ActionServer) -> None:
    body = turn(action="action_probe")
    body["domain"]["padding"] = "x" * (10 * MB - len(json.dumps(body)) - 100)
    assert "padding" in _probe(probed, body)["domain"]


def test_a_larger_body_is_refused_and_the_refusal_arrives(server: ActionServer) -> None:
    assert _refused(server, b'"' + b"x" * (11 * MB) + b'"', 413) == "the request is too large"


def test_a_larger_body_in_chunks_is_refused(server: ActionServer) -> None:
    answer = server.ask(
        "POST", "/webhook", token=None, data=(b"x" * MB for _ in range(12)), timeout=30
    )
    assert answer.status_code == 413


def test_a_large_body_holds_nobody_up(probed: ActionServer) -> None:
    events = turn()["tracker"]["events"]
    body = turn(action="action_probe")
    body["tracker"]["events"] = events * (9 * MB // len(json.dumps(events)))
    sent = json.dumps(body).encode()
    worst = 0.0
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(_probe, probed, sent)
        while not answer.done():
            began = time.monotonic()
            assert probed.get("/health").status_code == 200
            worst = max(worst, time.monotonic() - began)
        answer.result()
    assert worst < 1


# What is not Rasa's


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty; expected JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe\xfa", "the body is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "the body is nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "the body is nested too deeply"),
        (b"1" * 5000, "the body is not JSON"),
        (b"[]", "the body is a list; expected an object with next_action, sender_id"),
        (b"null", "the body is null; expected an object"),
        (b"{}", "next_action is missing; expected a string that is not empty"),
    ],
)
def test_a_body_that_is_not_rasas_is_refused_with_the_reason(
    server: ActionServer, body: bytes, reason: str
) -> None:
    assert _refused(server, body).startswith(reason)


def test_the_refusal_names_the_action_and_quotes_nothing(server: ActionServer) -> None:
    body = turn()
    body["tracker"]["events"].append("the customer's words")
    answer = server.webhook(body)
    assert answer.status_code == 400
    assert answer.json()["action_name"] == "action_human_handoff"
    assert "is a string; expected an object" in answer.json()["error"]
    assert "words" not in answer.text


@pytest.mark.parametrize("name", ["x" * 200, "<script>\n", 7])
def test_a_name_that_is_none_is_not_repeated(server: ActionServer, name: Any) -> None:
    answer = server.webhook({"next_action": name, "sender_id": "s"})
    assert answer.status_code == 400
    assert answer.json()["action_name"] == ""


def test_a_version_that_is_no_string_is_refused(server: ActionServer) -> None:
    said = _refused(server, turn(version=3.6))
    assert said == "version is not a string; expected Rasa's version, or nothing"


def test_no_refusal_left_a_traceback(server: ActionServer) -> None:
    for body in (b"", b"{", b"[" * 100_000, json.dumps(turn(version=3)).encode()):
        _refused(server, body)
    assert "Traceback" not in server.log()

"""What comes in from outside can be stored and logged, at each place where it comes in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge import access_tokens, assignment_tokens, signing, untrusted
from bridge import turn as turns
from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError, BridgeError, GatewayError, RefusedError
from bridge.gateway import wire
from bridge.web import body
from tests import poison
from tests.making import NOW

SECRET = "a-secret-of-at-least-thirty-two-characters"
HEAD = b'{"alg":"HS256","typ":"JWT"}'
WRITTEN = (poison.written, poison.raw)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the bridge's error that it raises."""
    try:
        return call()
    except BridgeError as error:
        return error


# Values


@given(poison.texts)
def test_text_can_be_stored_and_keeps_its_characters(value: str) -> None:
    found = untrusted.text(value)
    assert poison.is_storable(found)
    assert untrusted.text(found) == found
    assert bool(found) == bool(value)  # nothing is removed


def test_halves_of_a_pair_are_joined() -> None:
    assert untrusted.text("a\ud83d\ude00b") == "a\U0001f600b"
    assert untrusted.text("\ud83d!\ude00") == "?!?"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_other_text_is_unchanged(value: str) -> None:
    assert untrusted.text(value) is value


@given(poison.values)
def test_a_cleaned_value_can_be_stored(value: Any) -> None:
    assert poison.is_storable(untrusted.cleaned(value))


def test_what_lies_too_deep_is_null() -> None:
    nested: Any = "bottom"
    for _ in range(50_000):
        nested = [nested]
    assert json.dumps(untrusted.cleaned(nested, deepest=3)) == "[[[null]]]"


@given(st.floats() | st.integers() | poison.values)
def test_a_moment_can_be_shown(value: Any) -> None:
    found = untrusted.moment(value)
    assert found is None or 0 <= found < untrusted.LATEST


@given(poison.texts)
def test_one_line_is_one_line_without_control_characters(value: str) -> None:
    found = untrusted.one_line(value)
    assert found.splitlines() in ([found], [])
    assert poison.is_storable(found)
    assert not any(ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0 for each in found)
    assert len(found) <= 6 * untrusted.LONGEST_SHOWN + 40


@given(poison.texts)
def test_lines_hold_no_control_characters_but_line_breaks_and_tabs(value: str) -> None:
    found = untrusted.lines(value)
    assert poison.is_storable(found)
    assert not any(ord(each) < 0x20 and each not in "\n\t" for each in found)


# The gateway


@given(poison.objects, st.sampled_from(WRITTEN), st.integers(100, 599), poison.texts)
def test_the_gateways_answers(value: Any, write: Any, status: int, header: str) -> None:
    found = outcome(lambda: wire.read(status, write(value), retry_after=header))
    if isinstance(found, GatewayError):
        found = [found.message, found.retcode]
        assert all(map(poison.is_one_line, found))
    assert poison.is_storable(found)


@given(poison.values, poison.values, st.sampled_from(WRITTEN))
def test_the_gateways_retcodes(retcode: Any, message: Any, write: Any) -> None:
    assume(retcode not in ("0", 0))
    with pytest.raises(GatewayError) as failed:
        wire.read(200, write({"retcode": retcode, "message": message}))
    error = failed.value
    assert poison.is_one_line(error.message)
    assert len(error.message) < 200
    assert len(error.retcode) <= 32


@given(poison.values, poison.values, st.sampled_from(WRITTEN))
def test_the_gateways_events(kind: Any, content: Any, write: Any) -> None:
    event = {"eventType": kind, "content": content}
    found = wire.event(wire.read(200, write({"retcode": "0", "event": event})))
    assert found is not None
    name = found.event_type
    assert name
    assert poison.is_one_line(name)
    assert len(name) <= 128
    assert poison.is_storable(found)


@given(poison.objects | st.fixed_dictionaries({"eventList": poison.values}))
def test_the_gateways_pushes(value: Any) -> None:
    found = wire.pushed_events(untrusted.cleaned(value))
    assert all(poison.is_one_line(each.event_type) and each.event_type for each in found)
    assert poison.is_storable(found)


@given(poison.texts)
def test_the_gateways_guids(value: str) -> None:
    found = wire.new_guid({"Set-GUID": f"JSESSIONID={value}"})
    assert found is None or (found.isascii() and found.isprintable())


@given(st.floats().map(str) | poison.texts)
def test_retry_after(value: str) -> None:
    with pytest.raises(GatewayError) as failed:
        wire.read(503, b"", retry_after=value)
    asked = getattr(failed.value, "retry_after", None)
    assert asked is None or (math.isfinite(asked) and asked >= 0)


# Rasa


@given(
    poison.objects, st.sampled_from([*WRITTEN, lambda value: json.dumps(value).encode("utf-16")])
)
def test_bodies(value: Any, write: Any) -> None:
    for parse in (body.parse, body.parse_aside):
        assert poison.is_storable(poison.finite(parse(write(value))))


@given(poison.scalars)
def test_times_in_the_tracker(timestamp: Any) -> None:
    said = {"event": "user", "text": "words", "timestamp": timestamp}
    turn = turns.read({"sender_id": "s", "events": [said]}, None, "action_human_handoff")
    for at in (turn.message_at, turn.last_written_at, turn.lines(5)[0].at):
        assert at is None or 0 <= at < untrusted.LATEST


# Tokens


def signed(claims: bytes) -> str:
    """A token with any claims, as a library that takes no care would sign it."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    content = f"{part(HEAD)}.{part(claims)}"
    digest = hmac.digest(SECRET.encode(), content.encode(), hashlib.sha256)
    return f"{content}.{part(digest)}"


SETTINGS = BridgeSettings.model_validate(
    {"gateway": {"url": "http://127.0.0.1:1"}, "assignment": {"secret": SECRET}}
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("iat", "exp", "nbf", "jti", "sub", "call_id", "agent_id"), poison.values
    )
    | {"aud": st.sampled_from(["agent", "assignment"]) | poison.values},
)


@given(CLAIMS, st.sampled_from(WRITTEN))
@settings(deadline=None)
def test_claims(claims: Any, write: Any) -> None:
    claims = {"aud": "agent", "sub": "291", "jti": "x", "iat": NOW, "exp": NOW + 60} | claims
    token = signed(write(claims))
    with pytest.raises(AssignmentError):
        assignment_tokens.from_token(token, "s", SETTINGS, now=NOW)
    found = outcome(lambda: access_tokens.read(token, secret=SECRET, now=NOW))
    if isinstance(found, RefusedError):
        assert found.status == 401
    else:
        assert poison.is_storable([found.subject, found.token_id, found.issued_at])


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1" + "0" * 400, "1e999", "-1e999", "NaN", '"soon"', "[]"])
def test_a_time_that_is_none_is_refused(claim: str, value: str) -> None:
    claims = {"aud": "agent", "sub": "291", "jti": "x", "iat": NOW, "exp": NOW + 60, claim: "X"}
    token = signed(json.dumps(claims).replace('"X"', value).encode())
    with pytest.raises(BridgeError):
        access_tokens.read(token, secret=SECRET, now=NOW)


def test_a_token_has_one_spelling() -> None:
    token, _ = access_tokens.mint(
        access_tokens.Role.AGENT, "291", secret=SECRET, now=NOW, seconds=60
    )
    assert signing.verify(token, SECRET, audience="agent", required=("sub",))["sub"] == "291"
    head, claims, digest = token.split(".")
    others = [
        f"{head}=.{claims}.{digest}",
        f"{token}=",
        f"{token}==",
        f"{head}.{claims}=.{digest}",
        f"{token}\n",
        # The last character of 32 bytes holds four bits: three others decode to the same bytes.
        *(token[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh0123456789-_"),
    ]
    for other in others:
        if other != token:
            with pytest.raises(ValueError, match=r"\w"):
                signing.verify(other, SECRET, audience="agent", required=("sub",))

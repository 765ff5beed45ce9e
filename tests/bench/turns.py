"""Build what the benchmarks send: turns as a real Rasa sends them, domain included, and tokens.

A conversation gets its assignment by one of two ways: the platform PUTs it beforehand, or each of
the customer's messages brings a signed token in its metadata.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import jwt

from tests.bench.load import MESSAGE, SENDER, VALUE
from tests.web.serving import turn

PUT, TOKEN = "put", "token"
WAYS = (PUT, TOKEN)
AGENT = "291"
USER = "40001"
SECRET = "a-secret-that-signs-assignments-in-benchmarks-only-0001"
_SECONDS = 3600  # that a token is good for, the most that is allowed


def template(action: str, *, signed: bool = False) -> str:
    """Return a real request for ``action``, in which each turn is a new customer message.

    With ``signed`` the message's metadata carry a token, in both places where Rasa repeats them.
    """
    body = turn(SENDER, action=action)
    tracker = body["tracker"]
    former = tracker["latest_message"]["message_id"]
    if signed:
        spoken = [event for event in tracker["events"] if event["event"] == "user"]
        assert spoken, "the request has no event of the customer's"
        for message in (tracker["latest_message"], spoken[-1], spoken[-1]["parse_data"]):
            message["metadata"]["assignment"] = VALUE
    return json.dumps(body).replace(former, MESSAGE)


def names(prefix: str, count: int) -> list[str]:
    """Return the IDs of ``count`` conversations."""
    return [f"{prefix}-{number:06}" for number in range(count)]


def tokens(senders: Sequence[str], agent: str = AGENT) -> list[str]:
    """Sign an assignment for each conversation; its call has the conversation's ID."""
    now = int(time.time())
    return [
        jwt.encode(
            {
                "aud": "assignment",
                "sub": sender,
                "iat": now,
                "exp": now + _SECONDS,
                "agent_id": agent,
                "call_id": sender,
                "user_id": USER,
                "channel": "WEB",
            },
            SECRET,
            algorithm="HS256",
        )
        for sender in senders
    ]

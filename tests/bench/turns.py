"""The requests of the benchmarks: what a real Rasa sends, its domain included."""

from __future__ import annotations

import json

from tests.bench.load import MESSAGE, SENDER
from tests.web.serving import turn


def template(action: str) -> str:
    """A real request for ``action``, in which each turn is a new message of its conversation."""
    body = turn(SENDER, action=action)
    former = body["tracker"]["latest_message"]["message_id"]
    return json.dumps(body).replace(former, MESSAGE)


def names(prefix: str, count: int) -> list[str]:
    """So many conversations."""
    return [f"{prefix}-{number:06}" for number in range(count)]

"""Requests as the published page has them, for tests to change one thing at a time."""

from __future__ import annotations

import json
from typing import Any

SEND = "mediacall/291/sendmessage"
CALL = "1552524689-16797284"
ABSENT = object()  # leave the field out


def data(**changes: Any) -> dict[str, Any]:
    """The fields of ``data``, with changes; ``from_`` is ``from``."""
    fields: dict[str, Any] = {
        "from": "202301032048582419",
        "to": "88880022",
        "channel": "WEB",
        "controlType": "CHAT",
        "mediaType": "TEXT",
        "messageCode": "f3f1c1f4-6f0c-4a58-9c1e-2b6d0a4f5e11",
        "senderNickname": "Anna",
        "senderAvatar": "DefaultAvatar",
        "sendTime": 1552524689123,
        "content": "<p>Message sent by the agent</p>",
        "userId": "88880022",
    }
    fields.update({name.rstrip("_"): value for name, value in changes.items()})
    return {name: value for name, value in fields.items() if value is not ABSENT}


def body(**changes: Any) -> dict[str, Any]:
    """A whole request of the public cloud."""
    return {"callid": CALL, "userid": "88880022", "data": json.dumps(data(**changes))}

"""Read a tracker: from a file, as Rasa's API or an action request has it, or from Rasa itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.config.settings import RasaSettings
from bridge.errors import BridgeError
from bridge.rasa import Rasa
from bridge.untrusted import cleaned

_LARGEST = 64 * 1024 * 1024  # bytes of a file


@dataclass(frozen=True, slots=True)
class Recording:
    """A tracker, and what else came with it."""

    tracker: Mapping[str, Any]
    called: str | None = None  # of a request: the action that Rasa called
    domain: Mapping[str, Any] | None = None


def load(path: Path) -> Recording:
    """Read a tracker (``GET /conversations/ID/tracker``) or a request to an action server.

    Raises:
        BridgeError: the file cannot be read, or holds neither.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise BridgeError(f"{path}: larger than {_LARGEST:,} bytes")
        value = cleaned(json.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise BridgeError(f"{path}: {reason}") from None
    except (ValueError, RecursionError):
        raise BridgeError(f"{path}: not JSON in UTF-8") from None
    body = value if isinstance(value, dict) else {}
    tracker = body.get("tracker", body)
    if not isinstance(tracker, dict) or not isinstance(tracker.get("events"), list):
        raise BridgeError(
            f"{path}: no tracker; save the answer of Rasa's"
            " GET /conversations/ID/tracker?include_events=ALL"
        )
    called, domain = body.get("next_action"), body.get("domain")
    return Recording(
        tracker,
        called if tracker is not body and isinstance(called, str) else None,
        domain if isinstance(domain, dict) else None,
    )


def fetch(settings: RasaSettings, sender_id: str) -> Recording:
    """Read the tracker of a conversation from Rasa's API.

    Raises:
        RasaError: Rasa cannot be asked.
    """
    rasa = Rasa(settings)
    try:
        return Recording(rasa.tracker(sender_id))
    finally:
        rasa.close()

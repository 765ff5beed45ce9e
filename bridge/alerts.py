"""Client of the operator's webhook for handoffs that nobody takes; signs what it sends."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import datetime, timezone

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from bridge.config.settings import AlertSettings
from bridge.errors import WebhookError
from bridge.state.records import Alert

_TIMEOUTS = (3.0, 5.0)  # seconds, to connect and for an answer


class Webhook:
    """Client of the webhook at ``alerts.url``. Thread-safe; close it once.

    Args:
        settings: the section ``alerts``, with an address.
        adapter: makes the connections.
    """

    def __init__(self, settings: AlertSettings, adapter: HTTPAdapter) -> None:
        if settings.url is None or settings.secret is None:
            message = "alerts.url is not set"
            raise WebhookError(message)
        self._url = settings.url
        self._secret = settings.secret.get_secret_value()
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def post(self, alert: Alert) -> None:
        """Report an alert; redirects are not followed.

        Raises:
            WebhookError: the webhook did not accept it.
        """
        content = body(alert)
        try:
            response = self._session.post(
                self._url,
                data=content,
                headers={
                    "Content-Type": "application/json",
                    **headers(content, self._secret, at=int(time.time())),
                },
                timeout=_TIMEOUTS,
                allow_redirects=False,
                stream=True,  # the content of the answer does not matter
            )
            response.close()
        except (requests.RequestException, HTTPError, OSError) as error:
            # The error's text contains the address, which may contain a secret.
            raise WebhookError(f"the request failed ({type(error).__name__})") from None
        if not 200 <= response.status_code < 300:  # noqa: PLR2004 - HTTP's success
            raise WebhookError(f"it answered HTTP {response.status_code}")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def body(alert: Alert) -> bytes:
    """Return the request's body: IDs and times, and nothing that anybody wrote."""
    fields = {
        "event": "handoff_not_taken",
        "id": alert.id,
        "call_id": alert.call_id,
        "agent_id": alert.agent_id,
        "handed_off_at": _time(alert.handed_off_at),
        "raised_at": _time(alert.raised_at),
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def headers(content: bytes, secret: str, *, at: int) -> dict[str, str]:
    """Return the headers that prove who sent ``content``, and when."""
    signed = b"%d.%s" % (at, content)
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Bridge-Timestamp": str(at), "X-Bridge-Signature": f"sha256={signature}"}


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

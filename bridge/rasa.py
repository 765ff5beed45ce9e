"""Client for the part of Rasa's HTTP API that the bridge uses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from bridge import untrusted
from bridge.config.settings import RasaSettings
from bridge.errors import RasaError

_MOST = 32 * 1024 * 1024  # bytes of a response; a large domain takes a few MB
_PUSHING = 3  # timeout factor: Rasa responds only after the customer's channel has


class Rasa:
    """Client for the Rasa server at ``rasa.url``. Thread-safe; close it once.

    Raises:
        RasaError: from every method, if the request failed.
    """

    def __init__(self, settings: RasaSettings) -> None:
        if settings.url is None:
            message = "rasa.url is not set"
            raise RasaError(message)
        self._url = settings.url
        self._token = settings.token.get_secret_value() if settings.token else None
        self._timeout = settings.timeout
        self._session = requests.Session()
        self._session.trust_env = False

    def domain(self) -> Mapping[str, Any]:
        """Return the domain of the model that Rasa runs."""
        answer = self._call("GET", "/domain")
        if not isinstance(answer, dict):
            message = "Rasa's domain is not an object"
            raise RasaError(message)
        return answer

    def tracker(self, sender_id: str) -> Mapping[str, Any]:
        """Return the tracker of a conversation with all its events."""
        answer = self._call("GET", f"/conversations/{_part(sender_id)}/tracker?include_events=ALL")
        if not isinstance(answer, dict):
            message = "Rasa's tracker is not an object"
            raise RasaError(message)
        return answer

    def add_events(
        self, sender_id: str, events: Sequence[Mapping[str, Any]], *, to_customer: bool = False
    ) -> None:
        """Append events to a conversation.

        Args:
            sender_id: the conversation.
            events: events in the format of Rasa's tracker.
            to_customer: also send bot events to the customer, on the channel that was used last.
                Rasa cannot push to REST. It sends before it stores.
        """
        query = "?output_channel=latest&execute_side_effects=true" if to_customer else ""
        path = f"/conversations/{_part(sender_id)}/tracker/events{query}"
        timeout = self._timeout * _PUSHING if to_customer else None
        self._call("POST", path, list(events), timeout=timeout)

    def parse(self, text: str) -> Mapping[str, Any]:
        """Return Rasa's NLU result for a text: intent, ranking, entities. Runs no action."""
        answer = self._call("POST", "/model/parse", {"text": text})
        if not isinstance(answer, dict):
            message = "Rasa's parse is not an object"
            raise RasaError(message)
        return answer

    def say(
        self, sender_id: str, text: str, metadata: Mapping[str, Any] | None = None
    ) -> list[Mapping[str, Any]]:
        """Send a customer's message over Rasa's REST channel; return the bot's messages.

        The bot's actions run. Rasa takes a text that begins with ``/`` as an intent.
        """
        body = {"sender": sender_id, "message": text, "metadata": dict(metadata or {})}
        answer = self._call("POST", "/webhooks/rest/webhook", body)
        if not isinstance(answer, list):
            message = "Rasa's answer is not a list of messages"
            raise RasaError(message)
        return [item for item in answer if isinstance(item, dict)]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _call(
        self, method: str, path: str, body: Any = None, *, timeout: float | None = None
    ) -> Any:
        params = {"token": self._token} if self._token else None
        try:
            response = self._session.request(
                method,
                self._url + path,
                params=params,
                json=body,
                headers={"Accept": "application/json"},
                timeout=(self._timeout, timeout or self._timeout),
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = response.raw.read(_MOST, decode_content=True)
        except requests.ReadTimeout:
            raise RasaError("Rasa did not answer in time", unknown=True) from None
        except (requests.RequestException, HTTPError, OSError) as error:
            # The error's text contains the URL, and so the token.
            raise RasaError(f"the request to Rasa failed ({type(error).__name__})") from None
        status = response.status_code
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
            where = path.partition("?")[0].partition("/conversations/")[0] or "/conversations"
            raise RasaError(f"Rasa answered HTTP {status} to {method} {where}", status=status)
        return _json(content)


def _part(value: str) -> str:
    """Encode a path segment.

    Raises:
        RasaError: the segment would change the path, even encoded: HTTP clients resolve dots.
    """
    if value in (".", ".."):
        message = "Rasa's HTTP API cannot address a conversation whose ID is . or .."
        raise RasaError(message)
    return quote(value, safe="")


def _json(content: bytes) -> Any:
    try:
        value = json.loads(content)
        return untrusted.cleaned(value) if untrusted.is_odd(content) else value
    except (ValueError, RecursionError) as error:
        message = "Rasa's answer is not JSON"
        raise RasaError(message) from error

"""Client for the part of Rasa's HTTP API that the bridge uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote

import requests
from cachetools import TTLCache
from requests.exceptions import Timeout
from urllib3.exceptions import HTTPError, ReadTimeoutError

from bridge import untrusted
from bridge.config.settings import RasaSettings
from bridge.errors import RasaError
from bridge.gateway.deadline import DeadlineAdapter, begun, left, total

_MOST = 32 * 1024 * 1024  # bytes of a response; a large domain takes a few MB
_CONNECTIONS = 48  # kept open
_NOT_FOUND = 404
_KNOWN = 4096  # conversations that Rasa was seen to know
_KNOWN_SECONDS = 60.0
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
        self._known: TTLCache[str, None] = TTLCache(_KNOWN, _KNOWN_SECONDS)
        self._known_lock = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = DeadlineAdapter(pool_maxsize=_CONNECTIONS, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def domain(self, *, within: float | None = None) -> Mapping[str, Any]:
        """Return the domain of the model that Rasa runs; ``within`` limits the whole request."""
        answer = self._call("GET", "/domain", within=within)
        if not isinstance(answer, dict):
            message = "Rasa's domain is not an object"
            raise RasaError(message, sent=True)
        return answer

    def tracker(self, sender_id: str, *, within: float | None = None) -> Mapping[str, Any]:
        """Return the tracker of a conversation with all its events."""
        path = f"/conversations/{_part(sender_id)}/tracker?include_events=ALL"
        answer = self._call("GET", path, within=within)
        if not isinstance(answer, dict):
            message = "Rasa's tracker is not an object"
            raise RasaError(message, sent=True)
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
        self._call("POST", path, _accepted(events), timeout=timeout)

    def find_tracker(
        self, sender_id: str, *, within: float | None = None
    ) -> Mapping[str, Any] | None:
        """Return the tracker of a conversation, None if Rasa does not know it.

        Rasa begins an unknown conversation when its tracker is requested, and runs its
        ``action_session_start``. So it is looked for first, by a request that does not.
        """
        if sender_id not in self._known:
            path = f"/conversations/{_part(sender_id)}/story?until=0"
            try:
                self._call("GET", path, within=within, as_json=False)
            except RasaError as error:
                if error.status == _NOT_FOUND:
                    return None
                if not error.status:
                    raise
        tracker = self.tracker(sender_id, within=within)
        with self._known_lock:
            self._known[sender_id] = None
        return tracker

    def parse(self, text: str, *, within: float | None = None) -> Mapping[str, Any]:
        """Return Rasa's NLU result for a text: intent, ranking, entities. Runs no action.

        Rasa takes a text that begins with ``/`` as an intent.
        """
        answer = self._call("POST", "/model/parse", {"text": text}, within=within)
        if not isinstance(answer, dict):
            message = "Rasa's parse is not an object"
            raise RasaError(message, sent=True)
        return answer

    def predict(
        self, events: Sequence[Mapping[str, Any]], *, within: float | None = None
    ) -> Mapping[str, Any]:
        """Return Rasa's prediction of the action that follows these events; stores nothing."""
        path = "/model/predict?include_events=NONE"
        answer = self._call("POST", path, _accepted(events), within=within)
        if not isinstance(answer, dict):
            message = "Rasa's prediction is not an object"
            raise RasaError(message, sent=True)
        return answer

    def replace_events(
        self,
        sender_id: str,
        events: Sequence[Mapping[str, Any]],
        *,
        within: float | None = None,
    ) -> None:
        """Set the events of a conversation, which is created if Rasa does not know it."""
        path = f"/conversations/{_part(sender_id)}/tracker/events"
        self._call("PUT", path, _accepted(events), within=within)

    def execute(self, sender_id: str, action: str, *, within: float | None = None) -> None:
        """Run an action in a conversation; what it says is stored in the tracker only."""
        path = f"/conversations/{_part(sender_id)}/execute"
        self._call("POST", path, {"name": action}, within=within)

    def cancel_reminders(self, sender_id: str, *, within: float | None = None) -> None:
        """Cancel the reminders that actions scheduled in a conversation."""
        path = f"/conversations/{_part(sender_id)}/tracker/events?execute_side_effects=true"
        self._call("POST", path, [{"event": "cancel_reminder"}], within=within)

    def say(
        self,
        sender_id: str,
        text: str,
        metadata: Mapping[str, Any] | None = None,
        *,
        channel: str = "rest",
        token: str | None = None,
        within: float | None = None,
    ) -> list[Mapping[str, Any]]:
        """Send a customer's message over a channel of Rasa's; return the bot's messages.

        The bot's actions run. Rasa takes a text that begins with ``/`` as an intent.

        Args:
            sender_id: the conversation.
            text: what the customer wrote.
            metadata: of the message.
            channel: ``rest``, or another channel that answers as it does.
            token: the channel's bearer token.
            within: total seconds.
        """
        body = {"sender": sender_id, "message": text, "metadata": dict(metadata or {})}
        path = f"/webhooks/{channel}/webhook"
        answer = self._call("POST", path, body, within=within, bearer=token)
        if not isinstance(answer, list):
            message = "Rasa's answer is not a list of messages"
            raise RasaError(message, sent=True)
        return [item for item in answer if isinstance(item, dict)]

    def has_channel(self, name: str) -> bool:
        """Return whether Rasa serves a channel of this name; False if it does not say."""
        try:
            self._call("GET", f"/webhooks/{_part(name)}/")
        except RasaError:
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        timeout: float | None = None,
        within: float | None = None,
        bearer: str | None = None,
        as_json: bool = True,
    ) -> Any:
        """Make a request.

        Args:
            method: of HTTP.
            path: with its query.
            body: sent as JSON.
            timeout: seconds to wait for the response's next byte.
            within: seconds for the whole exchange; replaces ``timeout``.
            bearer: a token for the header; Rasa's own token is not sent then.
            as_json: the response is JSON; otherwise None is returned.
        """
        headers = {"Accept": "application/json"}
        params = {"token": self._token} if self._token and bearer is None else None
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        longest = within or timeout or self._timeout
        try:
            with total(within) if within is not None else nullcontext():
                response = self._session.request(
                    method,
                    self._url + path,
                    params=params,
                    json=body,
                    headers=headers,
                    timeout=(left(self._timeout), left(longest)),
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    content = response.raw.read(_MOST, decode_content=True)
        except (Timeout, TimeoutError, ReadTimeoutError):
            message = "Rasa did not answer in time"
            raise RasaError(message, unknown=begun(), sent=begun()) from None
        except (requests.RequestException, HTTPError, OSError) as error:
            # The error's text contains the URL, and so the token.
            message = f"the request to Rasa failed ({type(error).__name__})"
            raise RasaError(message, sent=begun()) from None
        status = response.status_code
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
            where = path.partition("?")[0].partition("/conversations/")[0] or "/conversations"
            message = f"Rasa answered HTTP {status} to {method} {where}"
            raise RasaError(message, status=status, sent=True)
        return _json(content) if as_json else None


def _accepted(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return events without what Rasa's schema of events refuses: an intent named null.

    Rasa's own NLU returns such an intent for a message that it does not understand, and its
    trackers contain it.
    """
    return [
        _with_named_intents(event) if event.get("event") == "user" else event for event in events
    ]


def _with_named_intents(event: Mapping[str, Any]) -> Mapping[str, Any]:
    parse = event.get("parse_data")
    if not isinstance(parse, Mapping):
        return event
    named = dict(parse)
    if "intent" in parse:
        named["intent"] = _without_null(parse["intent"] or {})
    if isinstance(parse.get("intent_ranking"), list):
        named["intent_ranking"] = [_without_null(intent) for intent in parse["intent_ranking"]]
    return {**event, "parse_data": named}


def _without_null(intent: Any) -> Any:
    if isinstance(intent, Mapping) and intent.get("name") is None:
        return {key: value for key, value in intent.items() if key != "name"}
    return intent


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
        raise RasaError(message, sent=True) from error

"""Rasa's HTTP API, as far as the bridge needs it. Nothing of ours is decided here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests

from bridge.config.settings import RasaSettings
from bridge.errors import RasaError

_MOST = 32 * 1024 * 1024  # bytes of an answer; a large domain has a few


class Rasa:
    """A Rasa server under ``rasa.url``. Thread-safe; close it once.

    Raises:
        RasaError: from every method, where Rasa did not answer as it should.
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
        """The domain of the model that Rasa runs."""
        answer = self._call("GET", "/domain")
        if not isinstance(answer, dict):
            message = "Rasa's domain is not an object"
            raise RasaError(message)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        params = {"token": self._token} if self._token else None
        try:
            response = self._session.request(
                method,
                self._url + path,
                params=params,
                json=body,
                headers={"Accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = response.raw.read(_MOST, decode_content=True)
        except (requests.RequestException, OSError) as error:
            # The error's own text holds the URL, and with it the token.
            raise RasaError(f"Rasa could not be asked ({type(error).__name__})") from None
        if not 200 <= response.status_code < 300:  # noqa: PLR2004 - HTTP's success
            raise RasaError(f"Rasa answered HTTP {response.status_code} to {method} {path}")
        return _json(content)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        message = "Rasa's answer is not JSON"
        raise RasaError(message) from error

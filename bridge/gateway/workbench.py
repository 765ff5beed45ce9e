"""The public cloud's workbench: who the customer of a call is, and on which channel.

``getUserInfoBycallId`` (page 2218) asks for a bearer token that ``tokenByAkSk`` (page 0005) gives
for the application's key and secret. The token is kept until shortly before it expires.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import requests

from bridge import untrusted
from bridge.errors import FinalError, GatewayError, RetryableError, UnreachableError
from bridge.gateway import calls
from bridge.model import CallInfo

if TYPE_CHECKING:
    from bridge.config.settings import GatewaySettings, WorkbenchSettings

_TOKEN = "/apigovernance/api/oauth/tokenByAkSk"  # noqa: S105 - a path
_USER_INFO = "/apiaccess/rest/workbench/v1/getUserInfoBycallId"
_EXPIRES = 600  # seconds that a token is asked for
_EARLY = 60.0  # seconds before its end from which a token is no longer used
_LONGEST = 1 << 18  # bytes of an answer
_DEEPEST = 16
_AGAIN = (429, 502, 503, 504)


class Workbench:
    """A client of the workbench. Thread-safe; close it once.

    Args:
        settings: ``reader.workbench`` of bridge.yml.
        gateway: ``gateway`` of bridge.yml, for its timeouts and its CA.
    """

    def __init__(self, settings: WorkbenchSettings, gateway: GatewaySettings) -> None:
        self._settings = settings
        self._timeout = (gateway.connect_timeout, gateway.read_timeout)
        self._session = requests.Session()
        self._session.trust_env = gateway.use_environment
        self._session.verify = gateway.ca_file or True
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0  # monotonic

    def user_info(self, call_id: str, user_id: str) -> CallInfo:
        """Return what the workbench knows of a call.

        Args:
            call_id: the call.
            user_id: the customer's ID as the gateway's event gave it.

        Raises:
            GatewayError: the workbench could not be asked, or refused.
        """
        body = {"callId": call_id, "userId": user_id, "tenantId": self._settings.tenant_id}
        for fresh in (False, True):
            headers = {
                "X-APP-Key": self._settings.app_key or "",
                "Authorization": f"Bearer {self._bearer(fresh=fresh)}",
            }
            status, answer = self._post(_USER_INFO, body, headers)
            if status != 401:  # noqa: PLR2004 - HTTP's unauthorised
                break
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
            raise _refused(status, "the workbench's getUserInfoBycallId")
        return calls.user_info(answer)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _bearer(self, *, fresh: bool) -> str:
        with self._lock:
            if fresh or time.monotonic() >= self._until:
                secret = self._settings.app_secret
                body = {
                    "app_key": self._settings.app_key,
                    "app_secret": secret.get_secret_value() if secret is not None else "",
                }
                headers = {"X-Token-Expire": str(_EXPIRES)}
                status, answer = self._post(_TOKEN, body, headers)
                token = answer.get("AccessToken")
                if not 200 <= status < 300 or not isinstance(token, str) or not token.isascii():  # noqa: PLR2004
                    raise _refused(status, "the workbench's tokenByAkSk")
                self._token = token
                self._until = time.monotonic() + _seconds(answer.get("Expires")) - _EARLY
            return self._token

    def _post(
        self, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        try:
            response = self._session.post(
                f"{self._settings.url}{path}",
                json=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = response.raw.read(_LONGEST, decode_content=True)
        except (requests.RequestException, OSError) as error:
            raise UnreachableError("the workbench cannot be reached") from error
        try:
            answer = untrusted.cleaned(json.loads(content), deepest=_DEEPEST)
        except (ValueError, RecursionError):
            answer = None
        return response.status_code, answer if isinstance(answer, dict) else {}


def _seconds(expires: Any) -> float:
    try:
        seconds = untrusted.number(float(expires))
    except (TypeError, ValueError):
        seconds = None
    return _EXPIRES if seconds is None else min(max(seconds, 0.0), 3600.0)


def _refused(status: int, what: str) -> GatewayError:
    message = f"{what} answered HTTP {status}"
    if status in _AGAIN:
        return RetryableError(message, status=status)
    return FinalError(message, status=status)

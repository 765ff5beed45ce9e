"""HTTP client of the gateway: one connection pool, a cookie jar per agent, three timeouts.

The timeouts are for connecting, for each read and for the whole call. The client does not know
delivery states or who may send; callers pass the GUID.
"""

from __future__ import annotations

import threading
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from cachetools import LRUCache
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar, get_cookie_header
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from bridge.errors import GatewayError, UnknownOutcomeError, UnreachableError
from bridge.gateway import wire
from bridge.gateway.deadline import DeadlineAdapter, begun, left, total
from bridge.model import Guid

if TYPE_CHECKING:  # the sender process does not load the settings
    from bridge.config.settings import GatewaySettings

_AGENTS = 4096
_POLICY = DefaultCookiePolicy()  # shared by all jars; it holds no state of an agent's
_MOST_COOKIES = 32  # of one agent
_LONGEST_COOKIE = 4096  # characters of its name and value
_LONGEST_ANSWER = 1 << 20  # bytes; far above any real response


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a call: JSON object, new GUID if any, and ``Set-Cookie`` headers."""

    content: dict[str, Any]
    guid: Guid | None
    cookies: tuple[str, ...] = ()


class Connecting(NamedTuple):
    """The settings that the client needs, from ``gateway`` in bridge.yml, in the same units."""

    url: str
    ca_file: str | None
    use_environment: bool
    connect_timeout: float
    read_timeout: float

    @classmethod
    def of(cls, settings: GatewaySettings) -> Connecting:
        """Copy that part from the settings, for the sender process, which does not load them."""
        return cls(*(getattr(settings, name) for name in cls._fields))


class GatewayClient:
    """A client with one adapter and pool for all agents. Thread-safe; close it once.

    Args:
        settings: ``gateway`` of bridge.yml.
        connections: the maximum number of connections kept open.
        agents: the maximum number of agents whose cookies are kept; the least recently used go.
    """

    def __init__(
        self, settings: GatewaySettings | Connecting, *, connections: int, agents: int = _AGENTS
    ) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = settings.use_environment
        # Each agent has its own jar; the session's accepts no cookies.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = DeadlineAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._base = settings.url + wire.PREFIX
        self._verify: bool | str = settings.ca_file or True
        self._jars: MutableMapping[str, RequestsCookieJar] = LRUCache(maxsize=agents)
        self._jars_lock = threading.Lock()

    def call(
        self,
        agent_id: str,
        request: wire.GatewayRequest,
        *,
        guid: Guid | None = None,
        timeout: float,
        read_timeout: float | None = None,
        cookies: str | None = None,
    ) -> Answer:
        """Make one call within ``timeout`` seconds, with ``cookies`` or else the agent's own.

        Raises:
            GatewayError: the call failed; every transport fault is converted to one.
        """
        prepared = self._prepare(agent_id, request, guid, cookies)
        try:
            with total(timeout):
                status, headers, body, received = self._exchange(agent_id, prepared, read_timeout)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _transport(error) from error
        content = wire.read(status, body, retry_after=headers.get("Retry-After"))
        return Answer(content, wire.new_guid(headers), received)

    def reach(self, *, timeout: float) -> tuple[int, CaseInsensitiveDict[str]]:
        """Make a request that names no agent; return the status and the headers of any response.

        Raises:
            GatewayError: there was no response.
        """
        prepared = self._prepare("", wire.GatewayRequest("GET", ""), None, None)
        try:
            with total(timeout):
                status, headers, _, _ = self._exchange("", prepared, None)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _transport(error) from error
        return status, headers

    def cookies(self, agent_id: str, request: wire.GatewayRequest) -> str | None:
        """Return the ``Cookie`` header for a call of this agent, or None."""
        return self._cookies(agent_id, self._bare(request)) if self._jars else None

    def keep(self, agent_id: str, request: wire.GatewayRequest, cookies: Sequence[str]) -> None:
        """Store ``Set-Cookie`` headers of a response that the sender process received."""
        message = Message()
        for cookie in cookies:
            message["Set-Cookie"] = cookie
        answer = SimpleNamespace(_original_response=SimpleNamespace(msg=message))
        with self._jars_lock:
            jar = self._jars.setdefault(agent_id, RequestsCookieJar(_POLICY))
            extract_cookies_to_jar(jar, self._bare(request), answer)  # type: ignore[no-untyped-call]
            _bound(jar)

    def close(self) -> None:
        """Close the pool's connections."""
        self._session.close()

    def _bare(self, request: wire.GatewayRequest) -> requests.PreparedRequest:
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = self._base + request.path
        prepared.headers = CaseInsensitiveDict({"Accept": "application/json"})
        return prepared

    def _prepare(
        self, agent_id: str, request: wire.GatewayRequest, guid: Guid | None, cookies: str | None
    ) -> requests.PreparedRequest:
        # Built by hand: preparing with requests costs more time than sending.
        prepared = self._bare(request)
        if guid is not None:
            prepared.headers["Guid"] = guid
        if request.body is not None:
            prepared.headers["Content-Type"] = wire.JSON_UTF8
            prepared.headers["Content-Length"] = str(len(request.body))
            prepared.body = request.body
        prepared.hooks = {"response": []}
        prepared._cookies = self._session.cookies  # type: ignore[attr-defined]  # noqa: SLF001 - requests expects a jar there
        if cookies := cookies or self._cookies(agent_id, prepared):
            prepared.headers["Cookie"] = cookies
        return prepared

    def _cookies(self, agent_id: str, prepared: requests.PreparedRequest) -> str | None:
        if not self._jars:
            return None
        with self._jars_lock:
            jar = self._jars.get(agent_id)
            if jar is None:
                return None
            header: str | None = get_cookie_header(jar, prepared)  # type: ignore[no-untyped-call]
            return header

    def _keep_cookies(
        self, agent_id: str, prepared: requests.PreparedRequest, response: requests.Response
    ) -> tuple[str, ...]:
        if "Set-Cookie" not in response.headers:
            return ()
        with self._jars_lock:
            jar = self._jars.setdefault(agent_id, RequestsCookieJar(_POLICY))
            extract_cookies_to_jar(jar, prepared, response.raw)  # type: ignore[no-untyped-call]
            _bound(jar)
        return tuple(response.raw.headers.getlist("Set-Cookie")[:_MOST_COOKIES])

    def _exchange(
        self, agent_id: str, prepared: requests.PreparedRequest, read_timeout: float | None
    ) -> tuple[int, CaseInsensitiveDict[str], bytes, tuple[str, ...]]:
        settings = self._settings
        response = self._session.send(
            prepared,
            stream=True,
            verify=self._verify,
            allow_redirects=False,
            timeout=(left(settings.connect_timeout), left(read_timeout or settings.read_timeout)),
        )
        with response:
            body = response.raw.read(_LONGEST_ANSWER, decode_content=True)
            cookies = self._keep_cookies(agent_id, prepared, response)
            return response.status_code, response.headers, body, cookies


def _bound(jar: RequestsCookieJar) -> None:
    """Remove cookies that are too long, and the oldest of too many."""
    cookies: list[Cookie] = list(CookieJar.__iter__(jar))
    for place, cookie in enumerate(cookies):
        too_many = place < len(cookies) - _MOST_COOKIES
        if too_many or len(cookie.name) + len(cookie.value or "") > _LONGEST_COOKIE:
            jar.clear(cookie.domain, cookie.path, cookie.name)


def _transport(error: Exception) -> GatewayError:
    """Convert a transport fault to a GatewayError; the only place that does.

    TLS can fail after the handshake, too: the gateway may have accepted a request begun by then.
    """
    if not begun():
        if isinstance(error, requests.exceptions.SSLError):
            return UnreachableError(
                "the gateway's certificate or TLS was not accepted; if the certificate is the"
                " site's own, name its CA in gateway.ca_file"
            )
        return UnreachableError("no connection to the gateway could be made")
    if isinstance(error, (requests.exceptions.Timeout, TimeoutError)):
        return UnknownOutcomeError("the gateway did not answer in time")
    return UnknownOutcomeError("the connection broke before the gateway's answer was read")

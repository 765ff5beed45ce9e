"""Calls the gateway over HTTP: one pool of connections, a cookie jar an agent, three deadlines.

Knows nothing of deliveries' states or of who may send; GUIDs are given to it.
"""

from __future__ import annotations

import threading
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import DefaultCookiePolicy
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

if TYPE_CHECKING:  # the sender process loads no settings
    from bridge.config.settings import GatewaySettings

_AGENTS = 4096
_POLICY = DefaultCookiePolicy()  # of every jar; it keeps nothing that is one agent's
_LONGEST_ANSWER = 1 << 20  # bytes; no answer of the gateway is near it


@dataclass(frozen=True, slots=True)
class Answer:
    """A call's answer, and the GUID and the cookies (``Set-Cookie``) that came with it, if any."""

    content: dict[str, Any]
    guid: Guid | None
    cookies: tuple[str, ...] = ()


class Connecting(NamedTuple):
    """What the client reads of the settings ``gateway`` of bridge.yml; its units are theirs."""

    url: str
    ca_file: str | None
    use_environment: bool
    connect_timeout: float
    read_timeout: float

    @classmethod
    def of(cls, settings: GatewaySettings) -> Connecting:
        """Only that of the settings, for a process that does without their module."""
        return cls(*(getattr(settings, name) for name in cls._fields))


class GatewayClient:
    """One shared adapter and pool for all agents. Thread-safe; close it once.

    Args:
        settings: ``gateway`` of bridge.yml.
        connections: how many connections are kept open.
        agents: whose cookies are kept, at most; those asked last stay.
    """

    def __init__(
        self, settings: GatewaySettings | Connecting, *, connections: int, agents: int = _AGENTS
    ) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = settings.use_environment
        # Each agent has a jar of its own; the session's takes nothing.
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
        request: wire.Request,
        *,
        guid: Guid | None = None,
        timeout: float,
        read_timeout: float | None = None,
        cookies: str | None = None,
    ) -> Answer:
        """Make one call within ``timeout`` seconds in all, with the agent's cookies or the given.

        Raises:
            GatewayError: what it came to; nothing else leaves this method.
        """
        prepared = self._prepare(agent_id, request, guid, cookies)
        try:
            with total(timeout):
                status, headers, body, given = self._exchange(agent_id, prepared, read_timeout)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _transport(error) from error
        content = wire.read(status, body, retry_after=headers.get("Retry-After"))
        return Answer(content, wire.new_guid(headers), given)

    def cookies(self, agent_id: str, request: wire.Request) -> str | None:
        """What a call of this agent has to carry in its header ``Cookie``."""
        return self._cookies(agent_id, self._bare(request)) if self._jars else None

    def keep(self, agent_id: str, request: wire.Request, cookies: Sequence[str]) -> None:
        """Keep the cookies that came with an answer that somebody else got for us."""
        message = Message()
        for cookie in cookies:
            message["Set-Cookie"] = cookie
        answer = SimpleNamespace(_original_response=SimpleNamespace(msg=message))
        with self._jars_lock:
            jar = self._jars.setdefault(agent_id, RequestsCookieJar(_POLICY))
            extract_cookies_to_jar(jar, self._bare(request), answer)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the pool's connections."""
        self._session.close()

    def _bare(self, request: wire.Request) -> requests.PreparedRequest:
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = self._base + request.path
        prepared.headers = CaseInsensitiveDict({"Accept": "application/json"})
        return prepared

    def _prepare(
        self, agent_id: str, request: wire.Request, guid: Guid | None, cookies: str | None
    ) -> requests.PreparedRequest:
        # Built by hand: requests' own preparation costs more than the sending.
        prepared = self._bare(request)
        if guid is not None:
            prepared.headers["Guid"] = guid
        if request.body is not None:
            prepared.headers["Content-Type"] = wire.JSON_UTF8
            prepared.headers["Content-Length"] = str(len(request.body))
            prepared.body = request.body
        prepared.hooks = {"response": []}
        prepared._cookies = self._session.cookies  # type: ignore[attr-defined]  # noqa: SLF001 - requests wants a jar there
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
        return tuple(response.raw.headers.getlist("Set-Cookie"))

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


def _transport(error: Exception) -> GatewayError:
    """The one place where transport faults become errors.

    TLS can break after the handshake too: what was begun by then may have been taken.
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

"""The gateway: can it be reached, is TLS accepted, and do the clocks agree?"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from bridge.config.settings import GatewaySettings
from bridge.config.values import is_loopback
from bridge.doctor.diagnosis import Diagnosis, error, ok, warning
from bridge.errors import GatewayError
from bridge.gateway.client import GatewayClient

CLOCKS_APART = 5.0  # seconds; the header has whole seconds
_KEY = "gateway.url"
_FILE = "bridge.yml"


def examine(client: GatewayClient, settings: GatewaySettings) -> Iterator[Diagnosis]:
    """Make one request that names no agent, and changes nothing."""
    parts = urlsplit(settings.url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield warning(
            _KEY,
            "http, and not on this machine: passwords and customers' words are not encrypted",
            allowed="https://HOST:PORT",
            hint="use the gateway's https address",
            file=_FILE,
        )
    began = time.time()
    try:
        status, headers = client.reach(timeout=settings.connect_timeout + settings.read_timeout)
    except GatewayError as failure:
        yield _unreachable(failure)
        return
    yield ok(_KEY, f"reached, HTTP {status}" + (", TLS accepted" if _is_tls(settings) else ""))
    yield from clock("gateway.clock", headers.get("Date"), began, time.time())


_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")  # OpenSSL's words


def _is_tls(settings: GatewaySettings) -> bool:
    return settings.url.startswith("https:")


def _unreachable(failure: GatewayError) -> Diagnosis:
    cause = _cause(failure)
    if isinstance(cause, ssl.SSLError):
        if cause.reason in _NO_TLS:
            return error(
                _KEY,
                "no TLS at this port: it answers otherwise, as plain HTTP would",
                allowed="the gateway's https port",
                hint="correct the port, or write http:// if the gateway takes plain HTTP there",
                file=_FILE,
            )
        reason = getattr(cause, "verify_message", None) or cause.reason or "the handshake failed"
        return error(
            "gateway.ca_file",
            f"TLS is not accepted: {reason}",
            allowed="a certificate for this host that a known CA signed",
            hint="name the site's own CA in gateway.ca_file (PEM), and the host as in the"
            " certificate",
            file=_FILE,
        )
    if isinstance(cause, socket.gaierror):
        found, hint = "the host name cannot be resolved", "check the name, and this machine's DNS"
    elif isinstance(cause, ConnectionRefusedError):
        found, hint = "the connection is refused", "check the port, and that the gateway runs"
    elif isinstance(cause, TimeoutError):
        found, hint = "no answer in time", "check the address, and firewalls in between"
    else:
        found, hint = failure.message, "run curl -v with this address on this machine"
    return error(_KEY, found, allowed="a gateway that answers", hint=hint, file=_FILE)


def _cause(failure: BaseException) -> BaseException | None:
    """Return the operating system's error behind an exception of the HTTP library."""
    seen: set[int] = set()
    waiting: list[object] = [failure]
    last: BaseException | None = None
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, OSError) and type(each).__module__ in ("builtins", "socket", "ssl"):
            last = each
        waiting += [each.__cause__, each.__context__, *each.args, getattr(each, "reason", None)]
    return last


def clock(key: str, date: str | None, began: float, ended: float) -> Iterator[Diagnosis]:
    """Compare this machine's clock with the ``Date`` of a response."""
    if date is None:
        return
    try:
        there = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return
    apart = (began + ended) / 2 - there - 0.5
    if abs(apart) <= CLOCKS_APART + (ended - began) / 2:
        yield ok(key, "the clocks agree")
        return
    ahead = "ahead of" if apart > 0 else "behind"
    yield warning(
        key,
        f"this machine's clock is {abs(apart):,.0f} s {ahead} the other's",
        allowed=f"at most {CLOCKS_APART:.0f} s apart",
        hint="let NTP set both clocks: tokens expire, and leases end, by the clock",
    )

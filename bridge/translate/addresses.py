"""Tell the addresses that a customer's device can open from those of the bot's own machines."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_WEB = re.compile(r"(?:https?|wss?|ftps?):/{0,2}", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d{1,5}(?:[/?#].*)?", re.DOTALL)
_IN_TEXT = re.compile(
    r"\b[a-z][a-z0-9+.-]{0,30}:[^\s<>\"]+"  # with a scheme
    r"|//[\w-]+(?:[.:/][^\s<>\"]*)",  # without one: a host with a domain, a port or a path
    re.IGNORECASE,
)
_SERVERS = frozenset(
    {
        *("amqp", "amqps", "bolt", "file", "grpc", "grpcs", "gs", "hdfs", "jdbc", "kafka", "ldap"),
        *("ldaps", "memcached", "mongodb", "mqtt", "mqtts", "mysql", "nats", "nfs"),
        *("postgres", "postgresql", "redis", "rediss", "s3", "sftp", "smb", "ssh", "tcp", "udp"),
    }
)
_PRIVATE_NAMES = (
    *(".internal", ".local", ".localhost", ".localdomain", ".lan", ".corp", ".home", ".intranet"),
    *(".private", ".svc", ".home.arpa"),
)


def is_machines(address: str) -> bool:
    """Return whether an address is of use to the bot's machines only.

    That is a host name without a dot or with a private ending, an IP address that is not public, a
    server's protocol such as ``redis:``, or an address with a user name.
    """
    address = address.strip()
    if _WEB.match(address) or address.startswith("//"):
        return _is_machines_host(_WEB.sub("//", address, count=1))
    if _HOST_AND_PORT.fullmatch(address):
        return _is_machines_host(f"//{address}")
    scheme = _SCHEME.match(address)
    return scheme is not None and scheme[1].lower().partition("+")[0] in _SERVERS


def is_relative(address: str) -> bool:
    """Return whether an address is a path, which only ``base_url`` makes an address of a page."""
    is_whole = address.lower().startswith(("//", "www.")) or _SCHEME.match(address)
    return "/" in address and not is_whole


def machines_address_in(text: str) -> str:
    """Return the first address of a machine in a text, or ``""``."""
    return next((each[0] for each in _IN_TEXT.finditer(text) if is_machines(each[0])), "")


def _is_machines_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return True
    if "@" in parts.netloc:
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_NAMES)

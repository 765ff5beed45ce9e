"""Check how Rasa is connected to the bridge: its files ``endpoints.yml`` and ``credentials.yml``.

Rasa expands ``${NAME}`` in both, but only in values without quotes. Values with a variable are not
compared: Rasa's environment is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from bridge.config.faults import Fault, KeyPath, masked, suggest
from bridge.config.misspelt import misspelt_keys, unknown
from bridge.config.rasa_names import CREDENTIALS_KEYS, ENDPOINT_KEYS, ENDPOINTS_KEYS
from bridge.config.settings import BridgeSettings
from bridge.config.source import Document
from bridge.validation.finding import fault, warning
from bridge.validation.project import Project

ENDPOINTS = "endpoints.yml"
CREDENTIALS = "credentials.yml"
CHANNEL = "cc_bridge_channel.CCBridgeInput"
_SECTION = "action_endpoint"
_WEBHOOK = "/webhook"
_URL = f"http://localhost:5055{_WEBHOOK}"
_TOKEN = "${BRIDGE_WEBHOOK_TOKEN}"  # noqa: S105 - a variable
_VARIABLE = re.compile(r"\$\{\w+\}")
_ALIKE = 0.8


def check(project: Project) -> Iterator[Fault]:
    """Yield the faults of the two files, as far as they concern the bridge."""
    yield from find(project.bridge, project.endpoints, project.credentials, wanted=project.wanted)


def find(
    bridge: BridgeSettings | None,
    endpoints: Document | None,
    credentials: Document | None,
    *,
    wanted: bool,
) -> Iterator[Fault]:
    """Yield the faults of the two files.

    Args:
        bridge: the settings of ``bridge.yml``; None if they are not known.
        endpoints: ``endpoints.yml``; None if there is no such file.
        credentials: ``credentials.yml``; likewise.
        wanted: whether Rasa is to call the bridge.
    """
    if endpoints is not None:
        yield from _endpoints(bridge, endpoints, wanted=wanted)
    if credentials is not None:
        yield from _credentials(bridge, credentials)


def _endpoints(
    bridge: BridgeSettings | None, document: Document, *, wanted: bool
) -> Iterator[Fault]:
    misspelt = list(misspelt_keys(document, (), ENDPOINTS_KEYS, f"a section of {ENDPOINTS}"))
    yield from misspelt
    endpoint = document.get((_SECTION,))
    if isinstance(endpoint, Mapping):
        yield from _endpoint(bridge, document, endpoint)
    elif wanted and not any(each.meant == _SECTION for each in misspelt):
        yield warning(
            document,
            (_SECTION,) if (_SECTION,) in document.keys else (),
            f"{ENDPOINTS} names no action server: Rasa never calls the bridge",
            hint=f"add {_SECTION}: {{url: {_URL}, token: {_TOKEN}}}, in block style and without"
            " quotes",
        )


def _endpoint(
    bridge: BridgeSettings | None, document: Document, endpoint: Mapping[str, Any]
) -> Iterator[Fault]:
    path: KeyPath = (_SECTION,)
    misspelt = list(misspelt_keys(document, path, ENDPOINT_KEYS, f"a key of {_SECTION}"))
    yield from misspelt
    meant = {each.meant for each in misspelt}
    module = endpoint.get("actions_module") is not None
    if module:
        yield fault(
            document,
            (*path, "actions_module"),
            "with actions_module, Rasa runs the actions in its own process, ignores url, and never"
            " calls the bridge",
            hint=f"remove actions_module{'' if endpoint.get('url') else f', and add url: {_URL}'}",
            at_key=True,
        )
    url = endpoint.get("url")
    if url is None and not module and "url" not in meant:
        yield fault(
            document,
            path,
            f"{_SECTION} has no url: Rasa never calls the bridge",
            hint=f"add url: {_URL}",
            at_key=True,
        )
    if isinstance(url, str):
        yield from _expanded(document, (*path, "url")) or _url(document, (*path, "url"), url)
    if "token" not in meant:
        yield from _webhook_token(bridge, document, endpoint)


def _url(document: Document, path: KeyPath, url: str) -> Iterator[Fault]:
    if "${" in url:
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme == "grpc":
        return
    if parts.scheme not in ("http", "https") or not parts.netloc:
        yield Fault(
            document.place(path),
            path,
            found=f'"{masked(url)}"',
            allowed=f"the whole address of the action server: {_URL}",
            meant=f"http://{url}" if re.match(r"[\w.-]+:\d+/", url) else "",
            hint="begin it with http:// or https://",
        )
        return
    last = f"/{parts.path.rstrip('/').rpartition('/')[2]}"
    if last == _WEBHOOK:
        return
    right = parts._replace(path=_WEBHOOK).geturl()
    certain = not parts.path.strip("/") or bool(suggest(last, [_WEBHOOK], alike=_ALIKE))
    yield Fault(
        document.place(path),
        path,
        found=f'"{masked(url)}"',
        allowed=f"an address that ends with {_WEBHOOK}, where the action server takes its requests",
        meant=masked(right) if certain else "",
        hint=f"end it with {_WEBHOOK}, unless a proxy leads there",
        severity="error" if certain else "warning",
    )


def _webhook_token(
    bridge: BridgeSettings | None, document: Document, endpoint: Mapping[str, Any]
) -> Iterator[Fault]:
    path: KeyPath = (_SECTION, "token")
    wanted = bridge.rasa.webhook_token if bridge else None
    if endpoint.get("token") not in (None, ""):
        yield from _token(document, path, wanted, "rasa.webhook_token in bridge.yml")
        return
    elsewhere = "token=" in str(endpoint.get("url")) or endpoint.keys() & {"headers", "params"}
    if wanted is not None and not elsewhere and endpoint.get("url") is not None:
        yield fault(
            document,
            path,
            "rasa.webhook_token is set, and Rasa sends no token: the bridge refuses its requests",
            hint=f"add token: {_TOKEN} under {_SECTION}",
            at_key=True,
        )


def _token(
    document: Document, path: KeyPath, wanted: SecretStr | None, setting: str
) -> Iterator[Fault]:
    quoted = list(_expanded(document, path))
    yield from quoted
    value = str(document.texts.get(path, document.get(path)))
    if quoted or wanted is None or "${" in value:
        return
    if value != wanted.get_secret_value():
        yield Fault(
            document.place(path),
            path,
            found="a token that is not shown here",
            allowed=f"the same token as {setting}",
            hint="set both to the same variable",
        )


def _expanded(document: Document, path: KeyPath) -> list[Fault]:
    """Return the fault of a variable in quotation marks, which Rasa takes literally."""
    value = document.get(path)
    found = _VARIABLE.findall(value) if isinstance(value, str) else []
    if path not in document.quoted or not found:
        return []
    return [
        Fault(
            document.place(path),
            path,
            found=f"{', '.join(found)} in quotation marks",
            allowed="variables without quotation marks: Rasa does not expand others",
            meant=found[0] if value == found[0] else "",
            hint="remove the quotation marks",
        )
    ]


def _credentials(bridge: BridgeSettings | None, document: Document) -> Iterator[Fault]:
    written = document.value if isinstance(document.value, Mapping) else {}
    if CHANNEL not in written:
        near = [key for key in written if suggest(key, [CHANNEL], alike=_ALIKE)]
        for key in near:
            yield unknown(
                document,
                (key,),
                key,
                [CHANNEL],
                f"{CHANNEL}, the channel by which the bridge talks to the bot",
                hint=f"rename it to {CHANNEL}",
                at_key=True,
            )
        if not near and bridge and bridge.readers and bridge.reader.channel == "cc_bridge":
            yield fault(
                document,
                (),
                f"{CREDENTIALS} lacks the channel by which the bridge sends Rasa the messages of"
                " readers' customers",
                hint=f"add {CHANNEL} with a token, and the file cc_bridge_channel.py (cc-bridge"
                " init writes both), or set reader.channel to rest",
            )
        return
    misspelt = list(misspelt_keys(document, (CHANNEL,), CREDENTIALS_KEYS, "a key of the channel"))
    yield from misspelt
    if document.get((CHANNEL, "token")) not in (None, ""):
        wanted = (bridge.reader.channel_token or bridge.rasa.token) if bridge else None
        setting = "reader.channel_token, or else rasa.token, in bridge.yml"
        yield from _token(document, (CHANNEL, "token"), wanted, setting)
    elif not misspelt:
        yield fault(
            document,
            (CHANNEL,),
            f"{CHANNEL} has no token: Rasa does not start",
            hint="add token: ${RASA_TOKEN} below it",
            at_key=True,
        )

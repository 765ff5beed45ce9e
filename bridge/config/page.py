"""The settings of the agents' page: who may embed it, and how agents work with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from bridge.config.faults import printable
from bridge.config.values import Conflict, OptionalText, Section

_ORIGIN = "an origin, as in https://desk.example or https://desk.example:8443: no path, no wildcard"
_ADDRESS = "an https address, as in https://sso.example/agents; http is allowed on this machine"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2}|-[A-Z][a-z]{3})?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\]")
_KEY = re.compile(r"[a-z0-9]|F(?:[1-9]|1[0-2])")
_DEFAULT_PORTS = {"https": 443, "http": 80}

# The keys of the panel; `bridge/panel/keys.js` has the same table.
PANEL_KEYS: Mapping[str, str] = {
    "suggestions": "F2",
    "next_call": "F4",
    "send_1": "1",
    "send_2": "2",
    "send_3": "3",
    "edit": "e",
    "reject": "r",
    "copy": "c",
}
PanelKey = Literal[
    "suggestions", "next_call", "send_1", "send_2", "send_3", "edit", "reject", "copy"
]


def _split(value: str, allowed: str) -> tuple[SplitResult, str]:
    """Return the parts and the origin of an address whose transport is safe."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(allowed) from None
    scheme = parts.scheme.lower()
    host = parts.netloc.lower().rpartition("@")[2]
    host = re.sub(r":\d*$", "", host)
    secure = scheme == "https" or (scheme == "http" and _LOOPBACK.fullmatch(host))
    if not secure or not _HOST.fullmatch(host) or "@" in parts.netloc or port == 0:
        raise ValueError(allowed)
    shown = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
    return parts, f"{scheme}://{host}{shown}"


def _origin(value: str) -> str:
    """Return an origin as browsers write it."""
    parts, origin = _split(value.strip(), _ORIGIN)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(_ORIGIN)
    return origin


def _address(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        return value
    parts, _ = _split(value.strip(), _ADDRESS)
    if parts.fragment or re.search(r"[\s;,'\"<>]", value.strip()):
        raise ValueError(_ADDRESS)
    return value.strip()


def is_language(value: str) -> bool:
    """Return whether ``value`` is the name of a language, as in ``en`` or ``pt-BR``."""
    return _LANGUAGE.fullmatch(value) is not None


def _language(value: str) -> str:
    if not is_language(value):
        msg = "a language as in en, zh or pt-BR"
        raise ValueError(msg)
    return value


def _key(value: str | None) -> str | None:
    if value is None or _KEY.fullmatch(value):
        return value
    lower = value.lower()
    if _KEY.fullmatch(lower):
        return lower
    msg = "one letter, one digit, or F1 to F12; null switches the key off"
    raise ValueError(msg)


def origin_of(address: str) -> str:
    """Return the origin of a checked address."""
    return _split(address, _ADDRESS)[1]


Origin = Annotated[str, AfterValidator(_origin)]
Address = Annotated[OptionalText, BeforeValidator(_address)]
Language = Annotated[str, AfterValidator(_language)]
Key = Annotated[str | None, AfterValidator(_key)]


class PageSettings(Section):
    """Who may embed the agents' page, and how agents work with it."""

    frame_ancestors: tuple[Origin, ...] = Field(
        default=(), description="origins whose pages may frame the panel; none may by default"
    )
    element_origins: tuple[Origin, ...] = Field(
        default=(),
        description="origins whose pages may load <cc-suggestions> and call the API (CORS)",
    )
    media_hosts: tuple[Origin, ...] = Field(
        default=(), description="origins whose pictures the panel shows in place"
    )
    login_url: Address = Field(
        default=None, description="page of the single sign-on that Sign in opens in a pop-up"
    )
    aicc_script: Address = Field(
        default=None, description="address of the workbench's AICCSupport.js, for /inbox/aicc"
    )
    confirm_in_frame: bool = Field(
        default=False, description="in a frame, ask once more before a message is sent"
    )
    languages: tuple[Language, ...] = Field(
        default=("en", "zh"),
        min_length=1,
        description="languages of the panel; the browser's is chosen, else the first",
        json_schema_extra={"default": ["en", "zh"]},
    )
    keys: Mapping[PanelKey, Key] = Field(
        default_factory=dict,
        description="other keys for the panel, as in {suggestions: F8}; null switches one off",
        json_schema_extra={"propertyNames": {"enum": list(PANEL_KEYS)}},
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for a key that two actions have."""
        keys = written.get("keys")
        taken: dict[str, str] = {}
        changes = keys if isinstance(keys, Mapping) else {}
        for name, key in {**PANEL_KEYS, **changes}.items():
            if not isinstance(key, str):
                continue
            other = taken.setdefault(key.lower(), name)
            if other != name:
                at = name if name in changes else other
                yield Conflict(
                    ("keys", at),
                    "a key of its own for each action",
                    "choose another key for one of the two",
                    found=f"{printable(key)}, the key of both {other} and {name}",
                )

    def pressed(self) -> dict[str, str | None]:
        """Return the key of each action, with the changes of ``keys``."""
        return {**PANEL_KEYS, **{str(name): key for name, key in self.keys.items()}}

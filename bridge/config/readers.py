"""The settings under ``reader`` in ``bridge.yml``: agents whose events the bridge reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator

from bridge.config.values import (
    Conflict,
    Number,
    OptionalSecret,
    OptionalText,
    Section,
    long_enough,
)

PUSH_PATH = "/bridge/events"
TOKEN_PARAMETER = "service_token"  # noqa: S105 - the name of a query parameter
PUSH_URL_CHARS = 130  # the gateway takes 200 for the address with path and token
_ADDRESS = "an address that the gateway reaches, as in https://bridge.example:5055"
_WORKBENCH = ("url", "app_key", "app_secret", "tenant_id")


def _address(value: str | None, allowed: str) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value.strip())
        port = parts.port
    except ValueError:
        raise ValueError(allowed) from None
    known = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not known or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(allowed)
    return value.strip().rstrip("/")


def _skills(value: object) -> object:
    """Reject anything but null or a list of numbers."""
    listed = value if isinstance(value, (list, tuple)) else ()
    numbers = [item for item in listed if type(item) is int and item >= 0]
    if value is not None and (not numbers or len(numbers) != len(listed)):
        msg = "a list of numbers, as in [1, 2], or null"
        raise ValueError(msg)
    return value


Skills = Annotated[tuple[int, ...] | None, BeforeValidator(_skills)]


class WorkbenchSettings(Section):
    """The public cloud's interface that says who a call's customer is."""

    url: OptionalText = Field(
        default=None, description="scheme and host, as in https://service.example.com"
    )
    app_key: OptionalText = Field(default=None, description="the application's key")
    app_secret: OptionalSecret = Field(default=None, description="the application's secret")
    tenant_id: OptionalText = Field(default=None, description="the tenant's ID")

    @field_validator("url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        return _address(value, "scheme and host, as in https://service.example.com")


class ReaderSettings(Section):
    """What the bridge does for agents of ``reader: true``."""

    lookup: Literal["callinfo", "workbench", "off"] = Field(
        default="callinfo",
        description="where a call's user and channel come from: callinfo, the gateway; workbench,"
        " the public cloud's interface; off",
    )
    skills: Skills = Field(
        default=None, description="IDs of the skills that readers serve; null means all of theirs"
    )
    sign_in_as: Literal["ready", "busy"] = Field(
        default="ready",
        description="state of a reader whose state nobody has chosen; later, the chosen one",
    )
    auto_answer: bool = Field(
        default=True, description="answer calls that ring; false leaves it to the agents' page"
    )
    calm: bool = Field(
        default=False, description="ask CALM bots too, whose actions run when they are asked"
    )
    channel: Literal["cc_bridge", "rest"] = Field(
        default="cc_bridge",
        description="Rasa's channel for the customers of the gateway: cc_bridge asks for a token,"
        " rest does not",
    )
    channel_token: OptionalSecret = Field(
        default=None,
        description="token of Rasa's channel cc_bridge, as in credentials.yml, at least 32 bytes;"
        " null: rasa.token",
    )
    answer_timeout: Number = Field(
        default=10,
        gt=0,
        le=40,
        description="seconds to find out what the bot would say to a message, without side effects",
    )
    turn_timeout: Number = Field(
        default=30,
        gt=0,
        le=50,
        description="seconds for the bot's turn in the conversation, if the bot owns the call",
    )
    push_url: OptionalText = Field(
        default=None,
        description="for events: push, the bridge's address for the gateway, as in"
        " https://bridge.example:5055",
    )
    workbench: WorkbenchSettings = WorkbenchSettings()

    _secret_is_long = field_validator("channel_token")(long_enough)

    @field_validator("push_url")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        if value is not None and len(value) > PUSH_URL_CHARS:
            msg = f"at most {PUSH_URL_CHARS} characters, because of the gateway's limit"
            raise ValueError(msg)
        return _address(value, _ADDRESS)

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield a fault if keys are missing that ``lookup: workbench`` needs."""
        if written.get("lookup") != "workbench":
            return
        workbench = written.get("workbench")
        given = workbench if isinstance(workbench, Mapping) else {}
        missing = [f"workbench.{key}" for key in _WORKBENCH if given.get(key) in (None, "")]
        if missing:
            yield Conflict(
                ("lookup",),
                f"workbench only with {', '.join(f'reader.{each}' for each in missing)}",
                f"set {', '.join(f'reader.{each}' for each in missing)}, or lookup to callinfo",
            )

    def callback(self, token: str) -> str:
        """Return the address that the gateway pushes to, with the token of a session."""
        return f"{self.push_url}{PUSH_PATH}?{TOKEN_PARAMETER}={token}"

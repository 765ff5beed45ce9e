"""The settings of ``alerts`` in ``bridge.yml``: the webhook that learns of missed handoffs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from bridge.config.values import (
    Conflict,
    OptionalSecret,
    OptionalText,
    Section,
    is_loopback,
    long_enough,
)

_ADDRESS = "an https address without user and fragment, as in https://ops.example/handoffs"


class AlertSettings(Section):
    """Where the bridge reports handoffs that no agent takes within `handoff.alert_after`."""

    url: OptionalText = Field(
        default=None,
        description="https address of your webhook; http only on this machine",
    )
    secret: OptionalSecret = Field(
        default=None, description="secret that signs the requests (HMAC-SHA256); at least 32 bytes"
    )

    _secret_is_long = field_validator("secret")(long_enough)

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value.strip())
            port = parts.port
        except ValueError:
            raise ValueError(_ADDRESS) from None
        host = parts.hostname or ""
        known = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not (known and host) or port == 0 or parts.username or parts.password or parts.fragment:
            raise ValueError(_ADDRESS)
        return value.strip()

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield a fault for an address without a secret: its requests could not be told apart."""
        if written.get("url") not in (None, "") and written.get("secret") in (None, ""):
            yield Conflict(
                ("secret",),
                "a secret that the alerts are signed with: alerts.url needs one",
                "set it to what this prints: openssl rand -hex 32",
                found="nothing",
            )

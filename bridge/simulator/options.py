"""How the simulated site is set up; every setting can be changed while it runs.

Where the published contract is silent or unsure, the default is lenient and a setting here is
the other reading. No request is read here.
"""

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel, ConfigDict, Field


class Deployment(str, Enum):
    """What ``data`` of sendmessage is."""

    PUBLIC_CLOUD = "public_cloud"  # a string that holds JSON
    PRIVATE = "private"  # the text itself


class AuthMode(str, Enum):
    """``AUTHMODE``: whether GUIDs rotate."""

    DYNAMIC = "dynamic"  # 2, the default
    STATIC = "static"  # 1


class Encryption(str, Enum):
    """``MULTIMEDIA_SECMODE``: who encrypts, and so how much content fits."""

    PLATFORM = "platform"  # 1: 1.9 KB
    BUSINESS = "business"  # 0: 3.8 KB


class Counted(str, Enum):
    """What the size cap counts; the contract says "the content" and no more."""

    CONTENT = "content"
    DATA = "data"  # the whole data string


class Calls(str, Enum):
    """Which call IDs a message may name."""

    ANY = "any"  # every well-formed one
    DECLARED = "declared"  # those that rang here or were declared through the control API


class Record(str, Enum):
    """How much of each request is kept."""

    NONE = "none"  # counts only, for benchmarks
    SUMMARY = "summary"  # no headers and no bodies, but the messages
    FULL = "full"


class Cookie(str, Enum):
    """Whether a load balancer stands before the gateway and how it behaves."""

    OFF = "off"
    SENT = "sent"  # sign-in sets a cookie; nobody looks at it
    REQUIRED = "required"  # without it the request reaches the wrong node: not signed in


class RotateOn(str, Enum):
    """Which replies may bring a new GUID."""

    HEARTBEAT = "heartbeat"  # the poll's, or the handshake's in push mode
    ANY = "any"  # every accepted request's


class StaleCode(str, Enum):
    """What a GUID that is no longer good is told while its agent's session lives."""

    NO_PERMISSION = "000-003"
    NOT_SIGNED_IN = "100-006"


class Settings(BaseModel):
    """The simulated site. Times are seconds unless the name says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: Deployment = Deployment.PUBLIC_CLOUD
    auth_mode: AuthMode = AuthMode.DYNAMIC
    encryption: Encryption = Encryption.PLATFORM
    limit_counts: Counted = Counted.CONTENT
    calls: Calls = Calls.ANY
    strict: bool = False  # the narrower reading of every row that is not confirmed
    agents: dict[str, str] = Field(default_factory=dict)  # id: password; none given: anybody
    max_agent_id: int = Field(default=59999, ge=101)  # a 2025 edition says 999999
    force_login: bool = True  # False: 100-015
    poll_seconds: float = Field(default=10, ge=0)  # how long a poll without an event lasts
    guid_interval_ms: float = Field(default=60_000, gt=0)  # GUIDINTERVAL
    guid_timeout_ms: float = Field(default=120_000, gt=0)  # GUIDTIMEOUT, from a GUID's issue on
    signout_seconds: float = Field(default=120, gt=0)  # without a poll or handshake
    former_guid: bool = True  # False: a rotated GUID is void at once ("implied, not stated")
    stale_code: StaleCode = StaleCode.NO_PERMISSION
    rotate_on: RotateOn = RotateOn.HEARTBEAT
    cookie: Cookie = Cookie.OFF
    delay_ms: float = Field(default=0, ge=0)  # each sendmessage takes this long
    push_retry_ms: float = Field(default=200, ge=0)  # pause before a push is tried again
    push_attempts: int = Field(default=3, ge=1)
    record: Record = Record.FULL

    def changed(self, changes: dict[str, object]) -> Settings:
        """The same site with ``changes``; raises pydantic's ``ValidationError``."""
        return Settings.model_validate({**self.model_dump(), **changes})

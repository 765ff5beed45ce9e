"""Settings of the simulated tenant; all can be changed while it runs.

Where the published contract is silent or unconfirmed, the default is the lenient reading and a
setting selects the other.
"""

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel, ConfigDict, Field


class Deployment(str, Enum):
    """The format of ``data`` in sendmessage."""

    PUBLIC_CLOUD = "public_cloud"  # a string that contains JSON
    PRIVATE = "private"  # the text itself


class AuthMode(str, Enum):
    """``AUTHMODE``: whether GUIDs rotate."""

    DYNAMIC = "dynamic"  # 2, the default
    STATIC = "static"  # 1


class Encryption(str, Enum):
    """``MULTIMEDIA_SECMODE``: who encrypts, which determines the size limit."""

    PLATFORM = "platform"  # 1: 1.9 KB
    BUSINESS = "business"  # 0: 3.8 KB


class Counted(str, Enum):
    """What the size limit counts; the contract only says "the content"."""

    CONTENT = "content"
    DATA = "data"  # the whole data string


class AcceptedCallIds(str, Enum):
    """Which call IDs a message may name."""

    ANY = "any"  # any well-formed ID
    DECLARED = "declared"  # only those that rang here or were declared by the control API


class Record(str, Enum):
    """How much of each request is recorded."""

    NONE = "none"  # counts only, for benchmarks
    SUMMARY = "summary"  # messages, but no headers or bodies
    FULL = "full"


class Cookie(str, Enum):
    """Whether a load balancer precedes the gateway, and how it treats its cookie."""

    OFF = "off"
    SENT = "sent"  # sign-in sets a cookie, which is not checked
    REQUIRED = "required"  # without it the request reaches the wrong node: not signed in


class RotateOn(str, Enum):
    """Which responses may carry a new GUID."""

    HEARTBEAT = "heartbeat"  # the poll's, or the handshake's in push mode
    ANY = "any"  # that of any accepted request


class StaleCode(str, Enum):
    """The retcode for a stale GUID while the agent's session is alive."""

    NO_PERMISSION = "000-003"
    NOT_SIGNED_IN = "100-006"


class EventFamily(str, Enum):
    """Which names the events of text chats have."""

    EVENT = "event"  # AgentEvent_*
    CHAT = "chat"  # AgentChat_*, the older family


class TransferResult(str, Enum):
    """What becomes of a transfer that the gateway accepted."""

    BY_TARGET = "by_target"  # it fails if the agent is not signed in
    FAILS = "fails"
    PENDING = "pending"  # nothing, until the call is released


class WorkbenchAccount(BaseModel):
    """The application that may ask the workbench."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    app_key: str = "an-app-key"
    app_secret: str = "an-app-secret"  # noqa: S105 - of a simulator
    tenant_id: str = "202301010001"


class SimulatorSettings(BaseModel):
    """The simulated tenant. Times are seconds unless the name says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: Deployment = Deployment.PUBLIC_CLOUD
    auth_mode: AuthMode = AuthMode.DYNAMIC
    encryption: Encryption = Encryption.PLATFORM
    limit_counts: Counted = Counted.CONTENT
    calls: AcceptedCallIds = AcceptedCallIds.ANY
    strict: bool = False  # the narrower reading of every unconfirmed row
    agents: dict[str, str] = Field(default_factory=dict)  # ID: password; if empty, anyone may
    max_agent_id: int = Field(default=59999, ge=101)  # a 2025 edition says 999999
    force_login: bool = True  # False: 100-015
    poll_seconds: float = Field(default=10, ge=0)  # how long a poll without an event lasts
    guid_interval_ms: float = Field(default=60_000, gt=0)  # GUIDINTERVAL
    guid_timeout_ms: float = Field(default=120_000, gt=0)  # GUIDTIMEOUT, since the GUID's issue
    event_times: bool = False  # True: events carry eventGenTime, as newer gateways send it
    signout_seconds: float = Field(default=120, gt=0)  # without a poll or handshake
    former_guid: bool = True  # False: rotation voids the old GUID ("implied, not stated")
    stale_code: StaleCode = StaleCode.NO_PERMISSION
    rotate_on: RotateOn = RotateOn.HEARTBEAT
    cookie: Cookie = Cookie.OFF
    delay_ms: float = Field(default=0, ge=0)  # each sendmessage takes this long
    push_retry_ms: float = Field(default=200, ge=0)  # pause before a push is retried
    push_attempts: int = Field(default=3, ge=1)
    event_family: EventFamily = EventFamily.EVENT
    transfers: TransferResult = TransferResult.BY_TARGET
    workbench: WorkbenchAccount = WorkbenchAccount()
    record: Record = Record.FULL

    def changed(self, changes: dict[str, object]) -> SimulatorSettings:
        """Return the settings with ``changes`` applied; raises pydantic's ``ValidationError``."""
        return SimulatorSettings.model_validate({**self.model_dump(), **changes})

"""The settings of ``bridge.yml``, for operators.

Each field is a key of the file with the same name. Its description is shown in the faults of
``checking.py`` and, through the JSON Schema, in editors. ``loader.py`` deals with the sources of
values: files, lines and the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from bridge.config.values import (
    Duration,
    Name,
    Number,
    OptionalSecret,
    OptionalText,
    Section,
    WholeNumber,
    duration,
    long_enough,
)
from bridge.model import Channel

ANYONE = "*"  # the entry of `agents` for every agent without an entry
LOWEST_AGENT_ID = 101
HIGHEST_AGENT_ID = 59999  # a 2025 edition of the reference says 999999: gateway.max_agent_id
PASSWORD_CHARS = 32  # the gateway's limit
_ADDRESS = "scheme, host and port, as in https://cc-gateway.example:8043"
_HOST = re.compile(r"[\w.:-]+")


def _agent_key(value: str) -> str:
    if not re.fullmatch(r"\*|[0-9]{3,6}", value):
        msg = 'an agent ID of 3 to 6 digits ("291"), or "*" for every other agent'
        raise ValueError(msg)
    return value


def _password(value: object) -> object:
    if isinstance(value, str) and len(value) > PASSWORD_CHARS:
        msg = f"at most {PASSWORD_CHARS} characters: the gateway takes no longer password"
        raise ValueError(msg)
    return None if value == "" else value


AgentKey = Annotated[str, AfterValidator(_agent_key)]
Password = Annotated[SecretStr | None, BeforeValidator(_password)]


class GatewaySettings(Section):
    """Where the CC-Gateway is and how it was set up."""

    url: str = Field(description="scheme, host and port: https://cc-gateway.example:8043")
    auth_mode: Literal["dynamic", "static"] = Field(
        default="dynamic", description="the platform's AUTHMODE: dynamic is 2, static is 1"
    )
    deployment: Literal["public_cloud", "private"] = Field(
        default="public_cloud", description="what `data` holds: JSON, or in private the plain text"
    )
    encryption: Literal["platform", "business"] = Field(
        default="platform", description="MULTIMEDIA_SECMODE: platform 1,900 bytes, business 3,800"
    )
    limit_counts: Literal["data", "content"] = Field(
        default="data", description="what those bytes count: the whole data string, or its content"
    )
    ca_file: OptionalText = Field(
        default=None, description="a PEM file with the site's CA; certificates are always verified"
    )
    connect_timeout: Number = Field(default=3, gt=0, le=60, description="seconds")
    read_timeout: Number = Field(default=5, gt=0, le=60, description="seconds")
    max_agent_id: WholeNumber = Field(
        default=HIGHEST_AGENT_ID,
        ge=LOWEST_AGENT_ID,
        le=999999,
        description="the highest agent ID that the platform gives",
    )
    max_content_chars: WholeNumber | None = Field(
        default=None, ge=50, description="characters; the page of the user side polls at most 500"
    )
    poll_pause: Number = Field(
        default=0.3, ge=0, le=5, description="seconds between a poll without an event and the next"
    )
    poll_timeout: Number = Field(
        default=20, gt=0, le=60, description="seconds; a long poll lasts about 10"
    )
    use_environment: bool = Field(
        default=False, description="whether HTTP(S)_PROXY and netrc are looked up"
    )

    @field_validator("url")
    @classmethod
    def _base_only(cls, value: str) -> str:
        try:
            parts = urlsplit(value.strip())
            port = parts.port
        except ValueError:
            msg = f"{_ADDRESS}; the port is a number from 1 to 65535"
            raise ValueError(msg) from None
        if (
            parts.scheme not in ("http", "https")
            or not _HOST.fullmatch(parts.hostname or "")
            or port == 0
        ):
            raise ValueError(_ADDRESS)
        if parts.username or parts.password or parts.query or parts.fragment:
            msg = f"{_ADDRESS}, without user, query or fragment"
            raise ValueError(msg)
        if parts.path.rstrip("/") not in ("", "/agentgateway/resource"):
            msg = f"{_ADDRESS}; the path is always /agentgateway/resource"
            raise ValueError(msg)
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        return f"{parts.scheme}://{host}" + (f":{port}" if port else "")

    @property
    def limit_bytes(self) -> int:
        """Return the size limit in bytes of UTF-8 (facts: 1.9 KB and 3.8 KB)."""
        return 1900 if self.encryption == "platform" else 3800


class AgentSettings(Section):
    """Who owns an agent's session, and how the agent appears to customers."""

    session: Literal["sign_in", "pushed"] = Field(
        default="pushed",
        description="sign_in: the bridge signs the agent in; pushed: the desktop gives GUIDs",
    )
    password: Password = Field(default=None, description="for sign_in; at most 32 characters")
    phone: Annotated[str | None, Field(max_length=24)] = Field(
        default=None, description="for sign_in: the number of the agent's phone"
    )
    nickname: Name = Field(default="Agent", description="the sender's name that customers see")
    avatar: Name = Field(default="DefaultAvatar", description="the sender's picture")

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield faults if ``sign_in`` lacks the password or the phone that the gateway requires."""
        if written.get("session") == "sign_in":
            for key in ("password", "phone"):
                if written.get(key) in (None, ""):
                    yield (key,), f"session: sign_in needs a {key}"


class StorageSettings(Section):
    """One database holds everything that must not be lost."""

    url: str = Field(
        default="sqlite:///bridge.db",
        description="sqlite:///FILE, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
    )

    @field_validator("url")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value.startswith(("sqlite:///", "postgresql+psycopg://")) and value != "sqlite:///":
            return value
        msg = "sqlite:///FILE, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        raise ValueError(msg)


class DeliverySettings(Section):
    """How long to wait, to try and to hold on."""

    wait: Number = Field(
        default=2.0, ge=0, le=45, description="seconds that an action waits for the outcome"
    )
    expire_after: Number = Field(
        default=300, gt=0, description="seconds; a reply older than this is not begun"
    )
    attempt_timeout: Number = Field(
        default=8, gt=0, lt=10, description="seconds of one attempt, less than its lease of 10"
    )
    uncertain: Literal["resend", "hold"] = Field(
        default="resend", description="when nobody knows whether a message arrived"
    )
    workers: WholeNumber = Field(
        default=64, ge=1, le=256, description="deliveries sent at a time, per server"
    )
    max_waiting_per_call: WholeNumber = Field(default=100, ge=1, description="deliveries")


class RetentionSettings(Section):
    """How long customers' words, and the record of what was done, are kept.

    *Content* is what somebody said: the contents of deliveries, the texts, drafts and edited texts
    of suggestions and why one was rejected, handoff cards, the gateway's events, what Rasa was to
    be told. It is erased at that age, counted from when it was said. *Audit* is the rest of the
    row: that it was, when, between which agent, call, user and conversation, who approved it, its
    code and its outcome. Then the row goes. What waits, is being sent or is offered is left alone.

    A row is also what lets a repeated request send nothing twice: so it stays a day at least.
    """

    content: Duration = Field(
        default=timedelta(days=30),
        description="what was said: then the words are erased, and the rest of the row stays",
        json_schema_extra={"default": "30d"},
    )
    audit: Duration = Field(
        default=timedelta(days=365),
        description="that it was said, when, by whom, its outcome; at least 1d and `content`",
        json_schema_extra={"default": "365d"},
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield a fault if ``audit`` is under a day or shorter than ``content``."""
        try:
            content = duration(written.get("content", cls.model_fields["content"].default))
            audit = duration(written.get("audit", cls.model_fields["audit"].default))
        except ValueError:
            return  # reported as a fault of the field
        if audit < timedelta(days=1):
            yield ("audit",), "at least 1d: until then a repeated request must find its row"
        elif audit < content:
            yield ("audit",), "at least as long as content: it is kept with its words, or without"


class AssignmentSettings(Section):
    """What of a customer message's metadata is believed."""

    metadata: Literal["signed", "trusted", "off"] = Field(
        default="signed", description="trusted only where customers cannot write metadata"
    )
    secret: OptionalSecret = Field(
        default=None, description="signs assignment tokens (HS256); at least 32 bytes"
    )

    _secret_is_long = field_validator("secret")(long_enough)


class ApiSettings(Section):
    """Who may call ``/bridge``; without a token, the API and the page are closed."""

    token: OptionalSecret = Field(
        default=None, description="the bearer token of other systems; at least 32 bytes"
    )
    inbox_secret: OptionalSecret = Field(
        default=None, description="signs agents' own tokens; at least 32 bytes"
    )

    _secrets_are_long = field_validator("token", "inbox_secret")(long_enough)


class RasaSettings(Section):
    """How Rasa reaches the bridge and how the bridge reaches Rasa."""

    url: OptionalText = Field(default=None, description="Rasa's address: http://localhost:5005")
    token: OptionalSecret = Field(default=None, description="Rasa's own --auth-token")
    webhook_token: OptionalSecret = Field(
        default=None, description="what Rasa sends to /webhook as ?token=; at least 32 bytes"
    )
    replies: Literal["customer", "silent"] = Field(
        default="customer",
        description="customer: Rasa's replies reach the customer; silent: the front end drops them",
    )
    domain: OptionalText = Field(
        default=None, description="a domain file or folder, from the folder of the start"
    )
    timeout: Number = Field(default=5, gt=0, le=60, description="seconds")

    _secret_is_long = field_validator("webhook_token")(long_enough)

    @field_validator("url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        msg = "Rasa's address, as in http://localhost:5005; its token goes under rasa.token"
        try:
            parts = urlsplit(value.strip())
            port = parts.port
        except ValueError:
            raise ValueError(msg) from None
        known = parts.scheme in ("http", "https") and parts.hostname and port != 0
        if not known or parts.query or parts.fragment:
            raise ValueError(msg)
        return value.strip().rstrip("/")


def _anyone() -> dict[str, AgentSettings]:
    return {ANYONE: AgentSettings()}


class BridgeSettings(Section):
    """The keys of bridge.yml."""

    gateway: GatewaySettings
    agents: Mapping[AgentKey, AgentSettings] = Field(
        default_factory=_anyone,
        description='agents by ID; "*" is every other agent',
        json_schema_extra={"propertyNames": {"pattern": r"^(\*|[0-9]{3,6})$"}},
    )
    channel_config_ids: Mapping[Channel, Name] = Field(
        default_factory=dict,
        description="the Configuration ID by channel, where the assignment names none",
        json_schema_extra={"propertyNames": {"enum": [each.value for each in Channel]}},
    )
    storage: StorageSettings = StorageSettings()
    delivery: DeliverySettings = DeliverySettings()
    retention: RetentionSettings = RetentionSettings()
    assignment: AssignmentSettings = AssignmentSettings()
    api: ApiSettings = ApiSettings()
    rasa: RasaSettings = RasaSettings()

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield faults for agent IDs outside the platform's range."""
        gateway, agents = written.get("gateway"), written.get("agents")
        highest = HIGHEST_AGENT_ID
        if isinstance(gateway, Mapping):
            said = str(gateway.get("max_agent_id", ""))
            highest = int(said) if re.fullmatch(r"[0-9]{3,6}", said) else highest
        for agent_id in agents if isinstance(agents, Mapping) else ():
            if not re.fullmatch(r"[0-9]{3,6}", str(agent_id)):
                continue
            if not LOWEST_AGENT_ID <= int(agent_id) <= highest:
                yield (
                    ("agents", agent_id, "[key]"),
                    f"an agent ID is from {LOWEST_AGENT_ID} to {highest} (gateway.max_agent_id)",
                )

    def agent(self, agent_id: str) -> AgentSettings | None:
        """Return the entry of an agent: its own, else ``"*"``, else None."""
        return self.agents.get(agent_id) or self.agents.get(ANYONE)

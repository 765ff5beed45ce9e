"""The settings of ``bridge.yml``, for operators.

Each field is a key of the file with the same name. Its description is shown in the faults of
``checking.py`` and, through the JSON Schema, in editors. ``loader.py`` deals with the sources of
values: files, lines and the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from bridge.config.alerts import AlertSettings
from bridge.config.page import PageSettings
from bridge.config.readers import ReaderSettings
from bridge.config.values import (
    UNKNOWN_NAME,
    Conflict,
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
_TOKEN_NAME = re.compile(r"^[A-Za-z0-9_-]{1,32}$")
_HOST = re.compile(r"[\w.:-]+")


def _agent_key(value: str) -> str:
    if not re.fullmatch(r"\*|[0-9]{3,6}", value):
        msg = 'an agent ID of 3 to 6 digits ("291"), or "*" for every other agent'
        raise ValueError(msg)
    return value


def _password(value: object) -> object:
    if isinstance(value, str) and len(value) > PASSWORD_CHARS:
        msg = f"at most {PASSWORD_CHARS} characters, which is the gateway's limit"
        raise ValueError(msg)
    return None if value == "" else value


def _token_name(value: str) -> str:
    if not _TOKEN_NAME.fullmatch(value):
        msg = "a name of 1 to 32 characters of A-Z, a-z, 0-9, _ and -"
        raise ValueError(msg)
    return value


TokenName = Annotated[str, AfterValidator(_token_name)]
AgentKey = Annotated[str, AfterValidator(_agent_key)]
Password = Annotated[SecretStr | None, BeforeValidator(_password)]


def _is_true(written: object) -> bool:
    """Return whether a value as written is true; a variable of the environment is text."""
    return str(written).lower() in ("true", "yes", "on", "1")


class GatewaySettings(Section):
    """The address of the CC-Gateway and the platform settings that the bridge must match."""

    url: str = Field(description="scheme, host and port, as in https://cc-gateway.example:8043")
    auth_mode: Literal["dynamic", "static"] = Field(
        default="dynamic", description="the platform's AUTHMODE: dynamic for 2, static for 1"
    )
    deployment: Literal["public_cloud", "private"] = Field(
        default="public_cloud",
        description="format of `data`: JSON in the public cloud, plain text in private",
    )
    encryption: Literal["platform", "business"] = Field(
        default="platform",
        description="MULTIMEDIA_SECMODE: platform limits to 1,900 bytes, business to 3,800",
    )
    limit_counts: Literal["data", "content"] = Field(
        default="data",
        description="apply the size limit to the whole data string, or to its content",
    )
    ca_file: OptionalText = Field(
        default=None, description="PEM file with your own CA; certificates are always verified"
    )
    connect_timeout: Number = Field(
        default=3, gt=0, le=60, description="timeout for connecting, in seconds"
    )
    read_timeout: Number = Field(
        default=5, gt=0, le=60, description="timeout for a response, in seconds"
    )
    max_agent_id: WholeNumber = Field(
        default=HIGHEST_AGENT_ID,
        ge=LOWEST_AGENT_ID,
        le=999999,
        description="highest agent ID that the platform assigns",
    )
    max_content_chars: WholeNumber | None = Field(
        default=None,
        ge=50,
        description="maximum length of a message in characters; 500 if customers poll for messages",
    )
    poll_pause: Number = Field(
        default=0.3, ge=0, le=5, description="pause after a poll without an event, in seconds"
    )
    poll_timeout: Number = Field(
        default=20,
        gt=0,
        le=60,
        description="timeout of a poll for events, in seconds; a long poll lasts about 10",
    )
    use_environment: bool = Field(
        default=False, description="use HTTP_PROXY, HTTPS_PROXY and netrc from the environment"
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
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        base = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        if parts.path.strip("/"):
            sentence = f"{_ADDRESS}, without a path: it is always /agentgateway/resource"
            known = {"sentence": sentence, "meant": base}
            raise PydanticCustomError(UNKNOWN_NAME, "{sentence}", known)
        return base

    @property
    def limit_bytes(self) -> int:
        """Return the size limit in bytes of UTF-8 (API reference: 1.9 KB and 3.8 KB)."""
        return 1900 if self.encryption == "platform" else 3800


class AgentSettings(Section):
    """How an agent's session is started, and how the agent appears to customers."""

    session: Literal["sign_in", "pushed"] = Field(
        default="pushed",
        description="sign_in: the bridge signs the agent in; pushed: the desktop sends the GUIDs",
    )
    password: Password = Field(
        default=None, description="password for sign_in; at most 32 characters"
    )
    phone: Annotated[str | None, Field(max_length=24)] = Field(
        default=None, description="the agent's phone number, for sign_in"
    )
    reader: bool = Field(
        default=False,
        description="the bridge signs the agent in at start, reads its events and answers calls",
    )
    events: Literal["poll", "push"] = Field(
        default="poll",
        description="how a reader gets its events: poll, the bridge asks; push, the gateway sends",
    )
    owner: Literal["agent", "bot"] = Field(
        default="agent",
        description="who answers the customers of a reader's calls: the agent, helped by the bot;"
        " or the bot by itself",
    )
    chats: WholeNumber | None = Field(
        default=None,
        ge=1,
        le=60,
        description="how many chats a reader has at a time, 1 to 60; null leaves it to the"
        " platform",
    )
    nickname: Name = Field(default="Agent", description="name that customers see")
    avatar: Name = Field(default="DefaultAvatar", description="picture that customers see")

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults if a session lacks what the gateway requires, or a reader what it needs."""
        if written.get("session") == "sign_in":
            for key in ("password", "phone"):
                if written.get(key) in (None, ""):
                    yield Conflict(
                        (key,),
                        f"the agent's {key}: session: sign_in needs a {key}",
                        f"add the {key}, or set session to pushed",
                        found="nothing",
                    )
        elif _is_true(written.get("reader")):
            yield Conflict(
                ("reader",),
                "true only with session: sign_in; the events of all others go to their desktop",
                "set session to sign_in, or remove reader",
            )
        if _is_true(written.get("reader")):
            return
        for key, value in (("events", "push"), ("owner", "bot"), ("chats", written.get("chats"))):
            if value is not None and written.get(key) == value:
                yield Conflict(
                    (key,),
                    f"{'chats' if key == 'chats' else value} only with reader: true",
                    f"add reader: true, or remove {key}",
                )


class StorageSettings(Section):
    """The database that stores all data of the bridge."""

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
    """Time limits, retries and concurrency of deliveries."""

    wait: Number = Field(
        default=2.0,
        ge=0,
        le=45,
        description="seconds that an action waits for the outcome of its deliveries",
    )
    expire_after: Number = Field(
        default=300, gt=0, description="seconds after which a waiting message is no longer sent"
    )
    attempt_timeout: Number = Field(
        default=8, gt=0, lt=10, description="timeout of one attempt, in seconds; its lease lasts 10"
    )
    uncertain: Literal["resend", "hold"] = Field(
        default="resend",
        description="if the outcome of an attempt is unknown: send again, or mark as uncertain",
    )
    workers: WholeNumber = Field(
        default=64, ge=1, le=256, description="maximum number of deliveries in flight, per server"
    )
    max_waiting_per_call: WholeNumber = Field(
        default=100, ge=1, description="maximum number of waiting deliveries of one call"
    )


class RetentionSettings(Section):
    """How long message content and audit records are kept.

    ``content`` applies to everything that somebody wrote: the contents of deliveries; the texts,
    drafts, edited texts and rejection reasons of suggestions; handoff cards; the gateway's events;
    updates for Rasa. It is erased when it reaches that age. ``audit`` applies to the rest of the
    row: times, agent, call, user, conversation, approver, message code and outcome. Then the row
    is deleted. Open deliveries, open updates and offered suggestions are kept regardless of age.

    The rows also prevent a repeated request from sending its message twice, so ``audit`` is at
    least one day.
    """

    content: Duration = Field(
        default=timedelta(days=30),
        description="age at which message content is erased; the rest of the row is kept",
        json_schema_extra={"default": "30d"},
    )
    audit: Duration = Field(
        default=timedelta(days=365),
        description="age at which the row is deleted; at least 1d and at least `content`",
        json_schema_extra={"default": "365d"},
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield a fault if ``audit`` is under a day or shorter than ``content``."""
        try:
            content = duration(written.get("content", cls.model_fields["content"].default))
            audit = duration(written.get("audit", cls.model_fields["audit"].default))
        except ValueError:
            return  # reported as a fault of the field
        if audit < timedelta(days=1):
            yield Conflict(
                ("audit",),
                "1d or more, so that a repeated request finds its row",
                "raise it to 1d at least",
            )
        elif audit < content:
            yield Conflict(
                ("audit",),
                "at least as long as retention.content, which is 30d by default",
                "raise audit, or lower retention.content",
            )


class AssignmentSettings(Section):
    """Whether assignments in the metadata of customer messages are accepted."""

    metadata: Literal["signed", "trusted", "off"] = Field(
        default="signed",
        description="which assignments in metadata to accept; trusted accepts all of them: use it"
        " only if customers cannot write metadata",
    )
    secret: OptionalSecret = Field(
        default=None, description="secret for assignment tokens (HS256); at least 32 bytes"
    )

    _secret_is_long = field_validator("secret")(long_enough)


class Right(str, Enum):
    """What a named system token may do."""

    ASSIGNMENTS = "assignments"
    SESSIONS = "sessions"
    MESSAGES = "messages"
    SUGGESTIONS = "suggestions"
    DELIVERIES = "deliveries"
    TOKENS = "tokens"
    STREAM = "stream"
    REPORT = "report"
    METRICS = "metrics"


class NamedToken(Section):
    """A bearer token of one system, with limited rights."""

    token: OptionalSecret = Field(
        default=None, description="the bearer token; at least 32 bytes; empty disables the entry"
    )
    may: Annotated[tuple[Right, ...], Field(min_length=1)] = Field(
        description="what the token may do"
    )

    _secret_is_long = field_validator("token")(long_enough)


class ApiSettings(Section):
    """Credentials of the API; without a token, the API and the agents' page are closed."""

    token: OptionalSecret = Field(
        default=None,
        description="bearer token for systems that may do everything; at least 32 bytes",
    )
    tokens: Mapping[TokenName, NamedToken] = Field(
        default_factory=dict,
        description="bearer tokens of systems with limited rights, by a name of your choice",
        json_schema_extra={"propertyNames": {"pattern": _TOKEN_NAME.pattern}},
    )
    inbox_secret: OptionalSecret = Field(
        default=None,
        description="secret for the access tokens of agents and supervisors; at least 32 bytes",
    )

    _secrets_are_long = field_validator("token", "inbox_secret")(long_enough)

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield a fault for each token that another entry has too: its rights would be unclear."""
        known = {str(written["token"])} if written.get("token") else set()
        named = written.get("tokens")
        for name, entry in (named if isinstance(named, Mapping) else {}).items():
            token = entry.get("token") if isinstance(entry, Mapping) else None
            if not token:
                continue
            if str(token) in known:
                yield Conflict(
                    ("tokens", name, "token"),
                    "a token of its own",
                    "make another one with: openssl rand -hex 32",
                    found="the token of another entry",
                )
            known.add(str(token))

    @property
    def closed(self) -> bool:
        """Whether no system has a token; the API is closed then."""
        return self.token is None and not any(entry.token for entry in self.tokens.values())


class RasaSettings(Section):
    """How Rasa reaches the bridge and how the bridge reaches Rasa."""

    url: OptionalText = Field(
        default=None, description="base URL of Rasa, as in http://localhost:5005"
    )
    token: OptionalSecret = Field(default=None, description="the value of Rasa's --auth-token")
    webhook_token: OptionalSecret = Field(
        default=None,
        description="token that Rasa sends to /webhook as ?token=...; at least 32 bytes",
    )
    replies: Literal["customer", "silent"] = Field(
        default="customer",
        description="customer: Rasa's replies reach the customer; silent: they are discarded",
    )
    domain: OptionalText = Field(
        default=None, description="domain file or folder, relative to the working directory"
    )
    timeout: Number = Field(
        default=5, gt=0, le=60, description="timeout of a request to Rasa, in seconds"
    )

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


def _reader_conflicts(written: Mapping[str, Any]) -> Iterator[Conflict]:
    """Yield faults of readers that concern more than one section."""
    agents, reader = written.get("agents"), written.get("reader")
    push_url = reader.get("push_url") if isinstance(reader, Mapping) else None
    for agent_id, entry in (agents if isinstance(agents, Mapping) else {}).items():
        if not isinstance(entry, Mapping):
            continue
        if _is_true(entry.get("reader")) and agent_id == ANYONE:
            yield Conflict(
                ("agents", ANYONE, "reader"),
                "true only in an agent's own entry, because readers sign in at start",
                "name each reader by its agent ID",
            )
        if entry.get("events") == "push" and not push_url:
            yield Conflict(
                ("agents", str(agent_id), "events"),
                "push only with reader.push_url, the bridge's address for the gateway",
                "set reader.push_url, or events to poll",
            )


def _anyone() -> dict[str, AgentSettings]:
    return {ANYONE: AgentSettings()}


class BridgeSettings(Section):
    """The keys of bridge.yml."""

    gateway: GatewaySettings
    agents: Mapping[AgentKey, AgentSettings] = Field(
        default_factory=_anyone,
        description='agents by ID; "*" applies to every agent without an entry',
        json_schema_extra={"propertyNames": {"pattern": r"^(\*|[0-9]{3,6})$"}},
    )
    channel_config_ids: Mapping[Channel, Name] = Field(
        default_factory=dict,
        description="Configuration ID by channel, for assignments that contain none",
        json_schema_extra={"propertyNames": {"enum": [channel.value for channel in Channel]}},
    )
    storage: StorageSettings = StorageSettings()
    delivery: DeliverySettings = DeliverySettings()
    retention: RetentionSettings = RetentionSettings()
    assignment: AssignmentSettings = AssignmentSettings()
    api: ApiSettings = ApiSettings()
    rasa: RasaSettings = RasaSettings()
    alerts: AlertSettings = AlertSettings()
    page: PageSettings = PageSettings()
    reader: ReaderSettings = ReaderSettings()

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for agent IDs outside the platform's range, and for readers."""
        yield from _reader_conflicts(written)
        gateway, agents = written.get("gateway"), written.get("agents")
        highest = HIGHEST_AGENT_ID
        if isinstance(gateway, Mapping):
            said = str(gateway.get("max_agent_id", ""))
            highest = int(said) if re.fullmatch(r"[0-9]{3,6}", said) else highest
        for agent_id in agents if isinstance(agents, Mapping) else ():
            if not re.fullmatch(r"[0-9]{3,6}", str(agent_id)):
                continue
            if not LOWEST_AGENT_ID <= int(agent_id) <= highest:
                yield Conflict(
                    ("agents", agent_id),
                    f"an agent ID from {LOWEST_AGENT_ID} to {highest} (gateway.max_agent_id)",
                    "correct the ID, or set gateway.max_agent_id to the platform's",
                    found=f"the agent ID {agent_id}",
                )

    def config_id(self, channel: Channel, named: str | None) -> str | None:
        """Return the Configuration ID of messages on a channel; None if there is none.

        Args:
            channel: the assignment's channel.
            named: the ID that the assignment names, if it does.
        """
        found = named or self.channel_config_ids.get(channel)
        if found is None and self.gateway.deployment == "private":
            return ""  # its messages have no `from` field
        return found

    @property
    def readers(self) -> tuple[str, ...]:
        """Return the IDs of the agents with ``reader: true``."""
        return tuple(agent_id for agent_id, agent in self.agents.items() if agent.reader)

    def agent(self, agent_id: str) -> AgentSettings | None:
        """Return the entry of an agent: its own, else ``"*"``, else None."""
        return self.agents.get(agent_id) or self.agents.get(ANYONE)

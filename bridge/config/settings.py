"""The frozen settings: what operators (``bridge.yml``) and designers (``handoff.yml``) can say.

Each field is a key of the file, under the same name; units are in its comment. This module says
what is allowed and nothing about where values come from: files, lines and the environment belong
to ``loader.py``. The mapping tables of ``media.yml`` are in ``media.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from bridge.config.media import MediaSettings
from bridge.model import Channel, Mode

SECRET_BYTES = 32  # our own tokens and signing secrets are at least this long

_DURATION = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    """Read ``30d``, ``12h``, ``45m`` or ``90s``; anything else is left to be refused."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    if isinstance(value, timedelta):
        return value
    msg = "write a number and a unit: 90s, 45m, 12h or 30d"
    raise ValueError(msg)


def _empty_is_none(value: object) -> object:
    """An empty secret, as ``${NAME:-}`` gives it, counts as none."""
    return None if value == "" else value


def _long_enough(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value().encode()) < SECRET_BYTES:
        msg = f"a secret has at least {SECRET_BYTES} bytes; make one with: openssl rand -hex 32"
        raise ValueError(msg)
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_none)]
AgentKey = Annotated[str, Field(pattern=r"^(\*|[0-9]{3,6})$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A mapping of the file: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GatewaySettings(Section):
    """``gateway``: where the CC-Gateway is and how it was set up."""

    url: str  # scheme, host and port
    auth_mode: Literal["dynamic", "static"] = "dynamic"  # AUTHMODE 2 or 1
    deployment: Literal["public_cloud", "private"] = "public_cloud"
    encryption: Literal["platform", "business"] = "platform"  # 1,900 or 3,800 bytes
    limit_counts: Literal["data", "content"] = "data"
    ca_file: str | None = None  # the site's CA, PEM
    connect_timeout: float = Field(default=3, gt=0, le=60)  # seconds
    read_timeout: float = Field(default=5, gt=0, le=60)  # seconds
    max_agent_id: int = Field(default=59999, ge=101, le=999999)  # a 2025 edition allows 999999
    max_content_chars: int | None = Field(default=None, ge=50)  # the user-side page's 500, if wanted
    poll_pause: float = Field(default=0.3, ge=0, le=5)  # seconds after a poll without an event
    poll_timeout: float = Field(default=20, gt=0, le=60)  # seconds; a long poll lasts about 10
    use_environment: bool = False  # whether HTTP(S)_PROXY and netrc are looked up

    @field_validator("url")
    @classmethod
    def _base_only(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = "write scheme, host and port: https://cc-gateway.example:8043"
            raise ValueError(msg)
        if parts.username or parts.password or parts.query or parts.fragment:
            msg = "write scheme, host and port only: no user, query or fragment"
            raise ValueError(msg)
        if parts.path.rstrip("/") not in ("", "/agentgateway/resource"):
            msg = "write scheme, host and port only; the path is /agentgateway/resource"
            raise ValueError(msg)
        try:
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            msg = "the port is a number from 1 to 65535"
            raise ValueError(msg) from None
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}{port}"

    @property
    def limit_bytes(self) -> int:
        """The cap on what is counted, in bytes of UTF-8 (facts: 1.9 KB and 3.8 KB)."""
        return 1900 if self.encryption == "platform" else 3800


class AgentSettings(Section):
    """One entry of ``agents``: who owns the agent's session, and how the agent appears."""

    session: Literal["sign_in", "pushed"] = "pushed"
    password: Annotated[SecretStr | None, BeforeValidator(_empty_is_none)] = None
    phone: str | None = Field(default=None, max_length=24)
    nickname: str = "Agent"
    avatar: str = "DefaultAvatar"

    @model_validator(mode="after")
    def _sign_in_needs_a_password(self) -> AgentSettings:
        if self.session == "sign_in":
            if self.password is None:
                msg = "session: sign_in needs password and phone; password is missing"
                raise ValueError(msg)
            if len(self.password.get_secret_value()) > 32:  # noqa: PLR2004 - the gateway's limit
                msg = "the gateway takes passwords of at most 32 characters"
                raise ValueError(msg)
            if self.phone is None:
                msg = "session: sign_in needs password and phone; phone is missing"
                raise ValueError(msg)
        return self


class StorageSettings(Section):
    """``storage``: one database holds everything that must not be lost."""

    url: str = "sqlite:///bridge.db"

    @field_validator("url")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value.startswith(("sqlite:///", "postgresql+psycopg://")) and value != "sqlite:///":
            return value
        msg = "write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        raise ValueError(msg)


class DeliverySettings(Section):
    """``delivery``: how long to wait, to try and to hold on. All in seconds."""

    wait: float = Field(default=2.0, ge=0, le=45)  # an action waits for the outcome
    expire_after: float = Field(default=300, gt=0)  # a reply older than this is not begun
    attempt_timeout: float = Field(default=8, gt=0, lt=10)  # one attempt; shorter than its lease
    uncertain: Literal["resend", "hold"] = "resend"
    workers: int = Field(default=32, ge=1, le=256)  # sendings at a time in one process
    max_waiting_per_call: int = Field(default=100, ge=1)


class RetentionSettings(Section):
    """``retention``: how long customers' words, and the record of what was done, are kept."""

    content: Duration = timedelta(days=30)
    audit: Duration = timedelta(days=365)


class AssignmentSettings(Section):
    """``assignment``: what of a customer message's metadata is believed."""

    metadata: Literal["signed", "trusted", "off"] = "signed"
    secret: OptionalSecret = None

    _secret_is_long = field_validator("secret")(_long_enough)


class ApiSettings(Section):
    """``api``: without a token, the API and the page are closed."""

    token: OptionalSecret = None
    inbox_secret: OptionalSecret = None

    _secrets_are_long = field_validator("token", "inbox_secret")(_long_enough)


class RasaSettings(Section):
    """``rasa``: how Rasa reaches us and how we reach Rasa."""

    url: str | None = None
    token: OptionalSecret = None  # Rasa's own; its length is Rasa's affair
    webhook_token: OptionalSecret = None
    replies: Literal["customer", "silent"] = "customer"
    domain: str | None = None  # a domain file or folder
    timeout: float = Field(default=5, gt=0, le=60)  # seconds

    _secret_is_long = field_validator("webhook_token")(_long_enough)

    @field_validator("url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = "write Rasa's address: http://localhost:5005"
            raise ValueError(msg)
        return value.rstrip("/")


def _anyone() -> dict[str, AgentSettings]:
    return {"*": AgentSettings()}


class BridgeSettings(Section):
    """``bridge.yml``."""

    gateway: GatewaySettings
    agents: Mapping[AgentKey, AgentSettings] = Field(default_factory=_anyone)
    channel_config_ids: Mapping[Channel, Name] = Field(default_factory=dict)
    storage: StorageSettings = StorageSettings()
    delivery: DeliverySettings = DeliverySettings()
    retention: RetentionSettings = RetentionSettings()
    assignment: AssignmentSettings = AssignmentSettings()
    api: ApiSettings = ApiSettings()
    rasa: RasaSettings = RasaSettings()

    def agent(self, agent_id: str) -> AgentSettings | None:
        """The entry of one agent: its own, else ``"*"``, else None."""
        return self.agents.get(agent_id) or self.agents.get("*")


class Condition(Section):
    """One item of a ``when``: its keys are AND, the items of the list OR."""

    intent: Name | None = None  # "*" for any
    min_confidence: Fraction | None = None
    slot: Name | None = None
    is_: Any = Field(default=None, alias="is")  # absent: the slot holds anything but null
    entity: Name | None = None
    fallbacks: Annotated[int, Field(ge=1)] | None = None  # in a row
    command: Name | None = None  # CALM's; space or underscore
    flow: Name | None = None  # a CALM flow that starts
    keyword: Mapping[str, tuple[Name, ...]] | None = None  # by language

    @property
    def asks_value(self) -> bool:
        """Whether ``is`` was written, were it ``is: null``."""
        return "is_" in self.model_fields_set

    @model_validator(mode="after")
    def _makes_sense(self) -> Condition:
        given = self.model_fields_set
        if not given & {"intent", "slot", "entity", "fallbacks", "command", "flow", "keyword"}:
            msg = "name at least one of intent, slot, entity, fallbacks, command, flow, keyword"
            raise ValueError(msg)
        if "is_" in given and "slot" not in given:
            msg = "`is` belongs to a slot: add the key slot"
            raise ValueError(msg)
        if "min_confidence" in given and "intent" not in given:
            msg = "`min_confidence` belongs to an intent: add the key intent"
            raise ValueError(msg)
        return self


class CardSettings(Section):
    """``handoff.card``: what the agent is shown of the conversation."""

    turns: int = Field(default=10, ge=0, le=200)
    slots: tuple[Name, ...] = ()


def _default_when() -> tuple[Condition, ...]:
    return (
        Condition(intent="human_handoff", min_confidence=0.6),
        Condition(command="human_handoff"),
        Condition(fallbacks=3),
    )


class HandoffRules(Section):
    """``handoff``: when a person is needed and what is said then."""

    when: tuple[Condition, ...] = Field(default_factory=_default_when)
    say: Name | None = "utter_handoff_started"  # null says nothing
    unavailable: Name | None = "utter_handoff_unavailable"
    then: Literal["pause", "assist"] = "pause"
    card: CardSettings = CardSettings()
    cooldown: float = Field(default=60, ge=0)  # seconds after a handback


class AssistRule(Condition):
    """One item of ``assist.when``: a condition, and the reply that is suggested."""

    reply: Name | None = None  # utter_x or response_selector; null: the bot's own replies


class AutoRules(Section):
    """``assist.auto``: what may be sent without an agent's word."""

    intents: tuple[Name, ...] = ()
    min_confidence: Fraction = 0.9
    min_margin: Fraction = 0.3  # over the runner-up


class AssistRules(Section):
    """``assist``: when the bot helps the agent."""

    when: tuple[AssistRule, ...] = ()
    mode: Mode = Mode.SUGGEST
    auto: AutoRules = AutoRules()


class HandoffSettings(Section):
    """``handoff.yml``."""

    handoff: HandoffRules = HandoffRules()
    assist: AssistRules = AssistRules()


class Settings(BaseModel):
    """All three files, read and checked."""

    model_config = ConfigDict(frozen=True)

    bridge: BridgeSettings
    designer: HandoffSettings = HandoffSettings()
    media: MediaSettings = MediaSettings()
    folder: str = ""  # where the files are, for messages
    warnings: tuple[str, ...] = ()  # what is allowed, and worth a word at start

"""The settings of ``handoff.yml``, for conversation designers.

Each field is a key of the file with the same name. Fault messages and editors show its
description. No field may contain a secret, because designers must not be able to print one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from bridge import patterns
from bridge.config.faults import printable, suggest
from bridge.config.hours import HoursSettings
from bridge.config.values import Conflict, Fraction, Name, Number, Section, WholeNumber
from bridge.model import Mode

RESPONSE_SELECTOR = "response_selector"  # a `reply` that is not a response of the domain
ANY_INTENT = "*"

_SUMMARISED = ("minutes", "messages", "agent_nickname")  # the placeholders of a summary
_PLACEHOLDER = re.compile(r"\{([^\n{}]+)\}")

MaskPattern = Annotated[str, AfterValidator(patterns.check)]

# Keys of a condition that refine another key and cannot stand alone. Every other key has a row in
# ``triggers.conditions.CHECKS``.
_REFINES = {"is": "slot", "min_confidence": "intent"}


def _has_a_word(keyword: str) -> str:
    """Reject a keyword that no text can contain."""
    if not keyword.strip(" *"):
        msg = "a word or several: agent, real person, agent*"
        raise ValueError(msg)
    return keyword


Keyword = Annotated[Name, AfterValidator(_has_a_word)]


class Condition(Section):
    """One item of a ``when`` list: all of its keys must match; one matching item is enough."""

    intent: Name | None = Field(default=None, description='name of the intent; "*" for any')
    min_confidence: Fraction | None = Field(
        default=None, description="minimum confidence of the intent"
    )
    slot: Name | None = Field(default=None, description="name of a slot that is set; see also `is`")
    is_: Any = Field(
        default=None,
        alias="is",
        description="value of the slot; if absent, any value but null matches",
    )
    entity: Name | None = Field(default=None, description="name of an entity in the message")
    fallbacks: Annotated[WholeNumber, Field(ge=1)] | None = Field(
        default=None, description="number of consecutive fallbacks"
    )
    command: Name | None = Field(
        default=None, description="name of a CALM command, with spaces or underscores"
    )
    flow: Name | None = Field(default=None, description="name of a CALM flow that starts")
    keyword: Mapping[str, tuple[Keyword, ...]] | None = Field(
        default=None,
        description="keywords by language: {en: [agent, human]}; agent* matches agents too",
    )

    @classmethod
    def _unknown(cls, key: str) -> bool:
        return all(key not in (name, each.alias) for name, each in cls.model_fields.items())

    @staticmethod
    def tests() -> tuple[str, ...]:
        """Return the keys that are conditions by themselves."""
        keys = [field.alias or name for name, field in Condition.model_fields.items()]
        return tuple(key for key in keys if key not in _REFINES)

    @property
    def asks_value(self) -> bool:
        """Return whether the key ``is`` was written, even as ``is: null``."""
        return "is_" in self.model_fields_set

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for conditions without a test and for keys that require another key."""
        misspelt = any(cls._unknown(key) for key in written)
        null: list[str] = []
        if not misspelt and all(written.get(key) is None for key in cls.tests()):
            null = [key for key in cls.tests() if key in written]
            yield Conflict(
                tuple(null[:1]),
                f"a condition: at least one of {', '.join(cls.tests())}",
                f"give {null[0]} a value, or remove the item" if null else "name one of these keys",
                found="" if null else f"an item with {', '.join(written) or 'no key'}",
            )
        for key, refined in () if misspelt else _REFINES.items():
            if key in written and written.get(refined) is None and refined not in null:
                yield Conflict(
                    (key,), f"{key} only beside the key {refined}", f"add the key {refined}"
                )


ResponseName = Name | Mapping[str, Name | None] | None  # one, or one for each language


def response_names(names: ResponseName) -> tuple[str, ...]:
    """Return the names of the responses in any language."""
    by_language = names if isinstance(names, Mapping) else {"": names}
    return tuple(dict.fromkeys(name for name in by_language.values() if name is not None))


class CardSettings(Section):
    """What the handoff card shows the agent of the conversation."""

    turns: WholeNumber = Field(
        default=10, ge=0, le=200, description="number of most recent turns to show"
    )
    slots: tuple[Name, ...] = Field(default=(), description="names of the slots to show")
    mask: Annotated[tuple[MaskPattern, ...], Field(max_length=10)] = Field(
        default=(),
        description="regular expressions (RE2) for what else is masked in the turns, up to 10",
    )


def _default_when() -> tuple[Condition, ...]:
    return (
        Condition(intent="human_handoff", min_confidence=0.6),
        Condition(command="human_handoff"),
        Condition(fallbacks=3),
    )


class TransferSettings(Section):
    """Where a bot agent's calls are transferred: a skill or an agent of the gateway."""

    skill: Annotated[str, Field(pattern=r"^[0-9]{1,10}$")] | None = Field(
        default=None, description="ID of the skill, in quotation marks"
    )
    agent_id: Annotated[str, Field(pattern=r"^[0-9]{3,6}$")] | None = Field(
        default=None, description="ID of the agent, in quotation marks"
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield a fault unless exactly one target is named."""
        named = [key for key in ("skill", "agent_id") if written.get(key) is not None]
        if len(named) != 1:
            yield Conflict(
                (),
                "one of skill and agent_id",
                "name one of the two",
                found=" and ".join(named) or "neither skill nor agent_id",
            )


class HandoffRules(Section):
    """When an agent takes over the conversation, and what the customer is told."""

    ANNOUNCEMENTS: ClassVar[tuple[str, ...]] = (
        "say",
        "unavailable",
        "closed",
    )  # the keys that name responses

    when: tuple[Condition, ...] = Field(
        default_factory=_default_when,
        description="conditions; one matching item is enough, and all of its keys must match",
    )
    say: ResponseName = Field(
        default="utter_handoff_started",
        description="response that is sent under the agent's name, or one for each language; "
        "null: no message",
    )
    unavailable: ResponseName = Field(
        default="utter_handoff_unavailable",
        description="response that the bot utters if no handoff is possible, or one for each "
        "language; null: no message",
    )
    hours: HoursSettings | None = Field(
        default=None, description="the agents' opening hours; null: always open"
    )
    closed: ResponseName = Field(
        default="utter_handoff_closed",
        description="response that the bot utters outside `hours`, or one for each language; "
        "null: no message",
    )
    then: Literal["pause", "assist"] = Field(
        default="pause",
        description="pause: the bot is silent; assist: it drafts replies for the agent",
    )
    transfer: TransferSettings | None = Field(
        default=None,
        description="where the calls of an agent with `owner: bot` are transferred by a handoff",
    )
    card: CardSettings = CardSettings()
    alert_after: Annotated[Number, Field(gt=0)] | None = Field(
        default=None,
        description="seconds after which a handoff that no agent has taken raises an alert; null:"
        " no alerts",
    )
    cooldown: Number = Field(
        default=60,
        ge=0,
        description="seconds after a handback during which only explicit requests hand off again",
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for responses by language without a language."""
        for key in cls.ANNOUNCEMENTS:
            if written.get(key) == {}:
                yield Conflict(
                    (key,),
                    "a response for each language: {en: utter_x, de: utter_y}",
                    "name a response for each language, or null to say nothing",
                    found="no language",
                )


class AssistRule(Condition):
    """One item of ``assist.when``: a condition, and the reply to suggest."""

    reply: Name | None = Field(
        default=None,
        description=f"name of a response, or {RESPONSE_SELECTOR}; null: the bot's own replies",
    )


class AutoRules(Section):
    """Which suggestions are sent without an agent's approval."""

    intents: tuple[Name, ...] = Field(
        default=(), description="intents whose suggestions may be sent"
    )
    min_confidence: Fraction = Field(default=0.9, description="minimum confidence of the intent")
    min_margin: Fraction = Field(
        default=0.3,
        description="minimum lead over the runner-up intent; without a runner-up, it is 0",
    )
    per_minute: WholeNumber = Field(
        default=5, ge=1, description="maximum number of automatic replies on one call in a minute"
    )
    hosts: tuple[Name, ...] = Field(
        default=(),
        description="hosts that an automatic reply may link to; their subdomains are included",
    )
    disclose: Name | None = Field(
        default=None,
        description="response that is sent after each automatic reply, to say that a machine wrote"
        " it; null: none",
    )
    typing: Literal["required", "ignored"] = Field(
        default="required",
        description="required: without a word of the agent's panel or desktop for 60 seconds, offer"
        " instead of sending; ignored: send all the same",
    )


class AssistRules(Section):
    """When the bot drafts replies for the agent."""

    when: tuple[AssistRule, ...] = Field(
        default=(),
        description="conditions; one matching item is enough, and all of its keys must match",
    )
    mode: Mode = Field(
        default=Mode.SUGGEST,
        description="off, suggest, or auto: send what `auto` allows and suggest the rest",
    )
    auto: AutoRules = AutoRules()
    actions: tuple[Name, ...] = Field(
        default=(),
        description="custom actions and forms that may be run to find the bot's answer to a message"
        " of an agent's customer; before any other one, it stops",
    )
    min_confidence: Fraction = Field(
        default=0.1,
        description="minimum confidence of a candidate of the response selector",
    )
    expire_after: float = Field(
        default=300, gt=0, description="seconds after which a suggestion is no longer offered"
    )


class LanguageSettings(Section):
    """The customer's language, for translations of responses and the bridge's own texts."""

    slot: Name | None = Field(
        default="language",
        description="name of the slot with the customer's language; null: always the default",
    )
    default: Name = Field(
        default="en", description="language if the slot is empty or its language has no text"
    )


class TextSettings(Section):
    """The bridge's own texts for customers: replace a built-in text, or add a language to it."""

    started: Mapping[str, Name] = Field(
        default_factory=dict, description="said where `say` cannot be; by language"
    )
    unavailable: Mapping[str, Name] = Field(
        default_factory=dict, description="said where `unavailable` cannot be; by language"
    )
    closed: Mapping[str, Name] = Field(
        default_factory=dict, description="said where `closed` cannot be; by language"
    )
    summary: Mapping[str, Name] = Field(
        default_factory=dict,
        description="the slot handoff_summary, with {minutes}, {messages} and {agent_nickname}; "
        "by language",
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for placeholders that a summary cannot fill: it has no other values."""
        texts = written.get("summary")
        for language, text in texts.items() if isinstance(texts, Mapping) else ():
            named = _PLACEHOLDER.findall(text) if isinstance(text, str) else []
            unknown = [name for name in named if name not in _SUMMARISED]
            for name in unknown:
                meant = suggest(name, _SUMMARISED)
                yield Conflict(
                    ("summary", str(language)),
                    f"the placeholders {', '.join(f'{{{each}}}' for each in _SUMMARISED)}",
                    "name one of these placeholders, or remove it",
                    found=f"the placeholder {{{printable(name)}}}",
                    meant=f"{{{meant}}}" if meant else "",
                )


class HandoffSettings(Section):
    """The keys of handoff.yml."""

    handoff: HandoffRules = HandoffRules()
    assist: AssistRules = AssistRules()
    language: LanguageSettings = LanguageSettings()
    texts: TextSettings = TextSettings()

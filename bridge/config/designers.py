"""The settings of ``handoff.yml``, for conversation designers.

Each field is a key of the file with the same name. Fault messages and editors show its
description. No field may contain a secret, because designers must not be able to print one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from bridge.config.values import Fraction, Name, Number, Section, WholeNumber
from bridge.model import Mode

RESPONSE_SELECTOR = "response_selector"  # a `reply` that is not a response of the domain
ANY_INTENT = "*"

_TESTS = ("intent", "slot", "entity", "fallbacks", "command", "flow", "keyword")


class Condition(Section):
    """One item of a ``when``: its keys are AND, the items of the list OR."""

    intent: Name | None = Field(default=None, description='the intent\'s name, "*" for any')
    min_confidence: Fraction | None = Field(default=None, description="of the intent")
    slot: Name | None = Field(default=None, description="a slot that is filled, or see `is`")
    is_: Any = Field(
        default=None, alias="is", description="the slot's value; absent: anything but null"
    )
    entity: Name | None = Field(default=None, description="an entity of the message")
    fallbacks: Annotated[WholeNumber, Field(ge=1)] | None = Field(
        default=None, description="that many in a row"
    )
    command: Name | None = Field(default=None, description="a CALM command; space or underscore")
    flow: Name | None = Field(default=None, description="a CALM flow that starts")
    keyword: Mapping[str, tuple[Name, ...]] | None = Field(
        default=None, description="words by language: {en: [agent, human]}"
    )

    @classmethod
    def _unknown(cls, key: str) -> bool:
        return all(key not in (name, each.alias) for name, each in cls.model_fields.items())

    @property
    def asks_value(self) -> bool:
        """Return whether the key ``is`` was written, even as ``is: null``."""
        return "is_" in self.model_fields_set

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield faults for conditions without a test and for keys that require another key."""
        misspelt = any(cls._unknown(key) for key in written)
        if not misspelt and not any(key in written for key in _TESTS):
            yield (), f"name at least one of {', '.join(_TESTS)}"
        if "is" in written and "slot" not in written:
            yield ("is",), "`is` belongs to a slot: add the key slot"
        if "min_confidence" in written and "intent" not in written:
            yield ("min_confidence",), "`min_confidence` belongs to an intent: add the key intent"


class CardSettings(Section):
    """What the agent is shown of the conversation at a handoff."""

    turns: WholeNumber = Field(default=10, ge=0, le=200, description="the last turns")
    slots: tuple[Name, ...] = Field(default=(), description="slots to show, by name")


def _default_when() -> tuple[Condition, ...]:
    return (
        Condition(intent="human_handoff", min_confidence=0.6),
        Condition(command="human_handoff"),
        Condition(fallbacks=3),
    )


class HandoffRules(Section):
    """When a person is needed and what is said then."""

    when: tuple[Condition, ...] = Field(
        default_factory=_default_when, description="items are OR, keys within an item are AND"
    )
    say: Name | None = Field(
        default="utter_handoff_started",
        description="a response, sent under the agent's name; null says nothing",
    )
    unavailable: Name | None = Field(
        default="utter_handoff_unavailable",
        description="a response, uttered when no handoff can be made; null says nothing",
    )
    then: Literal["pause", "assist"] = Field(
        default="pause", description="the bot is silent, or goes on helping the agent"
    )
    card: CardSettings = CardSettings()
    cooldown: Number = Field(
        default=60, ge=0, description="seconds after a handback in which fallbacks do not count"
    )


class AssistRule(Condition):
    """One item of ``assist.when``: a condition, and the reply that is suggested."""

    reply: Name | None = Field(
        default=None, description=f"a response or {RESPONSE_SELECTOR}; null: the bot's own replies"
    )


class AutoRules(Section):
    """What may be sent without an agent's word."""

    intents: tuple[Name, ...] = Field(default=(), description="the only intents that may")
    min_confidence: Fraction = Field(default=0.9, description="of the intent")
    min_margin: Fraction = Field(default=0.3, description="over the runner-up")


class AssistRules(Section):
    """When the bot helps the agent."""

    when: tuple[AssistRule, ...] = Field(
        default=(), description="items are OR, keys within an item are AND"
    )
    mode: Mode = Field(
        default=Mode.SUGGEST, description="auto sends what `auto` allows and suggests the rest"
    )
    auto: AutoRules = AutoRules()
    expire_after: float = Field(
        default=300, gt=0, description="seconds that a suggestion is offered"
    )


class HandoffSettings(Section):
    """The keys of handoff.yml."""

    handoff: HandoffRules = HandoffRules()
    assist: AssistRules = AssistRules()

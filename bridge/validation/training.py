"""Interpret Rasa's training data: the rules, stories and flows, as far as the bridge takes part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bridge.config.faults import KeyPath, Place
from bridge.config.source import Document

_TOP_LEVEL = re.compile(r"[\w\"']")
_NLU = re.compile(r"[\"']?nlu[\"']?\s*:")
_ITEM = re.compile(r"([ \t]*)-[ \t]")
_INTENT = re.compile(r"([ \t]*)-[ \t]+intent:[ \t]*([^\s#]+)")
_MARKERS = re.compile(r"[{\[].*", re.DOTALL)  # entities in an intent's JSON form
HANDING_OFF = ("action_human_handoff", "action_bridge")
_DEEPEST = 20  # branches of a flow
_OPENING = ("intent", "collect", "branch")  # the steps with which a passage begins


@dataclass(frozen=True)
class Step:
    """One step of a rule, story or flow."""

    kind: str  # intent, entity, action, slot, active_loop; of a flow: collect, utter, link, branch
    name: str  # of the intent, action, slot and so on; "" if the step names none
    document: Document
    path: KeyPath
    value: Any = None  # the value of a slot

    @property
    def place(self) -> Place:
        """Return the place of the step's value."""
        return self.document.place(self.path)


@dataclass(frozen=True)
class Passage:
    """A customer's message in a rule or story, and what the bot does until the next one."""

    intents: tuple[Step, ...]  # one of them, or none if the passage starts otherwise
    steps: tuple[Step, ...]  # in order

    def named(self, *actions: str) -> list[Step]:
        """Return the steps that call one of these actions."""
        return [step for step in self.steps if step.kind == "action" and step.name in actions]

    @property
    def utterances(self) -> list[Step]:
        """Return the steps that utter a response."""
        return [
            step for step in self.steps if step.kind == "action" and step.name.startswith("utter_")
        ]

    def after(self, step: Step) -> tuple[Step, ...]:
        """Return the steps that follow a step."""
        return self.steps[self.steps.index(step) + 1 :]


@dataclass(frozen=True)
class Script:
    """A rule, a story or a flow."""

    kind: str  # rule, story or flow
    name: str
    steps: tuple[Step, ...]

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Split the steps at the customer's messages, and a flow at its branches too."""
        passages: list[Passage] = []
        intents: list[Step] = []
        steps: list[Step] = []
        for step in self.steps:
            if step.kind in _OPENING:
                if steps or step.kind != "intent":
                    passages.append(Passage(tuple(intents), tuple(steps)))
                    intents, steps = [], []
                if step.kind == "intent":
                    intents.append(step)
            else:
                steps.append(step)
        if intents or steps:
            passages.append(Passage(tuple(intents), tuple(steps)))
        return tuple(passages)


@dataclass(frozen=True)
class Example:
    """The intent of some NLU examples."""

    intent: str
    path: KeyPath
    place: Place


@dataclass(frozen=True)
class Training:
    """The training data of a project."""

    documents: tuple[Document, ...]
    examples: tuple[Example, ...]  # the intents of the NLU examples
    retrieval_intents: frozenset[str]  # faq/hours and so on, in the NLU examples
    has_nlu: bool

    @cached_property
    def scripts(self) -> tuple[Script, ...]:
        """Return the rules, stories and flows."""
        return tuple(script for document in self.documents for script in _scripts(document))

    @cached_property
    def flows(self) -> tuple[str, ...]:
        """Return the names of the flows."""
        return tuple(script.name for script in self.scripts if script.kind == "flow")

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Return all steps."""
        return tuple(step for script in self.scripts for step in script.steps)

    def calls(self, *actions: str) -> bool:
        """Return whether any script calls one of these actions."""
        return any(step.kind == "action" and step.name in actions for step in self.steps)


def examples(text: str, file: str) -> Iterator[Example]:
    """Yield the intents of the NLU examples in a file, without reading the examples."""
    indent: str | None = None
    inside, number = False, -1
    for line, written in enumerate(text.splitlines(), 1):
        if _TOP_LEVEL.match(written):
            inside, indent, number = _NLU.match(written) is not None, None, -1
        item = _ITEM.match(written) if inside else None
        if item is None:
            continue
        indent = item[1] if indent is None else indent
        if item[1] != indent:
            continue  # an example
        number += 1
        if match := _INTENT.match(written):
            place = Place(file, line, match.start(2) + 1)
            yield Example(match[2].strip("\"'"), ("nlu", number, "intent"), place)


def _scripts(document: Document) -> Iterator[Script]:
    for section, kind in (("rules", "rule"), ("stories", "story")):
        for path, item in _items(document, (section,)):
            steps = (
                *_rule_steps(document, (*path, "condition")),
                *_rule_steps(document, (*path, "steps")),
            )
            yield Script(kind, str(item.get(kind, "")), steps)
    flows = document.get(("flows",))
    for name in flows if isinstance(flows, dict) else ():
        path = ("flows", name)
        triggers = tuple(_triggers(document, path))
        yield Script("flow", name, (*triggers, *_flow_steps(document, (*path, "steps"))))


def _items(document: Document, path: KeyPath) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    listed = document.get(path)
    for number, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            yield (*path, number), item


def _rule_steps(document: Document, path: KeyPath) -> Iterator[Step]:
    for here, item in _items(document, path):
        if "or" in item:
            yield from _rule_steps(document, (*here, "or"))
        yield from _said(document, here, item)
        for kind in ("action", "active_loop"):
            if kind in item and isinstance(item[kind], str | None):
                yield Step(kind, item[kind] or "", document, (*here, kind))
        yield from _slots(document, (*here, "slot_was_set"))


def _said(document: Document, path: KeyPath, item: Mapping[str, Any]) -> Iterator[Step]:
    """Yield what a step says of the customer's message."""
    if isinstance(intent := item.get("intent"), str):
        name = _MARKERS.sub("", intent).strip().removeprefix("/")
        yield Step("intent", name, document, (*path, "intent"))
    elif isinstance(item.get("user"), str):
        yield Step("intent", "", document, (*path, "user"))
    for number, entity in enumerate(_list(item.get("entities"))):
        here = (*path, "entities", number)
        if isinstance(entity, str):
            yield Step("entity", entity, document, here)
        elif isinstance(entity, dict):
            names = [name for name in entity if name not in ("role", "group")]
            yield from (Step("entity", name, document, (*here, name)) for name in names)


def _slots(document: Document, path: KeyPath) -> Iterator[Step]:
    """Yield the slots of ``slot_was_set`` or ``set_slots``."""
    value = document.get(path)
    if isinstance(value, dict):
        yield from (
            Step("slot", name, document, (*path, name), value=below)
            for name, below in value.items()
        )
    for number, item in enumerate(_list(value)):
        here = (*path, number)
        if isinstance(item, str):
            yield Step("slot", item, document, here, value=...)
        elif isinstance(item, dict):
            yield from (
                Step("slot", name, document, (*here, name), value=below)
                for name, below in item.items()
            )


def _triggers(document: Document, path: KeyPath) -> Iterator[Step]:
    for number, item in enumerate(_list(document.get((*path, "nlu_trigger")))):
        intent = item.get("intent") if isinstance(item, dict) else None
        here = (*path, "nlu_trigger", number, "intent")
        if isinstance(intent, str):
            yield Step("intent", intent, document, here)
        elif isinstance(intent, dict) and isinstance(intent.get("name"), str):
            yield Step("intent", intent["name"], document, (*here, "name"))


def _flow_steps(document: Document, path: KeyPath, depth: int = 0) -> Iterator[Step]:
    """Yield the steps of a flow; those of its branches follow the step that branches."""
    if depth > _DEEPEST:
        return
    for here, item in _items(document, path):
        for kind in ("action", "collect", "link", "call"):
            if isinstance(item.get(kind), str):
                yield Step(kind, item[kind], document, (*here, kind))
        for asked, below in ((here, item), *_items(document, (*here, "rejections"))):
            if isinstance(below.get("utter"), str):
                yield Step("utter", below["utter"], document, (*asked, "utter"))
        yield from _slots(document, (*here, "set_slots"))
        for branch, _ in _items(document, (*here, "next")):
            for key in ("then", "else"):
                yield Step("branch", "", document, (*branch, key))
                yield from _flow_steps(document, (*branch, key), depth + 1)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

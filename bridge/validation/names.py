"""Check the names in rules, stories and flows against the domain, and the keys of the files."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from bridge.config.domain import Domain, Entry
from bridge.config.faults import Fault, KeyPath, printable, suggest
from bridge.config.misspelt import ADD_TO_DOMAIN, misspelt_keys, unknown
from bridge.config.names import named_responses
from bridge.config.rasa_names import (
    ACTIONS,
    FLOW_KEYS,
    INTENTS,
    LOOPS,
    RESPONSES,
    RULE_KEYS,
    SLOTS,
    STEP_KEYS,
)
from bridge.config.source import Document
from bridge.validation.finding import fault, warning
from bridge.validation.our_slots import VALUES
from bridge.validation.project import Project
from bridge.validation.references import our_value
from bridge.validation.training import Example, Step, Training

OURS = ("action_human_handoff", "action_agent_assist", "action_bridge", "action_handback")
_ALIKE = 0.9


def check(project: Project) -> Iterator[Fault]:
    """Yield the faults of names that do not exist, and of keys that Rasa does not know."""
    domain, training = project.domain, project.training
    if domain is not None:
        yield from _our_actions(domain, training)
    if training is not None:
        yield from _keys(training)
        yield from _empty(training)
        if domain is not None:
            yield from _of_flows(project.handoff, domain, training)
            known = _Known(domain, training)
            for example in training.examples:
                yield from known.example(example)
            for step in training.steps:
                yield from known.check(step)
                if step.kind == "slot" and isinstance(step.value, str):
                    yield from our_value(step.document, step.path, step.name, step.value)
            yield from _branches(domain, training)


def _of_flows(handoff: Document, domain: Domain, training: Training) -> Iterator[Fault]:
    """Yield a fault for each response of Rasa's default flows that a bot without flows lacks."""
    if training.flows:
        return
    responses = domain.names("responses")
    for path, name in named_responses(handoff):
        if name in RESPONSES and name not in responses:
            what = f"a response of the domain ({domain.name})"
            yield unknown(handoff, path, name, responses, what, hint=ADD_TO_DOMAIN)


def _our_actions(domain: Domain, training: Training | None) -> Iterator[Fault]:
    """Yield a fault for each action of the bridge that the domain lacks but needs."""
    listed = domain.names("actions")
    for name in OURS:
        if name in listed:
            continue
        misspelt = _misspelt(domain, name)
        if misspelt is not None:
            yield unknown(
                misspelt.document,
                misspelt.path,
                misspelt.name,
                [name],
                f"the bridge's action {name}, which the domain does not list",
                hint=f"rename it to {name}",
                at_key=True,
            )
        elif training is not None and training.calls(name):
            document, path = domain.section("actions")
            yield fault(
                document,
                path,
                f"the domain does not list the bridge's action {name}",
                hint=f"add - {name}: {{send_domain: true}} to actions",
                at_key=True,
            )


def _misspelt(domain: Domain, name: str) -> Entry | None:
    """Return the action of the domain that was probably meant to be the bridge's."""
    others = [entry for entry in domain.entries("actions") if entry.name not in OURS]
    close = difflib.get_close_matches(name, [each.name for each in others], n=1, cutoff=_ALIKE)
    return next((entry for entry in others if [entry.name] == close), None)


def _keys(training: Training) -> Iterator[Fault]:
    for document in training.documents:
        for section in ("rules", "stories"):
            listed = document.get((section,))
            for number, item in enumerate(listed if isinstance(listed, list) else ()):
                path: KeyPath = (section, number)
                yield from misspelt_keys(document, path, RULE_KEYS, "a key of a rule or story")
                steps = item.get("steps") if isinstance(item, dict) else None
                for place, step in enumerate(steps if isinstance(steps, list) else ()):
                    here = (*path, "steps", place)
                    yield from misspelt_keys(document, here, STEP_KEYS, "a key of a step")
                    if isinstance(step, str):
                        yield _text(document, here, step)
        flows = document.get(("flows",))
        for name in flows if isinstance(flows, dict) else ():
            yield from misspelt_keys(document, ("flows", name), FLOW_KEYS, "a key of a flow")


def _text(document: Document, path: KeyPath, step: str) -> Fault:
    word, _, rest = step.partition(" ")
    return fault(
        document,
        path,
        "this step is text and not a key with its value",
        meant=f"{word.rstrip(':')}: {rest.strip()}" if word.rstrip(":") in STEP_KEYS else "",
        hint="write a colon and a space after the key, as in - intent: greet",
    )


def _empty(training: Training) -> Iterator[Fault]:
    for document in training.documents:
        for section in ("rules", "stories", "flows"):
            value = document.get((section,))
            wanted = dict if section == "flows" else list
            if (section,) in document.keys and value is not None and not isinstance(value, wanted):
                noun = "a mapping of flows by name" if wanted is dict else "a list"
                yield fault(
                    document,
                    (section,),
                    f"{section} is not {noun}",
                    hint="indent its items below it" + ("" if wanted is dict else ", each with -"),
                    at_key=True,
                )


def _branches(domain: Domain, training: Training) -> Iterator[Fault]:
    """Warn of rules that branch on one of the bridge's slots, which Rasa's policies do not see."""
    slots = {entry.name: entry for entry in domain.entries("slots")}
    branching = {
        step.name: step
        for script in training.scripts
        if script.kind != "flow"
        for step in reversed(script.steps)
        if step.kind == "slot" and step.name in VALUES and isinstance(step.value, str)
    }
    for name, step in branching.items():
        slot = slots[name].value if name in slots else None
        if not isinstance(slot, Mapping):
            continue
        unseen = slot.get("influence_conversation") is False
        if unseen or slot.get("type") == "text":
            key = "influence_conversation" if unseen else "type"
            yield warning(
                slots[name].document,
                (*slots[name].path, key),
                f"Rasa does not see the value of {name} ({key}: {str(slot[key]).lower()}), and"
                f" {step.place} branches on it",
                hint=f"make {name} categorical with the values {', '.join(VALUES[name])}, and set"
                " influence_conversation: true",
            )


class _Known:
    """The names that a project's steps may use."""

    def __init__(self, domain: Domain, training: Training) -> None:
        in_training = (document.get(("responses",)) for document in training.documents)
        self._responses = {*domain.names("responses"), *(RESPONSES if training.flows else ())}
        for responses in in_training:
            self._responses |= set(responses if isinstance(responses, dict) else ())
        bases = {name.split("/", 1)[0] for name in self._responses if "/" in name}
        self._responses |= bases  # of retrieval intents: the selector has one of their answers
        self._intents = domain.names("intents")
        self._entities = domain.names("entities")
        self._slots = domain.names("slots")
        self._forms = domain.names("forms")
        self._loops = {*self._forms, *LOOPS}
        self._actions = [*domain.names("actions"), *self._forms]
        self._flows = training.flows

    def example(self, example: Example) -> Iterator[Fault]:
        """Yield the fault of NLU examples of an intent that the domain lacks."""
        base = example.intent.split("/", 1)[0]
        if self._intents and base not in self._intents and base not in INTENTS:
            yield Fault(
                example.place,
                example.path,
                found=f'"{printable(base)}"',
                allowed="an intent of the domain",
                meant=suggest(base, self._intents),
                hint=ADD_TO_DOMAIN,
            )

    def check(self, step: Step) -> Iterator[Fault]:
        """Yield the fault of a step whose name does not exist."""
        if not step.name or "{{" in step.name:  # a template of Rasa Pro
            return
        checks = {
            "intent": self._intent,
            "entity": self._entity,
            "slot": self._slot,
            "collect": self._slot,
            "active_loop": self._form,
            "action": self._action,
            "utter": self._response,
            "link": self._flow,
            "call": self._called,
        }
        yield from checks[step.kind](step)

    def _intent(self, step: Step) -> Iterator[Fault]:
        base = step.name.split("/", 1)[0]
        if self._intents and base not in self._intents and base not in INTENTS:
            yield _no(step, base, self._intents, "an intent of the domain")

    def _entity(self, step: Step) -> Iterator[Fault]:
        if self._entities and step.name not in self._entities:
            yield _no(step, step.name, self._entities, "an entity of the domain", at_key=True)

    def _slot(self, step: Step) -> Iterator[Fault]:
        name = step.name.split(".", 1)[0]
        if name not in self._slots and name not in SLOTS:
            at_key = step.kind == "slot" and step.value is not ...
            known = [*self._slots, *SLOTS]
            yield _no(step, name, known, "a slot of the domain", at_key=at_key)

    def _form(self, step: Step) -> Iterator[Fault]:
        if step.name not in self._loops:
            yield _no(step, step.name, self._loops, "a form of the domain")

    def _action(self, step: Step) -> Iterator[Fault]:
        if step.name.startswith("utter_") and step.name not in self._actions:
            yield from self._response(step)
        elif step.name not in self._actions and step.name not in ACTIONS and step.name not in OURS:
            known = [*self._actions, *OURS, *ACTIONS]
            yield _no(step, step.name, known, "an action or form of the domain")

    def _response(self, step: Step) -> Iterator[Fault]:
        if step.name not in self._responses:
            yield _no(step, step.name, self._responses, "a response of the domain")

    def _flow(self, step: Step) -> Iterator[Fault]:
        close = suggest(step.name, self._flows)
        if step.name not in self._flows and not step.name.startswith("pattern_") and close:
            yield _no(step, step.name, self._flows, "a flow of the files of --rules")

    def _called(self, step: Step) -> Iterator[Fault]:
        """Check a name that may also be a sub-agent's, or an MCP tool's."""
        if suggest(step.name, self._flows, alike=_ALIKE):
            yield from self._flow(step)


def _no(step: Step, name: str, known: object, what: str, *, at_key: bool = False) -> Fault:
    names = [str(each) for each in known] if isinstance(known, list | set | tuple) else []
    hint = "name a flow that there is" if step.kind in ("link", "call") else ADD_TO_DOMAIN
    return unknown(step.document, step.path, name, names, what, hint=hint, at_key=at_key)

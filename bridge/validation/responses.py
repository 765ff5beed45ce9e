"""Check the domain's responses: their keys and channels, and whether a channel carries them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.config.domain import Entry
from bridge.config.faults import Fault, KeyPath, suggest
from bridge.config.misspelt import misspelt_keys, unknown
from bridge.config.names import default_responses, named_responses, rules_of
from bridge.config.rasa_names import BUTTON_KEYS, VARIATION_KEYS
from bridge.config.settings import MediaSettings, response_names
from bridge.config.source import Document
from bridge.model import Channel
from bridge.replies import render
from bridge.translate import Room, Translator
from bridge.translate.channels import rasa_channels
from bridge.validation.finding import fault, warning
from bridge.validation.project import Project
from bridge.validation.training import Training

_OUR_CHANNEL = "cc_bridge"  # of cc_bridge_channel.py, which cc-bridge init writes
_SELECTOR = "response_selector"
_DEFAULTS = {"unavailable": "utter_handoff_unavailable", "closed": "utter_handoff_closed"}
_ROOMY = Room(limit=1_000_000, overhead=0, as_json=False)  # length is no reason to refuse a reply
_SAID = {"text", "image", "custom", "buttons", "attachment", "elements", "quick_replies"}


def check(project: Project) -> Iterator[Fault]:
    """Yield the faults of the domain's responses, and of what ``handoff.yml`` says of them."""
    yield from _unavailable(project)
    yield from _same(project)
    yield from _selectors(project)
    if project.domain is None:
        return
    media = project.media or MediaSettings()
    known = _channels(media)
    for entry in project.domain.entries("responses"):
        for found in _variations(entry, known):
            if project.media is not None or found.severity == "error":
                yield found
    yield from _carried(project, Translator(media))


def _unavailable(project: Project) -> Iterator[Fault]:
    """Warn of a handoff without a word for the customer if it fails, in any language."""
    document = project.handoff
    if project.training is None or not project.wanted or _says_so_itself(project.training):
        return
    for path, default in _silent(document):
        yield warning(
            document,
            path,
            "the customer is told nothing if no agent can take over",
            hint=f"name a response, such as {default}, or write a rule for"
            " handoff_state: bot after the action",
        )


def _silent(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Yield the keys by which nothing is said if no agent can take over, with their defaults."""
    handoff = document.get(("handoff",))
    written = handoff if isinstance(handoff, dict) else {}
    for key, default in _DEFAULTS.items():
        if key == "closed" and written.get("hours") is None:
            continue  # it is never said
        names = written.get(key, default)
        if names is None:
            yield ("handoff", key), default
        for language, name in names.items() if isinstance(names, dict) else ():
            if name is None:
                yield ("handoff", key, language), default


def _same(project: Project) -> Iterator[Fault]:
    """Warn if the customer hears the same whether an agent comes or not, in any language."""
    if project.designer is None:
        return
    rules = project.designer.handoff
    for key in _DEFAULTS:
        if key == "closed" and rules.hours is None:
            continue  # it is never said
        if {*response_names(rules.say)} & {*response_names(getattr(rules, key))}:
            yield warning(
                project.handoff,
                ("handoff", key),
                "the customer is told the same whether an agent takes over or not",
                hint="name a response that says that nobody can take over",
            )


def _says_so_itself(training: Training) -> bool:
    """Return whether a rule answers the customer if a handoff was not possible."""
    return any(
        step.kind == "slot"
        and ((step.name == "handoff_state" and step.value == "bot") or step.name == "handoff_error")
        for step in training.steps
    )


def _selectors(project: Project) -> Iterator[Fault]:
    """Check that ``response_selector`` is used with retrieval intents only.

    Their responses are mostly in the training data: without the examples, nothing is known of them.
    """
    if project.domain is None or project.training is None or not project.training.has_nlu:
        return
    names = [*project.domain.names("responses"), *_in_training(project)]
    examples = project.training.retrieval_intents
    retrieval = {
        name.removeprefix("utter_").split("/", 1)[0] for name in (*names, *examples) if "/" in name
    }
    for path, rule in rules_of(project.handoff):
        intent = rule.get("intent")
        if rule.get("reply") != _SELECTOR or not isinstance(intent, str):
            continue
        base = intent.split("/", 1)[0]
        if base in retrieval or (intent == "*" and retrieval):
            continue
        what = "the domain has no retrieval intent" if intent == "*" else _no_retrieval(base)
        plain = f"utter_{base}"
        yield fault(
            project.handoff,
            (*path, "reply"),
            what,
            meant=plain if plain in names else suggest(plain, names) if intent != "*" else "",
            hint="name a response, or an intent with responses such as utter_faq/hours; if they are"
            " in the training data, name it with --rules",
        )


def _no_retrieval(intent: str) -> str:
    return f"{intent} is no retrieval intent: no response begins with utter_{intent}/"


def _in_training(project: Project) -> Iterator[str]:
    for document in project.training.documents if project.training else ():
        responses = document.get(("responses",))
        yield from responses if isinstance(responses, dict) else ()


def _channels(media: MediaSettings) -> set[str]:
    """Return the values of ``channel`` that can match."""
    rasa = rasa_channels(media)
    ours = {channel.value.lower() for channel in Channel}
    return {*ours, *rasa, *(row.output for row in rasa.values()), _OUR_CHANNEL}


def _variations(entry: Entry, known: set[str]) -> Iterator[Fault]:
    document = entry.document
    if not isinstance(entry.value, list):
        yield fault(
            document,
            entry.path,
            f"{entry.name} is no list of variations",
            hint='write each variation as an item: - text: "..."',
            at_key=True,
        )
        return
    for number, variation in enumerate(entry.value):
        path = (*entry.path, number)
        if not isinstance(variation, Mapping):
            yield fault(
                document,
                path,
                f"a variation of {entry.name} is no mapping",
                hint='write - text: "..."',
            )
            continue
        yield from misspelt_keys(document, path, VARIATION_KEYS, "a key of a variation")
        buttons = variation.get("buttons")
        for place, _ in enumerate(buttons if isinstance(buttons, list) else ()):
            yield from misspelt_keys(
                document, (*path, "buttons", place), BUTTON_KEYS, "a key of a button"
            )
        yield from _channel(document, (*path, "channel"), variation.get("channel"), known)
        if variation.get("condition") == []:
            yield fault(
                document,
                (*path, "condition"),
                "an empty condition never holds, so that this variation is never said",
                hint="remove the key, or add an item: {type: slot, name: ..., value: ...}",
            )


def _channel(document: Document, path: KeyPath, name: Any, known: set[str]) -> Iterator[Fault]:
    if not isinstance(name, str) or name in known:
        return
    close = suggest(name, known)
    if close:
        yield unknown(
            document,
            path,
            name,
            known,
            f"a channel of the gateway in lower case ({_gateway()}) or of Rasa",
            hint="correct the channel's name: as it is, this variation is never said",
        )
    else:
        yield Fault(
            document.place(path),
            path,
            found=f'"{name}"',
            allowed=f"a channel of the gateway in lower case ({_gateway()}) or of Rasa",
            hint="name one of them, or add your own Rasa channel to rasa_channels in media.yml",
            severity="warning",
        )


def _gateway() -> str:
    return ", ".join(channel.value.lower() for channel in Channel)


def _carried(project: Project, translator: Translator) -> Iterator[Fault]:
    """Warn of responses that the bridge says, and of which no channel can carry anything."""
    domain = project.domain
    named = {name for _, name in named_responses(project.handoff)}
    named |= {name for _, name in default_responses(project.handoff)}
    for entry in domain.entries("responses") if domain else ():
        variations = entry.value if isinstance(entry.value, list) else []
        said = [each for each in variations if isinstance(each, Mapping) and _SAID & {*each}]
        if entry.name not in named or not said or _carries(translator, said):
            continue
        yield warning(
            entry.document,
            entry.path,
            f"no channel can carry {entry.name}: nothing of it can be sent to a customer",
            hint="add a text to it, or add the shape of its `custom` to media.yml; cc-bridge"
            f" preview {entry.name} shows why",
            at_key=True,
        )


def _carries(translator: Translator, variations: list[Mapping[str, Any]]) -> bool:
    """Return whether some channel can carry something of a variation."""
    for variation in variations:
        bare = {key: value for key, value in variation.items() if key not in _CHOOSING}
        reply = render({"utter": [bare]}, "utter", {}, channels=(), seed="validate")
        for channel in Channel:
            if reply and translator.translate(reply, channel, _ROOMY).drafts:
                return True
    return False


_CHOOSING = ("channel", "condition")

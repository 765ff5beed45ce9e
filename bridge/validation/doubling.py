"""Check for rules that say a reply which the bridge also says, or suggests to the agent."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.faults import Fault
from bridge.config.settings import AssistRule, HandoffSettings, response_names
from bridge.triggers.conditions import ANY
from bridge.validation.finding import warning
from bridge.validation.project import Project
from bridge.validation.reach import ASSIST, BRIDGE, HANDOFF
from bridge.validation.training import Passage, Script, Step


def check(project: Project) -> Iterator[Fault]:
    """Yield a warning for each utterance that doubles a suggestion or a message of the bridge."""
    if project.designer is None or project.training is None:
        return
    replies = project.bridge.rasa.replies if project.bridge else None
    for script in project.training.scripts:
        for passage in script.passages:
            yield from _suggested(script, passage, project.designer, replies)
            yield from _said(passage, project.designer)


def _suggested(
    script: Script, passage: Passage, designer: HandoffSettings, replies: str | None
) -> Iterator[Fault]:
    called = passage.named(ASSIST, BRIDGE)
    if not called or not passage.utterances:
        return
    item = _item(script, passage, designer)
    replied = item is not None and item.reply is not None
    for step in passage.utterances:
        if replied:
            yield _doubled(
                step, called[0], f"says {item.reply if item else ''} for the same message"
            )
        elif called[0].name == ASSIST and replies == "customer":
            yield _unheard(step)
        elif called[0].name == ASSIST and replies == "silent" and step in passage.after(called[0]):
            yield _too_late(step)
        elif _goes_on(designer, replies) and step in passage.after(called[0]):
            yield _after(step)


def _goes_on(designer: HandoffSettings, replies: str | None) -> bool:
    """Return whether a rule goes on after a handoff, and its words reach the customer."""
    return designer.handoff.then == "assist" and replies == "customer"


def _item(script: Script, passage: Passage, designer: HandoffSettings) -> AssistRule | None:
    """Return the assist item that holds for a passage, as far as its intent or flow tells."""
    intents = {step.name for step in passage.intents if step.name}
    bases = {name.split("/", 1)[0] for name in intents}
    for item in designer.assist.when:
        if item.flow is not None and script.kind == "flow" and item.flow == script.name:
            return item
        if item.intent is not None and (item.intent in intents | bases or item.intent == ANY):
            return item if intents or item.intent == ANY else None
    return None


def _doubled(step: Step, called: Step, what: str) -> Fault:
    return warning(
        step.document,
        step.path,
        f"{step.name} doubles the bridge's reply: {called.name} in the same rule {what}, to the"
        " customer or as a suggestion",
        hint=f"remove this step, and let {called.name} say it",
    )


def _unheard(step: Step) -> Fault:
    return warning(
        step.document,
        step.path,
        f"{step.name} goes to the customer also while an agent owns the conversation, and"
        f" {ASSIST} has no reply to suggest: with rasa.replies: customer the bot's own replies"
        " are never suggested",
        hint=f"remove this step, and add an item to assist.when with reply: {step.name}",
    )


def _too_late(step: Step) -> Fault:
    return warning(
        step.document,
        step.path,
        f"{step.name} comes after {ASSIST}, which suggests what was said before it: while an agent"
        " owns the conversation, it reaches nobody",
        hint=f"put this step before {ASSIST}",
    )


def _after(step: Step) -> Fault:
    return warning(
        step.document,
        step.path,
        f"{step.name} is said even after a handoff: with handoff.then: assist nothing stops the"
        " rule",
        hint=f"remove this step, and add an item to assist.when with reply: {step.name}",
    )


def _said(passage: Passage, designer: HandoffSettings) -> Iterator[Fault]:
    """Warn of a rule that says itself what the handoff says."""
    called = passage.named(HANDOFF, BRIDGE)
    keys = designer.handoff.ANNOUNCEMENTS
    ours = {name for key in keys for name in response_names(getattr(designer.handoff, key))}
    for step in passage.utterances if called else ():
        if step.name in ours:
            yield warning(
                step.document,
                step.path,
                f"{step.name} is said twice: {called[0].name} says it too, and only if it is true",
                hint="remove this step",
            )

"""Check that the rules let the bridge see what the conditions of ``handoff.yml`` ask for.

A condition is evaluated when ``action_bridge`` runs. The other actions act whenever they are
called, whatever the conditions say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.config.faults import Fault, KeyPath
from bridge.config.names import rules_of
from bridge.config.pipeline import FALLBACK, is_calm, may_predict_fallback
from bridge.config.settings import Condition, HandoffSettings
from bridge.triggers.conditions import ANY
from bridge.turn.message import NLU_FALLBACK
from bridge.validation.finding import warning
from bridge.validation.names import OURS
from bridge.validation.project import Project
from bridge.validation.training import Passage, Step, Training

BRIDGE = "action_bridge"
ASSIST = "action_agent_assist"
HANDOFF = "action_human_handoff"
_IN_WORDS = ("keyword", "entity", "slot")  # conditions that hold whatever the intent is


def check(project: Project) -> Iterator[Fault]:
    """Yield a warning for each rule and each condition that never meet."""
    yield from _unpredicted(project)
    training = project.training
    if project.designer is None or training is None or not training.scripts:
        return
    items = project.designer.handoff.when
    written = project.handoff.get(("handoff", "when")) is not None
    yield from _called_by_name(training, items)
    if not training.calls(*OURS):
        if project.wanted:
            yield from _never_called(project)
    elif written:
        for number, item in enumerate(items):
            yield from _unreached(project, training, ("handoff", "when", number), item)
    if training.calls(*OURS) and not _asked(project, project.designer):
        for number, rule in enumerate(project.designer.assist.when):
            yield from _unassisted(project, training, ("assist", "when", number), rule)


def _unpredicted(project: Project) -> Iterator[Fault]:
    """Warn of conditions on messages that were not understood, if Rasa understands them all."""
    names = project.components
    if not names or is_calm(names) or may_predict_fallback(names):
        return
    for path, rule in rules_of(project.handoff):
        key = "fallbacks" if rule.get("fallbacks") is not None else "intent"
        if key == "fallbacks" or rule.get("intent") == NLU_FALLBACK:
            yield warning(
                project.handoff,
                (*path, key),
                f"this condition can never hold: the pipeline of config.yml has no {FALLBACK}, and"
                f" Rasa never predicts {NLU_FALLBACK}",
                hint=f"add - name: {FALLBACK} with threshold: 0.3 to the pipeline, or remove the"
                " condition",
            )


def _asked(project: Project, designer: HandoffSettings) -> bool:
    """Return whether the bridge may ask Rasa itself about the messages that an agent gets.

    A paused bot calls no action for them, so no rule is missing.
    """
    asks = project.bridge is None or project.bridge.rasa.url is not None
    return asks and designer.handoff.then == "pause"


def _never_called(project: Project) -> Iterator[Fault]:
    for document in project.training.documents if project.training else ():
        for section in ("rules", "flows", "stories"):
            if (section,) in document.keys:
                yield warning(
                    document,
                    (section,),
                    "no rule, story or flow calls an action of the bridge: it never hands off",
                    hint=f"add a rule that calls {HANDOFF} or {BRIDGE}, or name all files with"
                    " --rules",
                    at_key=True,
                )
                return


def _called_by_name(training: Training, items: Sequence[Condition]) -> Iterator[Fault]:
    """Warn of rules with ``action_agent_assist`` in which a handoff condition could hold."""
    for script in training.scripts:
        for passage in script.passages:
            if passage.named(BRIDGE, HANDOFF):
                continue
            for step in passage.named(ASSIST):
                missed = [
                    f"handoff.when[{number}] ({', '.join(_keys(item))})"
                    for number, item in enumerate(items)
                    if _could_hold(item, passage)
                ]
                if missed:
                    yield _skipped(step, missed)


def _skipped(step: Step, missed: Sequence[str]) -> Fault:
    return warning(
        step.document,
        step.path,
        f"{ASSIST} does not evaluate the conditions of a handoff: {', '.join(missed)} can never"
        " hold here",
        hint=f"call {BRIDGE} instead, which hands off or assists, whichever the conditions say",
    )


def _could_hold(item: Condition, passage: Passage) -> bool:
    """Return whether a condition could hold on the messages of a passage."""
    intents = {step.name for step in passage.intents}
    if item.intent not in (None, ANY) and item.intent not in intents:
        return False
    if item.fallbacks and NLU_FALLBACK not in intents:
        return False
    if item.command or item.flow:
        return False
    return bool(item.fallbacks) or any(getattr(item, key) is not None for key in _IN_WORDS)


def _keys(item: Condition) -> list[str]:
    return [key for key in Condition.tests() if getattr(item, key, None) is not None]


def _unreached(
    project: Project, training: Training, path: KeyPath, item: Condition
) -> Iterator[Fault]:
    """Warn of a handoff condition for which no rule calls an action that would act on it."""
    if item.command or item.flow or _reached(training, item) or _is_unknown(project, item):
        return
    what, hint = _cure(item, calm=bool(training.flows))
    key = _keys(item)[0] if _keys(item) else ""
    yield warning(
        project.handoff,
        (*path, key) if key else path,
        f"no rule, story or flow reaches this condition: {what}",
        hint=hint,
    )


def _is_unknown(project: Project, item: Condition) -> bool:
    """Return whether the domain does not have the item's intent, which is a fault of its own."""
    if project.domain is None or item.intent in (None, ANY, NLU_FALLBACK):
        return False
    return str(item.intent).split("/", 1)[0] not in project.domain.names("intents")


def _reached(training: Training, item: Condition) -> bool:
    wanted = item.intent if item.intent not in (None, ANY) else None
    if item.fallbacks and wanted is None:
        wanted = NLU_FALLBACK
    for script in training.scripts:
        for passage in script.passages:
            acts = passage.named(BRIDGE) or (wanted and passage.named(HANDOFF))
            if acts and (wanted is None or _is_about(passage, wanted) or script.kind == "flow"):
                return True
    return False


def _is_about(passage: Passage, intent: str) -> bool:
    """Return whether a passage handles an intent; one without an intent may handle any."""
    names = {step.name for step in passage.intents}
    return not names or bool({intent, intent.split("/", 1)[0], ""} & names)


def _cure(item: Condition, *, calm: bool) -> tuple[str, str]:
    if item.fallbacks and calm:
        return (
            f"none calls {BRIDGE} for messages that were not understood",
            f"add your own flow pattern_cannot_handle, with action: {BRIDGE} as its first step",
        )
    if item.fallbacks:
        return (
            f"none calls {BRIDGE} for nlu_fallback",
            f"add a rule with the steps intent: nlu_fallback and action: {BRIDGE}",
        )
    if item.intent not in (None, ANY):
        return (
            f"none calls {HANDOFF} or {BRIDGE} for {item.intent}",
            f"add a rule with the steps intent: {item.intent} and action: {HANDOFF}",
        )
    return (
        f"none calls {BRIDGE}, which evaluates it",
        f"call {BRIDGE} in the rules for those messages",
    )


def _unassisted(
    project: Project, training: Training, path: KeyPath, item: Condition
) -> Iterator[Fault]:
    """Warn of an assist item whose intent no rule answers through the bridge."""
    intent = item.intent
    if intent is None or intent == ANY or item.command or item.flow or _is_unknown(project, item):
        return
    for script in training.scripts:
        for passage in script.passages:
            called = passage.named(BRIDGE, ASSIST)
            if called and (_is_about(passage, intent) or script.kind == "flow"):
                return
    yield warning(
        project.handoff,
        (*path, "intent"),
        f"no rule, story or flow reaches this item: none calls {BRIDGE} or {ASSIST} for {intent}",
        hint=f"add a rule with the steps intent: {intent} and action: {BRIDGE}",
    )

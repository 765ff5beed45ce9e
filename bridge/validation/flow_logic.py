"""Check what the steps of flows refer to: slots in conditions, and the steps that come next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.config.domain import Domain
from bridge.config.faults import Fault, KeyPath
from bridge.config.misspelt import ADD_TO_DOMAIN, unknown
from bridge.config.rasa_names import SLOTS
from bridge.config.source import Document
from bridge.validation.finding import warning
from bridge.validation.project import Project
from bridge.validation.references import our_value
from bridge.validation.training import HANDING_OFF, Training

_SLOT = re.compile(r"\bslots\.([A-Za-z_]\w*)")
_COMPARED = re.compile(
    r"\bslots\.([A-Za-z_]\w*)\s*(?:is\s+not|is|==|!=|=)\s*([\"'])(.*?)\2", re.DOTALL
)
_OF_HANDOFF = re.compile(r"\bslots\.hand")  # also a misspelt slot, which is a fault of its own
_END = "END"
_COMPLETED = "pattern_completed"
_UTTERANCE = "utter_"
_DEEPEST = 20  # branches of a flow


def check(project: Project) -> Iterator[Fault]:
    """Yield the faults of all flows."""
    training = project.training
    for document in training.documents if training else ():
        flows = document.get(("flows",))
        for name, flow in flows.items() if isinstance(flows, Mapping) else ():
            path: KeyPath = ("flows", name)
            if not isinstance(flow, Mapping):
                continue
            yield from _targets(document, path, name, flow)
            if project.domain is not None:
                for place, condition in _conditions(path, flow):
                    yield from _slots(document, place, condition, project.domain)
            if name == _COMPLETED and training is not None:
                yield from _unguarded(document, path, flow, training)


def _below(path: KeyPath, value: Any, depth: int = 0) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every value of a flow with its path."""
    if depth > _DEEPEST:
        return
    yield path, value
    items = value.items() if isinstance(value, Mapping) else ()
    listed = enumerate(value) if isinstance(value, list) else items
    for key, below in listed:
        yield from _below((*path, key), below, depth + 1)


def _conditions(path: KeyPath, flow: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for place, value in _below(path, flow):
        of_call = len(place) > 1 and place[-2] == "exit_if"
        if isinstance(value, str) and (place[-1] == "if" or of_call):
            yield place, value


def _slots(document: Document, path: KeyPath, condition: str, domain: Domain) -> Iterator[Fault]:
    known = domain.names("slots")
    for name in dict.fromkeys(_SLOT.findall(condition)):
        if name not in known and name not in SLOTS:
            yield unknown(
                document,
                path,
                name,
                [*known, *SLOTS],
                "a slot of the domain",
                hint=ADD_TO_DOMAIN,
            )
    for name, _, value in _COMPARED.findall(condition):
        yield from our_value(document, path, name, value)


def _targets(
    document: Document, path: KeyPath, name: str, flow: Mapping[str, Any]
) -> Iterator[Fault]:
    """Check the steps that ``next``, ``then`` and ``else`` name."""
    values = list(_below(path, flow))
    ids = [str(value) for place, value in values if place[-1] == "id"]
    numbered = re.compile(rf"{re.escape(name)}_\d+_\w+")  # the ID that Rasa gives a step
    for place, value in values:
        if place[-1] not in ("next", "then", "else") or not isinstance(value, str):
            continue
        if value not in ids and value != _END and not numbered.fullmatch(value):
            yield unknown(
                document,
                place,
                value,
                [*ids, _END],
                f"END, or the id of a step of the flow {name}",
                hint="name a step that has this id, or add the id to one",
            )


def _unguarded(
    document: Document, path: KeyPath, flow: Mapping[str, Any], training: Training
) -> Iterator[Fault]:
    """Warn of a bot that goes on talking after a handoff."""
    conditions = " ".join(condition for _, condition in _conditions(path, flow))
    said = [
        str(value)
        for place, value in _below(path, flow)
        if place[-1] == "action" and str(value).startswith(_UTTERANCE)
    ]
    if said and not _OF_HANDOFF.search(conditions) and training.calls(*HANDING_OFF):
        yield warning(
            document,
            path,
            f"after a handoff, Rasa runs {_COMPLETED}, which says {said[0]} while an agent has the"
            " customer",
            hint='end it first if slots.handoff_state is "handoff" or slots.handoff_state is'
            ' "assist", as the flow of cc-bridge init does',
            at_key=True,
        )

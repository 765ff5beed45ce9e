"""Run all checks on a project."""

from __future__ import annotations

from bridge.config.faults import Fault
from bridge.validation import (
    conditions,
    connection,
    doubling,
    flow_logic,
    names,
    reach,
    references,
    responses,
    slots,
)
from bridge.validation.project import Project

_TOPICS = (conditions, names, slots, responses, references, reach, doubling, flow_logic, connection)


def find_faults(project: Project) -> tuple[Fault, ...]:
    """Return all faults of a project, in the order of files and lines, each once."""
    found = [*project.faults]
    for topic in _TOPICS:
        found += topic.check(project)
    # What an alias (*name) repeats has the same place under several keys.
    once = {(fault.place, fault.wrong, fault.found): fault for fault in reversed(found)}
    return tuple(sorted(once.values(), key=lambda fault: fault.order))

"""The components that a Rasa project's ``config.yml`` lists, as far as their names tell. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FALLBACK = "FallbackClassifier"
_CALM = ("FlowPolicy", "CommandGenerator", "CommandAdapter")
_RECIPE = "default.v1"
# What it takes for a section that is empty, as `rasa init` leaves both; as far as it matters.
_DEFAULTS = {
    "pipeline": ("DIETClassifier", "ResponseSelector", FALLBACK),
    "policies": ("MemoizationPolicy", "RulePolicy", "UnexpecTEDIntentPolicy", "TEDPolicy"),
}


def components(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names in the pipeline and the policies, with Rasa's own where it chooses them."""
    by_default = settings.get("recipe", _RECIPE) == _RECIPE
    for section, default in _DEFAULTS.items():
        listed = settings.get(section)
        if listed is None and by_default:
            yield from default
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, dict) and isinstance(each.get("name"), str):
                yield each["name"]


def is_calm(names: tuple[str, ...]) -> bool:
    """Return whether the components are those of a bot that is built of flows."""
    return any(part in name for name in names for part in _CALM)


def may_predict_fallback(names: tuple[str, ...]) -> bool:
    """Return whether a component may predict ``nlu_fallback``; of custom ones, nobody knows."""
    return any(name.endswith(FALLBACK) or "." in name for name in names)

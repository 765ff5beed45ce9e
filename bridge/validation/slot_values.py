"""Check values that are compared with a slot's: of its type, and one of its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.config.domain import Domain
from bridge.config.faults import Fault, KeyPath, shown, suggest
from bridge.config.source import Document
from bridge.validation.our_slots import VALUES

_KINDS = {"text": "text", "bool": "true or false", "float": "a number", "list": "a list"}
_OTHER = "__other__"  # a categorical slot's value for all that is not listed


def check_value(
    document: Document,
    path: KeyPath,
    value: Any,
    name: str,
    domain: Domain | None,
    *,
    any_case: bool = False,
) -> Iterator[Fault]:
    """Yield the fault of a value with which the slot ``name`` is compared.

    Args:
        document: the file of the comparison.
        path: the value's key.
        value: the value; null matches an empty slot of any type.
        name: the slot.
        domain: the domain; None if it is not known.
        any_case: whether upper and lower case are the same, as in conditions of responses.
    """
    slot = _slot(domain, name)
    kind = str(slot.get("type"))
    found = shown(value, path, document.texts.get(path))
    if value is None:
        return
    if kind in _KINDS and not _fits(value, kind):
        yield Fault(
            document.place(path),
            path,
            found=found,
            allowed=f"{_KINDS[kind]}: the slot {name} is of type {kind}",
            meant=_as_type(value, kind),
            hint="write the value in the slot's type; with another type the condition never holds",
        )
        return
    values = _values(name, slot)
    same = str.casefold if any_case else str
    if values and same(_spelled(value)) not in map(same, (*values, _OTHER)):
        yield Fault(
            document.place(path),
            path,
            found=found,
            allowed=f"{', '.join(values)}: the values of the slot {name}",
            meant=suggest(str(value), values),
            hint="name one of its values; with another the condition never holds",
        )
    if kind == "float":
        yield from _outside(document, path, value, name, slot)


def _outside(
    document: Document, path: KeyPath, value: float, name: str, slot: Mapping[str, Any]
) -> Iterator[Fault]:
    low, high = slot.get("min_value", 0.0), slot.get("max_value", 1.0)
    bounded = "min_value" in slot or "max_value" in slot
    if not bounded or not (_fits(low, "float") and _fits(high, "float")) or low <= value <= high:
        return
    yield Fault(
        document.place(path),
        path,
        found=shown(value, path, document.texts.get(path)),
        allowed=f"a number from {low:g} to {high:g}: the range of the slot {name}",
        hint="name a value in the slot's range",
        severity="warning",
    )


def _slot(domain: Domain | None, name: str) -> Mapping[str, Any]:
    slots = domain.value.get("slots") if domain else None
    slot = slots.get(name) if isinstance(slots, Mapping) else None
    return slot if isinstance(slot, Mapping) else {}


def _values(name: str, slot: Mapping[str, Any]) -> list[str]:
    values = slot.get("values")
    if slot.get("type") == "categorical" and isinstance(values, list):
        return [_spelled(value) for value in values if value is not None]
    return list(VALUES.get(name, ()))


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(value: Any, kind: str) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, list if kind == "list" else str)


def _as_type(value: Any, kind: str) -> str:
    """Return the value that was probably meant, or ``""``."""
    if kind == "text" and isinstance(value, int | float):
        return f'"{_spelled(value)}"'
    if kind == "list" and isinstance(value, str):
        return f"[{value}]"
    words = str(value).strip().casefold()
    if kind == "bool":
        return {"yes": "true", "true": "true", "on": "true", "1": "true", "no": "false"}.get(
            words, "false" if words in ("false", "off", "0") else ""
        )
    try:
        return f"{float(words):g}" if kind == "float" else ""
    except ValueError:
        return ""

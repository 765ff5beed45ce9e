"""Convert any row, with replacements for what cannot be read, and the JSON that rows hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Table

from bridge.model import Draft, MediaType
from bridge.store.repair import repaired

T = TypeVar("T")
Row = Sequence[Any]
READ_ERRORS = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


def names(table: Table, *left_out: str) -> tuple[str, ...]:
    """Return a table's column names in order, without ``left_out``."""
    return tuple(column.name for column in table.columns if column.name not in left_out)


def listed(table: Table, alias: str, *left_out: str) -> str:
    """Return a table's columns as a SELECT list, without ``left_out``."""
    return ", ".join(f"{alias}.{name}" for name in names(table, *left_out))


def converted(
    table: Table,
    columns: Sequence[str],
    convert: Callable[[Row], T],
    row: Row,
    **enums: type[Enum],
) -> T:
    """Convert a row; if that fails, convert it with replacements.

    ``enums`` are the columns whose text is a member's value.
    """
    try:
        return convert(row)
    except READ_ERRORS:
        values = {
            name: frozenset(str(member.value) for member in kind) for name, kind in enums.items()
        }
        return convert(repaired(table, columns, values, row))


def whole(value: Any) -> int:
    """Return a whole number as it is stored; SQLite may hold anything in its column."""
    if type(value) is int:
        return value
    message = "not a whole number"
    raise TypeError(message)


def json_object(stored: str) -> dict[str, Any]:
    """Parse a JSON object."""
    value: dict[str, Any] = json.loads(stored)
    return {**value}  # raises TypeError if it is no object


def json_text(value: Any) -> str:
    """Return a value as JSON for the store."""
    return json.dumps(value, ensure_ascii=False)


def plain_drafts(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """Return drafts as values for JSON."""
    return [{**asdict(draft), "media_type": draft.media_type.value} for draft in drafts]


def read_drafts(plain: Sequence[Mapping[str, Any]]) -> tuple[Draft, ...]:
    """Restore drafts from the values of JSON."""
    return tuple(Draft(**{**row, "media_type": MediaType(row["media_type"])}) for row in plain)

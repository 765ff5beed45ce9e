"""What an examination finds: a fault with its cure, or that something is in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Severity(str, Enum):
    """How grave it is; ``ok`` is no finding."""

    ERROR = "error"
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One result.

    Attributes:
        key: what was examined: a key of bridge.yml, or a part of the installation.
        found: what was found, without secrets and customers' words.
        allowed: what should be found.
        hint: the cure.
        file: the file to change, if any.
        line, column: where in the file, from 1; 0 if it is not known.
    """

    severity: Severity
    key: str
    found: str
    allowed: str = ""
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def as_json(self) -> dict[str, Any]:
        """The finding in the shape that ``validate --format json`` prints, too."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "found": self.found,
            "allowed": self.allowed,
            "hint": self.hint,
            "severity": self.severity.value,
        }


def ok(key: str, found: str) -> Diagnosis:
    """Return that something is in order."""
    return Diagnosis(Severity.OK, key, found)


def error(key: str, found: str, *, hint: str, allowed: str = "", file: str = "") -> Diagnosis:
    """Return a fault that keeps the bridge from working."""
    return Diagnosis(Severity.ERROR, key, found, allowed, hint, file)


def warning(key: str, found: str, *, hint: str, allowed: str = "", file: str = "") -> Diagnosis:
    """Return something that is probably not intended."""
    return Diagnosis(Severity.WARNING, key, found, allowed, hint, file)

"""Make faults about a key of a document."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.config.faults import Fault, KeyPath, Severity, printable, suggest
from bridge.config.source import Document


def fault(
    document: Document,
    path: KeyPath,
    wrong: str,
    *,
    hint: str,
    meant: str = "",
    severity: Severity = "error",
    at_key: bool = False,
) -> Fault:
    """Return a fault at the value of ``path``, or at its key."""
    return Fault(
        document.place(path, key=at_key),
        path,
        wrong=wrong,
        meant=meant,
        hint=hint,
        severity=severity,
    )


def warning(
    document: Document,
    path: KeyPath,
    wrong: str,
    *,
    hint: str,
    meant: str = "",
    at_key: bool = False,
) -> Fault:
    """Return a warning at the value of ``path``, or at its key."""
    return fault(document, path, wrong, hint=hint, meant=meant, severity="warning", at_key=at_key)


def unknown(
    document: Document,
    path: KeyPath,
    name: str,
    known: Iterable[str],
    what: str,
    *,
    hint: str,
    at_key: bool = False,
) -> Fault:
    """Return the fault for a name that should be one of ``known``."""
    return Fault(
        document.place(path, key=at_key),
        path,
        found=f'"{printable(name)}"',
        allowed=what,
        meant=suggest(name, known),
        hint=hint,
    )

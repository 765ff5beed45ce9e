"""Make faults about a key of a document."""

from __future__ import annotations

from bridge.config.faults import Fault, KeyPath, Severity
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

"""Make faults about a key of a document."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from bridge.config.faults import Fault, KeyPath, Severity, printable, suggest
from bridge.config.source import Document

_ALIKE = 0.74  # how similar a misspelt key is to the one that was meant


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


def misspelt_keys(
    document: Document, path: KeyPath, known: Sequence[str], what: str
) -> Iterator[Fault]:
    """Yield a fault for each key that resembles a known one: Rasa ignores or refuses it."""
    value = document.get(path)
    for key in value if isinstance(value, dict) else ():
        close = difflib.get_close_matches(key, known, n=1, cutoff=_ALIKE)
        if key not in known and close and close[0] not in value:
            yield unknown(
                document,
                (*path, key),
                key,
                known,
                f"{what}: {', '.join(known)}",
                hint=f"rename the key to {close[0]}",
                at_key=True,
            )


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

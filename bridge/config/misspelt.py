"""Find keys that resemble a known one: Rasa ignores or refuses them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from bridge.config.faults import Fault, KeyPath, printable, suggest
from bridge.config.source import Document

ADD_TO_DOMAIN = "add it to the domain, or name one that the domain has"
_ALIKE = 0.74  # how similar a misspelt key is to the one that was meant


def misspelt_keys(
    document: Document, path: KeyPath, known: Sequence[str], what: str
) -> Iterator[Fault]:
    """Yield a fault for each key that resembles a known one."""
    for key, meant in _misspelt(document, path, known):
        yield unknown(
            document,
            (*path, key),
            key,
            known,
            f"{what}: {', '.join(known)}",
            hint=f"rename the key to {meant}",
            at_key=True,
        )


def corrected(document: Document, known: Sequence[str], what: str) -> list[Fault]:
    """Rename misspelt keys at the top of a document, and return their faults.

    What they contain is then checked like the rest, instead of being missed everywhere.
    """
    faults = list(misspelt_keys(document, (), known, what))
    for key, meant in list(_misspelt(document, (), known)):
        document.rename(key, meant)
    return faults


def _misspelt(document: Document, path: KeyPath, known: Sequence[str]) -> Iterator[tuple[str, str]]:
    value = document.get(path)
    for key in value if isinstance(value, dict) else ():
        close = difflib.get_close_matches(key, known, n=1, cutoff=_ALIKE)
        if key not in known and close and close[0] not in value:
            yield key, close[0]


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

"""The panel's texts in one language: what a catalogue has, and the English ones for the rest."""

from __future__ import annotations

import json
from pathlib import Path

_FORMS = (".zero", ".one", ".two", ".few", ".many", ".other")  # of plurals, by the number


def completed(path: Path, english: Path) -> bytes:
    """Return a catalogue as JSON, with the English texts that it lacks.

    Raises:
        ValueError: the file is not a JSON object of texts.
    """
    own, rest = _read(path), _read(english)
    known = {_stem(key) for key in own}
    lacking = {key: text for key, text in rest.items() if _stem(key) not in known}
    return json.dumps({**lacking, **own}, ensure_ascii=False, separators=(",", ":")).encode()


def _read(path: Path) -> dict[str, str]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        message = "it is not a JSON object of texts"
        raise ValueError(message)
    return found


def _stem(key: str) -> str:
    """Return a key without its plural form: a language has its own forms of a text, or none."""
    stem, dot, form = key.rpartition(".")
    return stem if f"{dot}{form}" in _FORMS else key

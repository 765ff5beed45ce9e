"""The catalogues of the panel's texts: one JSON file for each language.

The package has some; a folder beside ``bridge.yml`` may have others, or replace the package's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bridge.config.checking import found_at
from bridge.config.faults import Fault, KeyPath, suggest
from bridge.config.page import is_language
from bridge.config.source import Document

FOLDER = "languages"
_PACKAGE = Path(__file__).parents[1] / "panel" / FOLDER
_LANGUAGES: KeyPath = ("page", "languages")


def find(language: str, folder: Path) -> Path | None:
    """Return the catalogue of a language: the operator's in ``folder``, else the package's."""
    paths = (parent / f"{language}.json" for parent in (folder / FOLDER, _PACKAGE))
    return next((path for path in paths if path.is_file()), None)


def check_catalogues(document: Document, folder: Path) -> Iterator[Fault]:
    """Yield a fault for each language in ``page.languages`` without a catalogue.

    Args:
        document: ``bridge.yml``.
        folder: the folder of the configuration.
    """
    listed = document.get(_LANGUAGES)
    for number, language in enumerate(listed if isinstance(listed, list) else ()):
        known = isinstance(language, str) and is_language(language)
        if not known or find(language, folder) is not None:
            continue
        path = (*_LANGUAGES, number)
        existing = _existing(folder)
        yield Fault(
            document.place(path),
            path,
            found=f"{found_at(document, path, language, 'bridge')}, a language without a catalogue",
            allowed=", ".join(existing),
            meant=_meant(language, existing),
            hint=f"for another language, translate en.json to {folder / FOLDER}/{language}.json",
        )


def _existing(folder: Path) -> list[str]:
    files = (*_PACKAGE.glob("*.json"), *(folder / FOLDER).glob("*.json"))
    return sorted({path.stem for path in files if is_language(path.stem)})


def _meant(language: str, existing: list[str]) -> str:
    """Return the language that was probably meant: one with the same main part, or name."""
    main = language.partition("-")[0]
    alike = (each for each in existing if each.partition("-")[0] == main)
    return next(alike, "") or suggest(language, existing)

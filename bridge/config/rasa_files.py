"""Read the YAML files of a Rasa project, with the place of each value.

The files belong to Rasa: they are found as Rasa finds them, in a file or in all folders below one,
and their contents are not validated here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from bridge.config.faults import Fault, Place, suggest
from bridge.config.source import Document, Limits, read_file

SUFFIXES = (".yml", ".yaml")
_ALIKE = 0.75  # how similar a file's name is to the one that was meant
LIMITS = Limits(largest=20_000_000, nodes=1_000_000, deepest=100)


def read_files(start: Path, name: str, wanted: re.Pattern[str]) -> list[Document] | None:
    """Read a file, or those files of a folder in which ``wanted`` matches.

    Args:
        start: the file or folder.
        name: its name in messages.
        wanted: matches the top-level keys that make a file one of those that are read.

    Returns:
        The documents with their faults; None if there is no such file or folder.
    """
    files = files_of(start)
    if files is None:
        return None
    whole = files == [start]
    documents = []
    for file in files:
        shown = name + str(file).removeprefix(str(start))
        if whole or _is_wanted(file, wanted):
            document = read_file(file, shown, LIMITS)
            if document is not None:
                documents.append(document)
    return documents


def files_of(start: Path) -> list[Path] | None:
    """Return the YAML files at ``start``, in Rasa's order; None if there is no such path."""
    try:
        if not start.is_dir():
            return [start] if start.exists() else None
    except OSError:  # an invalid file name, or a folder without permission
        return None
    files: list[Path] = []
    seen: set[str] = set()  # symbolic links may form a cycle
    for folder, below, names in os.walk(start, followlinks=True):
        real = os.path.realpath(folder)
        below[:] = sorted(name for name in below if not name.startswith(".") and real not in seen)
        if real in seen:
            continue
        seen.add(real)
        files += (Path(folder, name) for name in sorted(names) if name.endswith(SUFFIXES))
    return files


def top_level(*keys: str) -> re.Pattern[str]:
    """Return a pattern that matches a file with one of these keys at its top level."""
    return re.compile(rf"^[\"']?({'|'.join(keys)})[\"']?[ \t]*:", re.MULTILINE)


def no_such(name: str, what: str, meant: str = "") -> Fault:
    """Return the fault for a path that does not exist."""
    return Fault(
        Place(name),
        wrong=f"there is no such {what} file or folder",
        meant=meant,
        hint="correct the path",
    )


def near(path: Path) -> str:
    """Return the path that one which does not exist was probably meant to be, or ``""``."""
    try:
        beside = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    close = suggest(path.name, beside, alike=_ALIKE)
    return str(path.with_name(close)) if close else ""


def _is_wanted(file: Path, wanted: re.Pattern[str]) -> bool:
    """Return whether a file matches, or cannot be read, which is then a fault."""
    try:
        return wanted.search(file.read_text(encoding="utf-8-sig")) is not None
    except (OSError, UnicodeDecodeError):
        return True

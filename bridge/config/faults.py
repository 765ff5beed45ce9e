"""Configuration faults as readable messages: the place, what was found, allowed and meant.

A fault must not reveal a secret: values enter a fault only through ``shown``, which hides the
values of secret keys and the credentials in URLs. Values expanded from the environment are never
passed to it.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]
KeyPath = tuple[str | int, ...]  # the keys and list indexes from the top of a file

_WIDTH = 98
_INDENT = "    "
_LABEL = 14
_LONGEST_SHOWN = 60
_PREFIXES = ("utter_", "action_", "pattern_")
_SECRET_KEY = re.compile(r"password|token|secret|guid|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """The location of a value or key: in a file, or an environment variable."""

    file: str = ""
    line: int = 0  # from 1; 0 for the file as a whole
    column: int = 0  # from 1
    variable: str = ""

    def __str__(self) -> str:
        if self.variable:
            return f"environment variable {self.variable}"
        if self.line:
            return f"{self.file}, line {self.line}, column {self.column}"
        return self.file


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration or of a Rasa project; its string form is a paragraph.

    A warning is about something that is valid but probably not intended.

    Attributes:
        stops: an error stops the server at start. False for errors that ``validate`` reports and
            the server only logs: Rasa is set up wrongly, but what the bridge does is clear.
    """

    place: Place
    path: KeyPath = ()
    wrong: str = ""  # a sentence, if `found` and `allowed` would not express the fault
    found: str = ""
    allowed: str = ""
    meant: str = ""
    hint: str = ""  # what to change, if `allowed` and `meant` would not express it
    severity: Severity = "error"
    stops: bool = True

    def __str__(self) -> str:
        return "\n".join([self.title, *(_line(label, text) for label, text in self.lines)])

    @property
    def title(self) -> str:
        """Return the place and the key."""
        return f"{self.place}: {spell(self.path)}" if self.path else f"{self.place}"

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return the labelled texts below the title."""
        said = (
            ("wrong", self.wrong),
            ("found", self.found),
            ("allowed", self.allowed),
            ("did you mean", f"{self.meant}?" if self.meant else ""),
            ("hint", self.hint),
        )
        return tuple((label, text) for label, text in said if text)

    @property
    def sentence(self) -> str:
        """Return the fault on one line, for a log."""
        what = self.wrong or f"{spell(self.path)}: {self.found}, allowed: {self.allowed}"
        return f"{self.place}: {what}"

    @property
    def cure(self) -> str:
        """Return what to change, in one sentence."""
        said = [f"Did you mean {self.meant}?"] if self.meant else []
        if self.hint:
            said.append(self.hint[0].upper() + self.hint[1:] + ".")
        if self.allowed and not said:
            said.append(f"Use {self.allowed}.")
        return " ".join(said)

    @property
    def order(self) -> tuple[bool, str, int, int, str]:
        """Return the sort key: files first, from top to bottom, then the environment."""
        place = self.place
        return (bool(place.variable), place.file, place.line, place.column, place.variable)


def _line(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        width=_WIDTH,
        initial_indent=_INDENT + label.ljust(_LABEL),
        subsequent_indent=" " * (len(_INDENT) + _LABEL),
        break_long_words=False,
        break_on_hyphens=False,
    )


def spell(path: KeyPath) -> str:
    """Format ``("handoff", "when", 1, "intent")`` as ``handoff.when[1].intent``."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            words += f".{printable(step)}" if words else printable(step)
    return words


def printable(text: str) -> str:
    """Return ``text`` on one line, shortened, with control characters escaped."""
    clean = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
    return clean if len(clean) <= _LONGEST_SHOWN else clean[:_LONGEST_SHOWN] + "..."


def is_secret(path: KeyPath) -> bool:
    """Return whether a value at this path, or one misplaced near it, may be a secret."""
    return any(isinstance(step, str) and _SECRET_KEY.search(step) for step in path)


def shown(value: Any, path: KeyPath, written: str | None = None) -> str:
    """Return a scalar as it was found, or a description if its content must not be shown.

    Args:
        value: the value that was read.
        path: its key, which decides whether the value may be shown.
        written: the text in the file, if YAML read it as another type.
    """
    if value is None:
        return "nothing (null)"
    if isinstance(value, dict | list):
        return kind(value)
    if is_secret(path):
        return "a value that is not shown here"
    if isinstance(value, str):
        clean = masked(value) if "url" in str(path[-1:]) or "@" in value else value
        return f'"{printable(clean)}"'
    return printable(written or ("true" if value is True else str(value).lower()))


def kind(value: Any) -> str:
    """Describe the type of a value, without its content."""
    if isinstance(value, dict):
        return "a mapping (key: value)"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "text"
    return "nothing (null)" if value is None else "a single value"


def masked(url: str) -> str:
    """Mask the parts of a URL, or of an attempt at one, that may contain a secret.

    These are the parts before the host and after the path. If the separators could be part of a
    password themselves, everything except the scheme is masked.
    """
    scheme, parted, rest = url.rpartition("://") if url.count("://") == 1 else ("", "", url)
    before, at, after = rest.rpartition("@")
    host, *_ = re.split(r"[/?#]", after, maxsplit=1)
    _, colon, port = host.rpartition(":")
    if re.search(r"[?#]", before) or (colon and not port.isdigit()):
        return f"{scheme}{parted}***"
    path, *query = re.split(r"[?#]", after, maxsplit=1)
    return scheme + parted + ("***@" if at else "") + path + ("?..." if query else "")


def suggest(word: str, options: Iterable[str], *, alike: float = 0.6) -> str:
    """Return the option that ``word`` was probably meant to be, or ``""``; ``alike``: 0 to 1.

    A prefix that all names of a kind have, such as ``utter_``, makes no two of them alike.
    """
    name = _plain(word)
    prefix = next((each for each in _PREFIXES if name.startswith(each)), "")
    plain = {_plain(option).removeprefix(prefix): option for option in options}
    close = difflib.get_close_matches(name.removeprefix(prefix), plain, n=1, cutoff=alike)
    return plain[close[0]] if close else ""


def _plain(word: str) -> str:
    return re.sub(r"[\s-]+", "_", word.strip().casefold())

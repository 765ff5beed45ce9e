"""What is wrong with the configuration, told to a person: where, found, allowed, meant.

No secret may pass through here: ``shown`` is the only way from a value to a fault, and it shows
neither what stands under a secret's key nor the credentials of a URL. What an expansion of the
environment came to is never handed to it.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]  # the keys, and the numbers of list items, from the top of a file

_WIDTH = 98
_INDENT = "    "
_LABEL = 14
_LONGEST_SHOWN = 60
_SECRET_KEY = re.compile(r"password|token|secret|guid|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: in a file, or in a variable of the environment."""

    file: str = ""
    line: int = 0  # from 1; 0 is the file as a whole
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
    """One thing that is wrong; as text, a paragraph."""

    place: Place
    path: Path = ()
    wrong: str = ""  # a sentence, where `found` and `allowed` would not say it
    found: str = ""
    allowed: str = ""
    meant: str = ""

    def __str__(self) -> str:
        title = f"{self.place}: {spell(self.path)}" if self.path else f"{self.place}"
        meant = f"{self.meant}?" if self.meant else ""
        said = (
            ("wrong", self.wrong),
            ("found", self.found),
            ("allowed", self.allowed),
            ("did you mean", meant),
        )
        return "\n".join([title, *(_line(label, text) for label, text in said if text)])

    @property
    def order(self) -> tuple[bool, str, int, int, str]:
        """Files first, from top to bottom, then the environment."""
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


def spell(path: Path) -> str:
    """``("handoff", "when", 1, "intent")`` as ``handoff.when[1].intent``."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            words += f".{printable(step)}" if words else printable(step)
    return words


def printable(text: str) -> str:
    """``text`` on one line, shortened, without what could steer a terminal."""
    clean = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
    return clean if len(clean) <= _LONGEST_SHOWN else clean[:_LONGEST_SHOWN] + "..."


def is_secret(path: Path) -> bool:
    """Whether a value of this path, or beside an expected one of it, may be a secret."""
    return any(isinstance(step, str) and _SECRET_KEY.search(step) for step in path)


def shown(value: Any, path: Path, written: str | None = None) -> str:
    """A scalar as it was found, or what kind of thing it is where its content must not show.

    Args:
        value: what was read.
        path: its key; decides whether it may be shown.
        written: the text in the file, where YAML read it as something else.
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
    """What kind of thing was found, without its content."""
    if isinstance(value, dict):
        return "a mapping (key: value)"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "text"
    return "nothing (null)" if value is None else "a single value"


def masked(url: str) -> str:
    """A URL, or what was meant for one, without what may be a secret in it.

    That is what stands before its host and after its path. Where the signs that part them could
    themselves belong to a password, only the scheme is left.
    """
    scheme, parted, rest = url.rpartition("://") if url.count("://") == 1 else ("", "", url)
    before, at, after = rest.rpartition("@")
    host, *_ = re.split(r"[/?#]", after, maxsplit=1)
    _, colon, port = host.rpartition(":")
    if re.search(r"[?#]", before) or (colon and not port.isdigit()):
        return f"{scheme}{parted}***"
    path, *query = re.split(r"[?#]", after, maxsplit=1)
    return scheme + parted + ("***@" if at else "") + path + ("?..." if query else "")


def suggest(word: str, options: Iterable[str]) -> str:
    """The option that ``word`` was probably meant to be, or ``""``."""
    plain = {_plain(option): option for option in options}
    close = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else ""


def _plain(word: str) -> str:
    return re.sub(r"[\s-]+", "_", word.strip().casefold())

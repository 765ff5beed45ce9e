"""Join surrogate pairs: YAML reads the two escapes of an emoji as two characters."""

from __future__ import annotations

import re

_PAIR_OR_ONE = re.compile("([\ud800-\udbff])([\udc00-\udfff])|[\ud800-\udfff]")


def join(text: str) -> str:
    """Return a text with joined surrogate pairs, as emoji are escaped in JSON.

    A single surrogate becomes a question mark, because nothing can send it.
    """
    return text if text.isascii() else _PAIR_OR_ONE.sub(_joined, text)


def _joined(found: re.Match[str]) -> str:
    if found[1] is None:
        return "?"
    return (found[1] + found[2]).encode("utf-16-le", "surrogatepass").decode("utf-16-le")

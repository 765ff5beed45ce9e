"""Regular expressions from the configuration, matched by RE2 in time linear in the text.

RE2 is imported at the first pattern, because most configurations have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

LONGEST = 200  # characters of a pattern
_LARGEST = 1000  # instructions of its program
_MOST = 50  # matches in one text; finding all of them can take longer than linear time
_SYNTAX = r"a regular expression of RE2, as in ORD-\d{6}"


def check(pattern: str) -> str:
    """Return a pattern that can be used.

    Raises:
        ValueError: it cannot; the sentence says what is allowed.
    """
    if len(pattern) > LONGEST:
        message = f"{_SYNTAX}, of at most {LONGEST} characters"
        raise ValueError(message)
    compiled = _compiled(pattern)
    if compiled.search("") is not None:
        message = f"{_SYNTAX}, that does not match empty text"
        raise ValueError(message)
    if compiled.programsize > _LARGEST:
        message = f"{_SYNTAX}, that is smaller: repeat less, or fewer letters"
        raise ValueError(message)
    return pattern


def spans(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a checked pattern matches; after ``_MOST`` matches, the rest of the text."""
    end = 0
    readable = text.encode("utf-8", "replace").decode()  # as long, without surrogates
    found = _compiled(pattern).finditer(readable)
    for match in islice(found, _MOST):
        begin, end = match.span()
        if begin < end:
            yield begin, end
    if next(found, None) is not None:
        yield end, len(text)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import re2  # noqa: PLC0415 - see above

    compile_: Any = re2.compile  # has no annotations
    options = re2.Options()
    options.log_errors = False
    try:
        return compile_(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        message = f"{_SYNTAX}; RE2 says: {said}"
        raise ValueError(message) from None
    except UnicodeError:
        message = f"{_SYNTAX}, without half of a surrogate pair"
        raise ValueError(message) from None

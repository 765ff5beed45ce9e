"""Regular expressions for ranges of numbers: JSON Schema has no other way for numbers in text."""

from __future__ import annotations


def between(lowest: int, highest: int) -> str:
    """Return a regular expression for the numbers from ``lowest`` to ``highest``.

    Numbers have no leading zeros; the expression has no anchors.
    """
    found = []
    for count in range(len(str(lowest)), len(str(highest)) + 1):
        least = max(lowest, 10 ** (count - 1) if count > 1 else 0)
        found.append(_of_one_length(str(least), str(min(highest, 10**count - 1))))
    return "|".join(found)


def _of_one_length(least: str, most: str) -> str:
    """Return an expression for the numbers between two of the same number of digits."""
    if not least:
        return ""
    if least[0] == most[0]:
        return least[0] + _of_one_length(least[1:], most[1:])
    rest = len(least) - 1
    zeros, nines = "0" * rest, "9" * rest
    from_zeros, to_nines = least[1:] == zeros, most[1:] == nines
    first = int(least[0]) + (not from_zeros)
    last = int(most[0]) - (not to_nines)
    parts = []
    if not from_zeros:
        parts.append(least[0] + _of_one_length(least[1:], nines))
    if first <= last:
        parts.append(f"[{first}-{last}]" + "[0-9]" * rest)
    if not to_nines:
        parts.append(most[0] + _of_one_length(zeros, most[1:]))
    return f"(?:{'|'.join(parts)})" if len(parts) > 1 else parts[0]

"""How far an agent's words are from a suggestion's. Pure."""

from __future__ import annotations

_MOST = 200  # words that are compared; the time grows with the square


def distance(suggested: str, sent: str) -> float:
    """Return the edit distance in words, from 0 (the same) to 1 (nothing in common).

    It counts the words inserted, deleted or replaced, as a part of the longer text. Case and
    spacing do not count.
    """
    first, second = (text.casefold().split()[:_MOST] for text in (suggested, sent))
    longest = max(len(first), len(second))
    if not longest:
        return 0.0
    row = list(range(len(second) + 1))
    for at, word in enumerate(first, 1):
        before, row[0] = row[0], at
        for to, other in enumerate(second, 1):
            before, row[to] = (
                row[to],
                min(row[to] + 1, row[to - 1] + 1, before + (word != other)),
            )
    return row[-1] / longest

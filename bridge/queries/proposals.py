"""What agents write instead of a response, where enough of them write the same. Pure.

A sentence is proposed only if five agents sent it to five customers, in words that are the same
after names, numbers and slot values became placeholders. So no proposal quotes one person.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff

MOST_ALIKE = 5  # agents, and customers
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_NUMBER = re.compile(r"(?:\w+-)*\w*\d(?:[\w.,:/-]*\w)?")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]*\w|https?://\S*\w")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Edit:
    """A suggestion that an agent rewrote before sending it.

    Attributes:
        values: names and slot values of the conversation, to become placeholders.
    """

    response: str
    suggested: str
    sent: str
    agent_id: str
    sender_id: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What agents send instead of a response."""

    response: str
    suggested: tuple[str, ...]
    proposed: tuple[str, ...]
    agents: int

    def diff(self) -> Iterator[str]:
        """Yield the lines of a diff of the domain."""
        after = f"{self.response} (sent by {self.agents} agents)"
        yield from unified_diff(
            self.suggested, self.proposed, self.response, after, lineterm="", n=100
        )


def proposals(edits: Iterable[Edit]) -> list[Proposal]:
    """Return the proposals, by response."""
    by_response: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_response[edit.response].append(edit)
    made = (_proposal(name, by_response[name]) for name in sorted(by_response))
    return [item for item in made if item is not None]


def _proposal(response: str, edits: list[Edit]) -> Proposal | None:
    senders: dict[str, set[str]] = defaultdict(set)
    agents: dict[str, set[str]] = defaultdict(set)
    places: dict[str, list[int]] = defaultdict(list)
    for edit in edits:
        for place, sentence in enumerate(sentences(edit.sent, edit.values)):
            senders[sentence].add(edit.sender_id)
            agents[sentence].add(edit.agent_id)
            places[sentence].append(place)
    common = {
        sentence
        for sentence in agents
        if len(agents[sentence]) >= MOST_ALIKE and len(senders[sentence]) >= MOST_ALIKE
    }
    suggested = Counter(sentences(edit.suggested, edit.values) for edit in edits).most_common(1)
    known = suggested[0][0]
    if not common - set(known):
        return None
    order = sorted(common, key=lambda sentence: sum(places[sentence]) / len(places[sentence]))
    agents_alike = max(len(agents[sentence]) for sentence in common - set(known))
    return Proposal(response, known, tuple(order), agents_alike)


def sentences(text: str, values: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the sentences of a text with placeholders for names, numbers and slot values."""
    for value in sorted(values, key=len, reverse=True):
        if value.strip():
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "{slot}", text, flags=re.IGNORECASE)
    text = _NUMBER.sub("{number}", _ADDRESS.sub("{address}", text))
    found = (" ".join(match.split()) for match in _SENTENCE.findall(text))
    return tuple(_without_names(sentence) for sentence in found if sentence)


def _without_names(sentence: str) -> str:
    """Replace capitalised words, but for the first one."""
    first = _WORD.search(sentence)
    begin = first.end() if first is not None else 0

    def name(match: re.Match[str]) -> str:
        word = match[0]
        inside = sentence[max(0, match.start() - 1) : match.start()] == "{"
        is_name = match.start() >= begin and word[0].isupper() and not inside
        return "{name}" if is_name else word

    return _WORD.sub(name, sentence)

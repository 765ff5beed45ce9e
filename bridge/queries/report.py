"""What became of suggestions: counts by day, intent, response, source or configuration.

The report needs no words: state, times, source and edit distance outlive them. It is never grouped
by agent. Acceptance counts questions, not suggestions: those of which a suggestion was accepted,
edited or copied, of those for which the agent saw one. What is still open, was sent automatically,
or was never seen is counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from statistics import median

from bridge.model import SuggestionState
from bridge.planners.offering import EXTERNAL
from bridge.queries.proposals import Edit, Proposal, proposals
from bridge.state.snapshot import AUTO
from bridge.store import Reader, ReadTransaction, report
from bridge.store.report import SuggestionOutcome

TOO_FEW = 20  # questions; below that, a rate says nothing
_DECIDED = ("accepted", "edited", "copied", "rejected")
_ANSWERED = ("accepted", "edited", "copied")


class Group(str, Enum):
    """What a report is grouped by."""

    DAY = "day"
    INTENT = "intent"
    RESPONSE = "response"
    SOURCE = "source"
    CONFIGURATION = "configuration"


@dataclass(slots=True)
class ReportFigures:
    """The figures of one group; see ``ReportRowBody`` for their meaning."""

    key: str
    counts: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)
    distances: list[float] = field(default_factory=list)
    replies: list[float] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """The number of questions for which the agent saw a suggestion."""
        return self.questions["answered"] + self.questions["unanswered"]

    @property
    def acceptance(self) -> float | None:
        """The part of them that were answered with one; None if there are too few."""
        return self.questions["answered"] / self.seen if self.seen >= TOO_FEW else None

    @property
    def edit_distance(self) -> float | None:
        """The median of how much agents changed."""
        return median(self.distances) if self.distances else None

    @property
    def seconds(self) -> float | None:
        """The median time from the customer's message to the agent's decision."""
        return median(self.replies) if self.replies else None


def source(item: SuggestionOutcome) -> str:
    """Return the systems that suggested it from outside; of the bot's own, the kind.

    A suggestion of the bot's stays its own if a system suggested the same words.
    """
    return ", ".join(item.names) if item.kind == EXTERNAL and item.names else item.kind


_KEYS: dict[Group, Callable[[SuggestionOutcome], str]] = {
    Group.DAY: lambda item: day(item.asked_at),
    Group.INTENT: lambda item: item.intent or "",
    Group.RESPONSE: lambda item: item.response or "",
    Group.SOURCE: source,
    Group.CONFIGURATION: lambda item: item.configuration or "",
}


class Report:
    """Queries for the report. Thread-safe; blocking."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    def figures(
        self, start: float, end: float, group: Group
    ) -> tuple[list[ReportFigures], ReportFigures]:
        """Return the figures of the questions from ``start`` to ``end`` by group, and of all."""
        found = self._store.read(lambda tx: list(report.outcomes(tx, start, end)))
        return summed(found, _KEYS[group]), summed(found, lambda _: "")[
            0
        ] if found else ReportFigures("")

    def proposals(self, start: float, end: float) -> list[Proposal]:
        """Return what agents write instead of responses, as far as the words are kept."""
        return self._store.read(lambda tx: proposals(_edits(tx, start, end)))


def _edits(tx: ReadTransaction, start: float, end: float) -> Iterator[Edit]:
    for item, response, values in report.edits(tx, start, end):
        yield Edit(
            response,
            item.text,
            item.edited_text or "",
            item.agent_id,
            item.sender_id,
            tuple(values),
        )


def summed(
    outcomes: Iterable[SuggestionOutcome], key: Callable[[SuggestionOutcome], str]
) -> list[ReportFigures]:
    """Return the figures of the outcomes by key, in the order of the keys."""
    groups: dict[str, dict[str, list[SuggestionOutcome]]] = {}
    for item in outcomes:
        groups.setdefault(key(item), {}).setdefault(item.question, []).append(item)
    return [_figures(name, groups[name]) for name in sorted(groups)]


def day(at: float) -> str:
    """Return the day of a time, in UTC."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d")


def _figures(key: str, questions: dict[str, list[SuggestionOutcome]]) -> ReportFigures:
    made = ReportFigures(key)
    for candidates in questions.values():
        made.questions[_fate(candidates)] += 1
        for item in candidates:
            _count(made, item)
    return made


def _count(made: ReportFigures, item: SuggestionOutcome) -> None:
    made.counts["suggested"] += 1
    automatic = _automatic(item)
    made.counts["automatic" if automatic else item.state] += 1
    made.counts["displayed"] += item.displayed
    if automatic:
        return
    if item.edit_distance is not None and item.state in ("edited", "copied"):
        made.distances.append(item.edit_distance)
    if item.state in _ANSWERED and item.settled_at is not None:
        made.replies.append(max(0.0, item.settled_at - item.asked_at))


def _automatic(item: SuggestionOutcome) -> bool:
    return item.settled_by == AUTO and item.state == SuggestionState.ACCEPTED.value


def _fate(candidates: list[SuggestionOutcome]) -> str:
    """Return what became of a question."""
    by_agent = [item for item in candidates if item.settled_by != AUTO]
    if any(item.state in _ANSWERED for item in by_agent):
        return "answered"
    if any(map(_automatic, candidates)):
        return "automatic"
    if any(item.state == SuggestionState.OFFERED.value for item in candidates):
        return "open"
    seen = any(item.displayed or item.state in _DECIDED for item in by_agent)
    return "unanswered" if seen else "unseen"

"""Read holidays from iCalendar files (RFC 5545): the all-day entries, by date.

The parser is our own, because a fault names the line that has to be mended, and of the format only
lines, components and dates are needed. It accepts what calendars export: any line ends, missing
``VALUE=DATE``, an end that equals the start. Entries that repeat are refused, because holidays
without a fixed date would be guessed; contents of the file never enter a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from bridge.config.faults import Fault, Place
from bridge.config.hours import LONGEST, HolidayRange
from bridge.config.source import Document, decode

_LINE_END = re.compile(r"\r\n|\n|\r")
_PROPERTY = re.compile(r'([A-Za-z0-9-]+)((?:;(?:"[^"]*"|[^":;])*)*):(.*)', re.DOTALL)
_ALL_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MOMENT = re.compile(r"[0-9]{8}T[0-9]{6}Z?")
_DURATION = re.compile(r"\+?P(?:([0-9]{1,4})W|([0-9]{1,4})D)")
_REPEATING = ("RRULE", "RDATE", "EXRULE")
_ENTRY = "VEVENT"


class CalendarLine(NamedTuple):
    """A property of an entry, or the begin or end of a component."""

    number: int  # the line of the file on which it begins
    name: str
    value: str


@dataclass
class Calendar:
    """The contents of one file."""

    holidays: list[HolidayRange] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_calendar(path: Path) -> Calendar:
    """Read the all-day entries of a file.

    Raises:
        OSError: the file cannot be read.
    """
    calendar = Calendar()
    document = Document(str(path))
    text = decode(path.read_bytes(), document)
    if text is None:
        calendar.faults += document.faults
        return calendar
    _CalendarReader(str(path), calendar).read(text)
    return calendar


def _content_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers; one that begins with a blank continues the former."""
    number, parts = 0, [""]
    for position, line in enumerate(_LINE_END.split(text), 1):
        if line[:1] in (" ", "\t") and number:
            parts.append(line[1:])
            continue
        if number and (whole := "".join(parts)).strip():
            yield number, whole
        number, parts = position, [line]
    if number and (whole := "".join(parts)).strip():
        yield number, whole


class _CalendarReader:
    """Collects the entries of one file."""

    def __init__(self, file: str, calendar: Calendar) -> None:
        self._file = file
        self._calendar = calendar
        self._open: list[CalendarLine] = []  # the components that have begun, by their BEGIN
        self._properties: dict[str, CalendarLine] = {}  # of the entry that has begun
        self._timed: list[int] = []  # lines of entries with a time of day

    def read(self, text: str) -> None:
        """Fill the calendar from the file's text."""
        for line in self._lines(text):
            if line.name == "BEGIN":
                self._begin(line)
            elif line.name == "END":
                self._end(line)
            elif self._open and self._open[-1].value == _ENTRY:
                self._properties.setdefault(line.name, line)
        if self._open:
            self._fault(self._open[-1].number, "a BEGIN without its END", "an END for each BEGIN")
        elif self._timed:
            shown = ", ".join(map(str, self._timed[:5])) + (", ..." if self._timed[5:] else "")
            self._warn(
                self._timed[0],
                f"entries with a time of day are not holidays: line {shown}",
                "make them all-day entries, or remove them",
            )
        elif not self._calendar.holidays and not self._calendar.faults:
            self._warn(0, "it has no all-day entries", "name a calendar of holidays")

    def _begin(self, line: CalendarLine) -> None:
        component = line.value.strip().upper()
        self._open.append(line._replace(value=component))
        if component == _ENTRY:
            self._properties = {}

    def _end(self, line: CalendarLine) -> None:
        if not self._open or self._open[-1].value != line.value.strip().upper():
            self._fault(line.number, "an END without its BEGIN", "an END for each BEGIN")
            return
        begin = self._open.pop()
        if begin.value == _ENTRY:
            self._entry(begin, self._properties)

    def _lines(self, text: str) -> Iterator[CalendarLine]:
        first = True
        for number, line in _content_lines(text):
            match = _PROPERTY.fullmatch(line)
            if first and (match is None or line.strip().upper() != "BEGIN:VCALENDAR"):
                self._fault(number, "no calendar", "an iCalendar file: BEGIN:VCALENDAR")
                return
            first = False
            if match is None:
                self._fault(number, "a line without a name and a value", "NAME:value")
                continue
            yield CalendarLine(number, match[1].upper(), match[3])
        if first:
            self._fault(0, "nothing", "an iCalendar file: BEGIN:VCALENDAR")

    def _entry(self, begin: CalendarLine, entry: Mapping[str, CalendarLine]) -> None:
        """Add an entry's days, unless it has a time of day or was cancelled."""
        cancelled = "STATUS" in entry and entry["STATUS"].value.strip().upper() == "CANCELLED"
        start = entry.get("DTSTART")
        if cancelled:
            return
        if start is None:
            self._fault(begin.number, "an entry without DTSTART", "DTSTART;VALUE=DATE:20261225")
            return
        if _MOMENT.fullmatch(start.value.strip()):
            self._timed.append(begin.number)
            return
        first = self._date(start)
        repeating = next((entry[name] for name in _REPEATING if name in entry), None)
        if repeating is not None:
            found = f"{repeating.name}, by which the entry is repeated"
            self._fault(repeating.number, found, "one entry for each date, without a recurrence")
        elif first is not None:
            self._add(first, entry, start)

    def _add(self, first: date, entry: Mapping[str, CalendarLine], start: CalendarLine) -> None:
        line = entry.get("DTEND") or entry.get("DURATION") or start
        last: date | None = first
        if line.name == "DTEND":
            end = self._date(line)
            last = end if end is None or end == first else end - timedelta(days=1)
        elif line.name == "DURATION":
            last = self._last(first, line)
        if last is None:
            return
        if last < first:
            self._fault(line.number, "an end before the start", "a DTEND after DTSTART")
        elif (last - first).days >= LONGEST:
            self._fault(line.number, "an entry of more than a year", f"at most {LONGEST} days")
        else:
            days = {"from": first, "to": last}
            self._calendar.holidays.append(HolidayRange.model_validate(days))

    def _date(self, line: CalendarLine) -> date | None:
        match = _ALL_DAY.fullmatch(line.value.strip())
        try:
            if match is not None:
                return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            pass
        self._fault(line.number, f"{line.name} with no date", f"{line.name};VALUE=DATE:20261225")
        return None

    def _last(self, first: date, line: CalendarLine) -> date | None:
        match = _DURATION.fullmatch(line.value.strip().upper())
        if match is None:
            self._fault(line.number, "DURATION with no days", "days or weeks: P2D, P1W")
            return None
        days = int(match[1] or 0) * 7 + int(match[2] or 0)
        return first + timedelta(days=max(days, 1) - 1)

    def _fault(self, number: int, found: str, allowed: str) -> None:
        self._calendar.faults.append(Fault(self._place(number), found=found, allowed=allowed))

    def _warn(self, number: int, sentence: str, hint: str) -> None:
        place = self._place(number)
        self._calendar.faults.append(Fault(place, wrong=sentence, hint=hint, severity="warning"))

    def _place(self, number: int) -> Place:
        return Place(self._file, number, 1 if number else 0)

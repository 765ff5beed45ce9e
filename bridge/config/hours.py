"""The settings of ``handoff.hours``: when agents can take over, in the wall time of one zone.

Holidays may also come from iCalendar files; ``calendars.py`` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from bridge.config.faults import suggest
from bridge.config.values import UNKNOWN_NAME, Conflict, Name, Section

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60  # minutes
WEEK = 7 * DAY
LONGEST = 366  # days of one holiday

_DAY = f"({'|'.join(DAYS)})"
_DAYS = rf"^{_DAY}(-{_DAY})?$"
_CLOCK = r"([0-9]{1,2}):([0-9]{2})"
_SPAN = rf"^{_CLOCK} *- *{_CLOCK}$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ALIKE = 0.8  # how similar a zone must be to be suggested; cities of one region often are


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """A span of wall time on the day on which it begins.

    Attributes:
        begin: minutes since midnight.
        end: likewise, exclusive; more than ``DAY`` if the span ends on the next day.
    """

    begin: int
    end: int


def open_span(value: object) -> OpenSpan:
    """Parse ``09:00-17:30``, ``22:00-06:00`` or ``00:00-24:00``."""
    if isinstance(value, OpenSpan):
        return value
    match = re.fullmatch(_SPAN, _text(value).strip())
    if match is None:
        msg = "two times of day: 09:00-17:30, 22:00-06:00 or 00:00-24:00"
        raise ValueError(msg)
    begin, end = _minutes(match[1], match[2]), _minutes(match[3], match[4])
    if begin == DAY:
        msg = "a span that begins at 00:00 at the earliest and at 23:59 at the latest"
        raise ValueError(msg)
    if begin == end:
        msg = "a span that does not end when it begins; the whole day is 00:00-24:00"
        raise ValueError(msg)
    return OpenSpan(begin, end if end > begin else end + DAY)


def _minutes(hours: str, minutes: str) -> int:
    result = int(hours) * 60 + int(minutes)
    if int(minutes) >= 60 or result > DAY:  # noqa: PLR2004 - minutes of an hour
        msg = "times of day from 00:00 to 24:00"
        raise ValueError(msg)
    return result


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    kind = "string_type"
    raise PydanticCustomError(kind, "text")


def day(value: object) -> date:
    """Parse ``2026-12-25``."""
    if isinstance(value, date):
        return value
    written = _text(value).strip()
    try:
        if re.fullmatch(_DATE, written):
            return date.fromisoformat(written)
    except ValueError:
        pass
    msg = "a date: 2026-12-25"
    raise ValueError(msg)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: object) -> ZoneInfo:
    """Return the time zone of an IANA name."""
    if isinstance(value, ZoneInfo):
        return value
    name = _text(value)
    if name in _zones():
        return ZoneInfo(name)
    raise PydanticCustomError(
        UNKNOWN_NAME,
        "{sentence}",
        {"sentence": "an IANA time zone, such as Europe/Berlin", "meant": _meant(name)},
    )


def _meant(name: str) -> str:
    """Return the zone of a city that was named alone, or the zone that is written most alike."""
    city = name.strip().replace(" ", "_").casefold()
    of_city = (each for each in sorted(_zones()) if each.casefold().endswith(f"/{city}"))
    return next(of_city, "") or suggest(name, sorted(_zones()), alike=_ALIKE)


def days_of(key: str) -> tuple[int, ...]:
    """Return the weekdays of ``mon`` or ``mon-fri``, from 0 for Monday; ``fri-mon`` has four."""
    first, _, last = key.partition("-")
    begin = DAYS.index(first)
    length = (DAYS.index(last or first) - begin) % len(DAYS) + 1
    return tuple((begin + step) % len(DAYS) for step in range(length))


def _weekdays(key: str) -> str:
    if not re.fullmatch(_DAYS, key):
        sentence = f"{', '.join(DAYS)}, or several in a row: mon-fri"
        named = [each.strip().casefold()[:3] for each in key.split("-")]
        meant = "-".join(named) if re.fullmatch(_DAYS, "-".join(named)) else ""
        raise PydanticCustomError(
            UNKNOWN_NAME, "{sentence}", {"sentence": sentence, "meant": meant}
        )
    return key


def _file_name(name: str) -> str:
    """Reject a path that leads out of the folder of the configuration."""
    leads_out = name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
    if leads_out or not name.isprintable():
        msg = "the name of a file in the folder of handoff.yml: holidays.ics"
        raise ValueError(msg)
    return name


SpanText = Annotated[
    OpenSpan,
    BeforeValidator(open_span),
    PlainSerializer(lambda span: [span.begin, span.end]),
    WithJsonSchema({"type": "string", "pattern": _SPAN}),
]
Day = Annotated[date, BeforeValidator(day), WithJsonSchema({"type": "string", "pattern": _DATE})]
Zone = Annotated[
    ZoneInfo,
    BeforeValidator(zone),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
Weekdays = Annotated[str, AfterValidator(_weekdays)]


class HolidayRange(Section):
    """Several holidays in a row."""

    from_: Day = Field(alias="from", description="the first day")
    to: Day = Field(description="the last day")

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for a range that ends before it begins, or lasts too long."""
        try:
            first, last = day(written.get("from")), day(written.get("to"))
        except (ValueError, PydanticCustomError):
            return
        if last < first:
            yield Conflict(
                ("to",),
                f"{first} or a later day: the last day is not before the first",
                "correct the year, or let from and to change places",
            )
        elif (last - first).days >= LONGEST:
            yield Conflict(
                ("to",),
                f"a day before {first + timedelta(days=LONGEST)}: at most {LONGEST} days in a row",
                "correct the year, or write several ranges",
            )


class HoursSettings(Section):
    """The agents' opening hours."""

    time_zone: Zone = Field(description="IANA time zone of the times: Europe/Berlin")
    week: Mapping[Weekdays, tuple[SpanText, ...]] = Field(
        description="spans by weekday: {mon-thu: [09:00-17:30], fri: [22:00-02:00]}; "
        "closed on the others",
        json_schema_extra={"propertyNames": {"pattern": _DAYS}},
    )
    holidays: tuple[Day | HolidayRange, ...] = Field(
        default=(), description="closed days: 2026-12-25 or {from: 2026-12-24, to: 2027-01-01}"
    )
    calendars: tuple[Annotated[Name, AfterValidator(_file_name)], ...] = Field(
        default=(),
        description="iCalendar files in the folder of handoff.yml; closed on all-day entries",
    )

    @classmethod
    def conflicts(cls, written: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults for days that are named twice, and for hours that never open."""
        week = written.get("week")
        if not isinstance(week, Mapping):
            return
        named: dict[int, str] = {}
        for key in week:
            for weekday in days_of(key) if re.fullmatch(_DAYS, str(key)) else ():
                if weekday in named:
                    name, other = DAYS[weekday], named[weekday]
                    yield Conflict(
                        ("week", key),
                        "each day once",
                        f"remove {name} from one of the two, and list all its spans in the other",
                        found=f"{key}, and {name} is also in {other}",
                    )
                    break
                named[weekday] = key
        if all(spans in ([], ()) for spans in week.values()):
            yield Conflict(
                ("week",),
                "at least one span of time: with none, it never opens",
                "add one: {mon-fri: [09:00-17:30]}",
                found="no day with a span",
            )

    def spans(self, weekday: int) -> tuple[OpenSpan, ...]:
        """Return the spans that begin on a weekday, 0 for Monday."""
        return next((spans for key, spans in self.week.items() if weekday in days_of(key)), ())

    def is_holiday(self, today: date) -> bool:
        """Return whether a day is a holiday."""
        return any(
            each.from_ <= today <= each.to if isinstance(each, HolidayRange) else each == today
            for each in self.holidays
        )

"""Opening hours: the wall time of a zone decides, whatever the clocks do."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.hours import DAYS
from bridge.config.settings import HoursSettings
from bridge.triggers import opening

MINUTE, WEEK = 60, 7 * 86_400
ALWAYS = {"mon-sun": ["00:00-24:00"]}


def hours(zone: str = "Europe/Berlin", week: Any = None, **more: Any) -> HoursSettings:
    return HoursSettings.model_validate({"time_zone": zone, "week": week or ALWAYS, **more})


def at(zone: str, wall: str, fold: int = 0) -> float:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def utc(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("week", "wall", "is_open"),
    [
        ({"mon-fri": ["09:00-18:00"]}, "2026-11-30T09:00", True),
        ({"mon-fri": ["09:00-18:00"]}, "2026-11-30T08:59:59.999", False),
        ({"mon-fri": ["09:00-18:00"]}, "2026-11-30T17:59:59.999", True),
        ({"mon-fri": ["09:00-18:00"]}, "2026-11-30T18:00", False),
        ({"mon-fri": ["09:00-18:00"]}, "2026-11-28T12:00", False),  # a Saturday
        ({"mon": ["9:00-10:00", "11:00 - 12:00"]}, "2026-11-30T11:30", True),
        ({"mon": ["9:00-10:00", "11:00 - 12:00"]}, "2026-11-30T10:30", False),
        ({"fri-mon": ["09:00-18:00"]}, "2026-11-29T12:00", True),
        ({"fri-mon": ["09:00-18:00"]}, "2026-12-01T12:00", False),
        ({"sun": ["22:00-06:00"]}, "2026-11-30T05:59", True),
        ({"sun": ["22:00-06:00"]}, "2026-11-30T06:00", False),
        ({"sun": ["22:00-06:00"]}, "2026-11-29T05:59", False),
        ({"sun": ["22:00-24:00"]}, "2026-11-29T23:59:59.999", True),
        ({"sun": ["22:00-24:00"]}, "2026-11-30T00:00", False),
        ({"sun": ["22:00-00:00"]}, "2026-11-29T23:59:59.999", True),
        ({"sun": ["22:00-00:00"]}, "2026-11-30T00:00", False),
        ({"mon": ["00:00-24:00"]}, "2026-11-30T00:00", True),
        ({"mon": [], "tue": ["00:00-24:00"]}, "2026-11-30T12:00", False),
    ],
)
def test_the_week(week: Any, wall: str, *, is_open: bool) -> None:
    verdict = opening(hours(week=week), at("Europe/Berlin", wall))
    assert verdict.holds is is_open
    assert verdict.words.endswith("Europe/Berlin is within the hours" if is_open else "the hours")


@pytest.mark.parametrize(
    ("zone", "span", "moment", "is_open"),
    [
        # Berlin, 2026-03-29: 02:00 to 03:00 is left out at 01:00 UTC.
        ("Europe/Berlin", "02:00-03:00", "2026-03-29T00:59:59", False),
        ("Europe/Berlin", "02:00-03:00", "2026-03-29T01:00:00", False),
        ("Europe/Berlin", "02:30-03:30", "2026-03-29T00:59:59", False),
        ("Europe/Berlin", "02:30-03:30", "2026-03-29T01:00:00", True),
        ("Europe/Berlin", "02:30-03:30", "2026-03-29T01:30:00", False),
        # Berlin, 2026-10-25: 02:00 to 03:00 comes twice, from 00:00 to 02:00 UTC.
        ("Europe/Berlin", "02:00-03:00", "2026-10-24T23:59:59", False),
        ("Europe/Berlin", "02:00-03:00", "2026-10-25T00:00:00", True),
        ("Europe/Berlin", "02:00-03:00", "2026-10-25T01:59:59", True),
        ("Europe/Berlin", "02:00-03:00", "2026-10-25T02:00:00", False),
        ("Europe/Berlin", "01:00-02:30", "2026-10-25T00:45:00", False),
        ("Europe/Berlin", "01:00-02:30", "2026-10-25T01:15:00", True),  # open again
        # Lord Howe moves by half an hour; Apia left out a whole day, 2011-12-30.
        ("Australia/Lord_Howe", "02:00-02:30", "2026-10-03T15:29:59", False),
        ("Australia/Lord_Howe", "02:00-02:30", "2026-10-03T15:30:00", False),
        ("Australia/Lord_Howe", "01:30-02:00", "2026-04-04T15:15:00", True),
        ("Pacific/Apia", "00:00-24:00", "2011-12-30T10:00:00", True),
        ("Asia/Kathmandu", "09:00-10:00", "2026-11-30T03:15:00", True),
        ("Asia/Kathmandu", "09:00-10:00", "2026-11-30T04:15:00", False),
    ],
)
def test_where_clocks_go_forward_or_back(
    zone: str, span: str, moment: str, *, is_open: bool
) -> None:
    assert opening(hours(zone, {"mon-sun": [span]}), utc(moment)).holds is is_open


@pytest.mark.parametrize(
    ("wall", "is_open"),
    [
        ("2026-12-24T12:00", True),
        ("2026-12-24T23:59", True),
        ("2026-12-25T00:00", False),  # the span of the 24th ends with that day
        ("2026-12-25T23:00", False),
        ("2026-12-26T01:00", False),  # it began on the 25th
        ("2026-12-26T12:00", False),
        ("2026-12-28T23:00", False),
        ("2026-12-29T01:00", False),
        ("2026-12-29T12:00", True),
    ],
)
def test_holidays(wall: str, *, is_open: bool) -> None:
    closed = hours(
        week={"mon-sun": ["10:00-14:00", "22:00-02:00"]},
        holidays=["2026-12-25", {"from": "2026-12-26", "to": "2026-12-28"}],
    )
    verdict = opening(closed, at("Europe/Berlin", wall))
    assert verdict.holds is is_open
    holiday = "2026-12-25" <= wall < "2026-12-29"
    assert verdict.words.endswith("is a holiday") is holiday


ZONES = st.timezone_keys(allow_prefix=False).filter(lambda key: key != "localtime")
MOMENTS = st.floats(0, 4_102_444_800)  # to the year 2100
CLOCK = st.integers(0, 1439)
SPANS = st.tuples(CLOCK, CLOCK).filter(lambda span: span[0] != span[1])
WEEKS = st.dictionaries(st.sampled_from(DAYS), st.lists(SPANS, max_size=3), min_size=1).filter(
    lambda week: any(week.values())
)


def written(week: dict[str, list[tuple[int, int]]]) -> dict[str, list[str]]:
    def clock(minutes: int) -> str:
        return f"{minutes // 60:02}:{minutes % 60:02}"

    return {
        day: [f"{clock(begin)}-{clock(end)}" for begin, end in spans] for day, spans in week.items()
    }


def minutes_of(week: dict[str, list[tuple[int, int]]]) -> set[int]:
    """The minutes of the week, from Monday at 00:00, that are open: counted one by one."""
    found = set()
    for day, spans in week.items():
        for begin, end in spans:
            minute = DAYS.index(day) * 1440 + begin
            found.add(minute % 10_080)
            while (minute + 1) % 1440 != end:
                minute += 1
                found.add(minute % 10_080)
    return found


@given(ZONES, WEEKS, MOMENTS)
def test_a_moment_is_open_if_the_minute_on_the_wall_is(
    zone: str, week: dict[str, list[tuple[int, int]]], moment: float
) -> None:
    wall = datetime.fromtimestamp(moment, timezone.utc).astimezone(ZoneInfo(zone))
    minute = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
    found = opening(hours(zone, written(week)), moment).holds
    assert found is (minute in minutes_of(week))


@given(ZONES, MOMENTS, st.integers(0, 5))
def test_on_a_holiday_no_moment_is_open_and_beside_it_every_one(
    zone: str, moment: float, length: int
) -> None:
    today = datetime.fromtimestamp(moment, ZoneInfo(zone)).date()
    last = today + timedelta(days=length)

    def found(first: date, last: date) -> bool:
        days = [{"from": first.isoformat(), "to": last.isoformat()}]
        return opening(hours(zone, holidays=days), moment).holds

    assert not found(today, last)
    assert not found(today - timedelta(days=length), today)
    assert found(today + timedelta(days=1), last + timedelta(days=1))
    assert found(today - timedelta(days=1 + length), today - timedelta(days=1))


@given(WEEKS, MOMENTS)
def test_without_changes_of_the_clock_every_week_is_the_same(
    week: dict[str, list[tuple[int, int]]], moment: float
) -> None:
    settings = hours("Etc/GMT-5", written(week))
    assert opening(settings, moment).holds is opening(settings, moment + WEEK).holds


@given(ZONES, WEEKS, st.dates(date(1971, 1, 1), date(2099, 12, 31)))
def test_a_span_opens_and_closes_at_its_times(
    zone: str, week: dict[str, list[tuple[int, int]]], day: date
) -> None:
    settings, known = hours(zone, written(week)), ZoneInfo(zone)
    for begin, _ in week.get(DAYS[day.weekday()], []):
        wall = datetime(day.year, day.month, day.day, begin // 60, begin % 60, tzinfo=known)
        moment = wall.timestamp()
        if datetime.fromtimestamp(moment, known).replace(tzinfo=None) == wall.replace(tzinfo=None):
            assert opening(settings, moment).holds
            assert opening(settings, moment + MINUTE - 0.001).holds

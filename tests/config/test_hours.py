"""handoff.hours: what is taken, and what is said about the rest."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bridge.config.settings import HoursSettings
from tests.config.conftest import GATEWAY, Folder

WEEK = "week: {mon-fri: [09:00-18:00]}"


def hours(folder: Folder, written: str) -> HoursSettings:
    handoff = f"handoff: {{hours: {{{written}}}}}"
    found = folder.write(bridge=GATEWAY, handoff=handoff).load().designer.handoff.hours
    assert found is not None
    return found


def test_spans_are_taken_by_weekday(folder: Folder) -> None:
    found = hours(
        folder,
        "time_zone: America/Argentina/Buenos_Aires,"
        " week: {sat-mon: [9:00-12:30, '22:00 - 02:00'], wed: [00:00-24:00], thu: [18:00-00:00]}",
    )
    assert found.time_zone.key == "America/Argentina/Buenos_Aires"
    spans = [[(span.begin, span.end) for span in found.spans(day)] for day in range(7)]
    both = [(540, 750), (1320, 1560)]
    assert spans == [both, [], [(0, 1440)], [(1080, 1440)], [], both, both]


def test_holidays_are_dates_and_ranges(folder: Folder) -> None:
    found = hours(
        folder,
        f"time_zone: UTC, {WEEK}, holidays: [2026-05-01, {{from: 2026-12-31, to: 2027-01-01}}]",
    )
    named = [date(2026, 5, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert all(map(found.is_holiday, named))
    assert not found.is_holiday(date(2026, 5, 2))
    assert not found.is_holiday(date(2027, 1, 2))


FAULTS: list[tuple[str, list[str]]] = [
    (WEEK, ["hours.time_zone", "the key is missing", "Europe/Berlin"]),
    ("time_zone: UTC", ["hours.week", "the key is missing", "{mon-thu: "]),
    (f"time_zone: Europe/Berln, {WEEK}", ["an IANA time zone", "mean  Europe/Berlin?"]),
    (f"time_zone: europe/berlin, {WEEK}", ["time_zone", "mean  Europe/Berlin?"]),
    (f"time_zone: Shanghai, {WEEK}", ["time_zone", "mean  Asia/Shanghai?"]),
    (f"time_zone: new york, {WEEK}", ["time_zone", "mean  America/New_York?"]),
    (f"time_zone: ../../etc/passwd, {WEEK}", ["time_zone", "an IANA time zone"]),
    (f"time_zone: 1, {WEEK}", ["time_zone", "an IANA time zone"]),
    (f"time_zone: [UTC], {WEEK}", ["time_zone", "a list", "text"]),
    (f"timezone: UTC, time_zone: UTC, {WEEK}", ["hours.timezone", "did you mean  time_zone?"]),
    ("time_zone: UTC, week: {}", ["hours.week", "never opens"]),
    ("time_zone: UTC, week: {mon: [], sat-sun: []}", ["hours.week", "never opens"]),
    ("time_zone: UTC, week: {monday: [9:00-10:00]}", ["the key monday", "mon, tue", "mon-fri"]),
    ("time_zone: UTC, week: {Monday-Friday: [9:00-10:00]}", ["did you mean mon-fri?"]),
    ("time_zone: UTC, week: {Montag: [9:00-10:00]}", ["did you mean mon?"]),
    ("time_zone: UTC, week: {lun: [9:00-10:00]}", ["the key lun", "mon, tue"]),
    ("time_zone: UTC, week: {Mon: [9:00-10:00]}", ["the key Mon", "mon, tue"]),
    (
        "time_zone: UTC, week: {mon-fri: [9:00-10:00], fri: [9:00-9:30]}",
        ["hours.week.fri", "fri is also in mon-fri"],
    ),
    (
        "time_zone: UTC, week: {sat-mon: [9:00-10:00], sun-tue: [9:00-9:30]}",
        ["hours.week.sun-tue", "sun is also in sat-mon"],
    ),
    ("time_zone: UTC, week: {mon: 9:00-10:00}", ["hours.week.mon", '"9:00-10:00"', "a list"]),
    ("time_zone: UTC, week: {mon: [9-10]}", ["hours.week.mon[0]", '"9-10"', "09:00-17:30"]),
    ("time_zone: UTC, week: {mon: [9:00-25:00]}", ["mon[0]", "from 00:00 to 24:00"]),
    ("time_zone: UTC, week: {mon: [9:60-10:00]}", ["mon[0]", "from 00:00 to 24:00"]),
    ("time_zone: UTC, week: {mon: [24:00-10:00]}", ["mon[0]", "at 23:59 at the latest"]),
    ("time_zone: UTC, week: {mon: [9:00-9:00]}", ["mon[0]", "the whole day is 00:00-24:00"]),
    ("time_zone: UTC, week: {mon: [9:00-17:00 Uhr]}", ["mon[0]", "two times of day"]),
    (f"time_zone: UTC, {WEEK}, holidays: [25.12.2026]", ["holidays[0]", "a date: 2026-12-25"]),
    (f"time_zone: UTC, {WEEK}, holidays: [2026-02-30]", ["holidays[0]", "a date"]),
    (f"time_zone: UTC, {WEEK}, holidays: [20261225]", ["holidays[0]", '"20261225"', "a date"]),
    (f"time_zone: UTC, {WEEK}, holidays: [[x]]", ["holidays[0]", "a list", "from, to"]),
    (f"time_zone: UTC, {WEEK}, holidays: 2026-12-25", ["hours.holidays", "a list"]),
    (
        f"time_zone: UTC, {WEEK}, holidays: [{{from: 2026-12-26, to: 2026-12-25}}]",
        ["holidays[0].to", "the last day is not before the first"],
    ),
    (
        f"time_zone: UTC, {WEEK}, holidays: [{{from: 2026-01-01, to: 2027-01-02}}]",
        ["holidays[0].to", "at most 366 days"],
    ),
    (f"time_zone: UTC, {WEEK}, holidays: [{{from: 2026-01-01}}]", ["holidays[0].to", "missing"]),
    (f"time_zone: UTC, {WEEK}, calendars: [a.ics]", ["calendars[0]", 'no file: "a.ics"']),
    (
        f"time_zone: UTC, {WEEK}, calendars: [handof.yml]",
        ["calendars[0]", "did you mean handoff.yml?"],
    ),
    (f"time_zone: UTC, {WEEK}, calendars: [.]", ["calendars[0]", "not readable"]),
    (f"time_zone: UTC, {WEEK}, calendars: [/etc/hosts]", ["calendars[0]", "in the folder of"]),
    (f"time_zone: UTC, {WEEK}, calendars: [a/../../b]", ["calendars[0]", "in the folder of"]),
    (f'time_zone: UTC, {WEEK}, calendars: ["a\\0"]', ["calendars[0]", "in the folder of"]),
    (f"time_zone: UTC, {WEEK}, calendars: a.ics", ["hours.calendars", "a list"]),
]


@pytest.mark.parametrize(("written", "told"), FAULTS, ids=[each for each, _ in FAULTS])
def test_a_fault_says_where_what_and_what_is_allowed(
    folder: Folder, written: str, told: list[str]
) -> None:
    handoff = f"handoff:\n  hours: {{{written}}}"
    fault = folder.write(bridge=GATEWAY, handoff=handoff).fault()
    assert fault.startswith("handoff.yml, line 2, column ")
    for words in told:
        assert words in " ".join(fault.split()) or words in fault


@pytest.mark.parametrize(
    ("handoff", "warned"),
    [
        ("hours: null", False),
        (f"hours: {{time_zone: UTC, {WEEK}}}", True),
        (f"hours: {{time_zone: UTC, {WEEK}}}, closed: utter_x", False),
        (f"hours: {{time_zone: UTC, {WEEK}}}, closed: null", False),
    ],
)
def test_the_default_response_is_looked_for_where_it_may_be_said(
    folder: Folder, handoff: str, *, warned: bool
) -> None:
    responses: dict[str, Any] = {
        f"utter_{name}": [{"text": "x"}] for name in ("handoff_started", "handoff_unavailable", "x")
    }
    domain = folder.path / "domain.yml"
    domain.write_text(f"intents: [human_handoff]\nresponses: {responses}")
    bridge = f'{GATEWAY}rasa: {{domain: "{domain}"}}'
    settings = folder.write(bridge=bridge, handoff=f"handoff: {{{handoff}}}").load()
    about = [each for each in settings.warnings if "utter_handoff_closed" in each]
    assert len(about) == warned

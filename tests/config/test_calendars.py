"""Holidays from iCalendar files: what calendars export is taken, what repeats is refused."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.calendars import read_calendar
from bridge.errors import ConfigurationError
from tests.config.conftest import GATEWAY, Folder

HANDOFF = """
handoff:
  hours:
    time_zone: Europe/Berlin
    week: {mon-fri: [09:00-18:00]}
    holidays: [2026-05-01]
    calendars: [holidays.ics]
"""
EXPORTED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Holidays//DE
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261227
SUMMARY;LANGUAGE="de:x;y":Weihnachten\\, sehr
 \u0020lang: DTSTART;VALUE=DATE:20260101
TRANSP:TRANSPARENT
BEGIN:VALARM
TRIGGER:-PT15M
DURATION:PT5M
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def calendar(*entries: str) -> str:
    body = "".join(f"BEGIN:VEVENT\n{each}\nEND:VEVENT\n" for each in entries)
    return f"BEGIN:VCALENDAR\n{body}END:VCALENDAR\n"


def days(path: Path, text: str) -> list[str]:
    """The days that are closed, each once."""
    path.write_bytes(text.encode())
    found = read_calendar(path)
    assert [each for each in found.faults if each.severity == "error"] == []
    return [
        (each.from_ + timedelta(days=step)).isoformat()
        for each in found.holidays
        for step in range((each.to - each.from_).days + 1)
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "holidays.ics"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_exported_calendar(file: Path, line_end: str, mark: str) -> None:
    text = mark + EXPORTED.replace("\n", line_end)
    assert days(file, text) == ["2026-12-25", "2026-12-26"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("DTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART:20261225", ["2026-12-25"]),
        ("dtstart;value=date:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:2026\n 1225", ["2026-12-25"]),
        ("DTSTA\n\tRT;VALUE=DATE:20261225", ["2026-12-25"]),
        ('DTSTART;X-A="a:b;c";VALUE=DATE:20261225', ["2026-12-25"]),
        ("DTSTART:20261225\nDTEND:20261226", ["2026-12-25"]),
        ("DTSTART:20261225\nDTEND:20261225", ["2026-12-25"]),
        ("DTEND:20261227\nDTSTART:20261225", ["2026-12-25", "2026-12-26"]),
        ("DTSTART:20261231\nDURATION:P2D", ["2026-12-31", "2027-01-01"]),
        ("DTSTART:20280228\nDTEND:20280301", ["2028-02-28", "2028-02-29"]),
        ("DTSTART:20261225\nSTATUS:CANCELLED\nRRULE:FREQ=YEARLY", []),
        ("DTSTART;TZID=Europe/Berlin:20261225T090000\nRRULE:FREQ=DAILY", []),
        ("DTSTART:20261225T090000Z", []),
    ],
)
def test_an_entry(file: Path, entry: str, expected: list[str]) -> None:
    assert days(file, calendar(entry)) == expected


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (calendar("DTSTART:20261225\nRRULE:FREQ=YEARLY"), 4, "RRULE, by which"),
        (calendar("RDATE;VALUE=DATE:20271225\nDTSTART:20261225"), 3, "RDATE, by which"),
        (calendar("DTSTART:20261225", "X:1\n 2\nRRULE:F=Y\nDTSTART:20261226"), 8, "RRULE"),
        (calendar("DTSTART:20261325"), 3, "DTSTART with no date"),
        (calendar("DTSTART:secret"), 3, "DTSTART with no date"),
        (calendar("DTSTART:20261225\nDTEND:20261224"), 4, "an end before the start"),
        (calendar("DTSTART:20261225\nDTEND:x"), 4, "DTEND with no date"),
        (calendar("DTSTART:20260101\nDTEND:20280101"), 4, "an entry of more than a year"),
        (calendar("DTSTART:20260101\nDURATION:PT1H"), 4, "DURATION with no days"),
        (calendar("SUMMARY:x"), 2, "an entry without DTSTART"),
        (calendar("DTSTART:20261225\nsecret"), 4, "a line without a name and a value"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\n", 2, "a BEGIN without its END"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR\n", 2, "an END without its BEGIN"),
        ("<html>secret</html>", 1, "no calendar"),
        ("root:secret:0:0", 1, "no calendar"),
        ("", 0, "nothing"),
        ("BEGIN:VCALENDAR\n" + "X:\xe9\n" * 300_000, 0, "at most 1,000,000 bytes"),
    ],
)
def test_a_fault_names_the_line_and_shows_nothing_of_the_file(
    folder: Folder, text: str, line: int, told: str
) -> None:
    (folder.path / "holidays.ics").write_text(text)
    fault = folder.write(bridge=GATEWAY, handoff=HANDOFF).fault()
    assert fault.startswith(f"holidays.ics, line {line}, column 1\n" if line else "holidays.ics\n")
    assert told in fault
    assert "secret" not in fault


def test_all_faults_come_at_once_beside_those_of_the_files(folder: Folder) -> None:
    text = calendar("DTSTART:x", "DTSTART:20261225\nRRULE:FREQ=YEARLY")
    (folder.path / "holidays.ics").write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        folder.write(bridge=f"{GATEWAY}wait: 1", handoff=HANDOFF).load()
    assert len(raised.value.faults) == 3


def test_the_days_of_the_file_are_closed_beside_those_that_are_named(folder: Folder) -> None:
    (folder.path / "holidays.ics").write_text(EXPORTED)
    settings = folder.write(bridge=GATEWAY, handoff=HANDOFF).load()
    hours = settings.designer.handoff.hours
    assert hours is not None
    assert all(map(hours.is_holiday, (date(2026, 5, 1), date(2026, 12, 25), date(2026, 12, 26))))
    assert not hours.is_holiday(date(2026, 12, 27))
    assert not [each for each in settings.warnings if "holidays.ics" in each]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (calendar("DTSTART:20261225T090000", "DTSTART:20261226"), "time of day are not holidays"),
        (calendar(), "it has no all-day entries"),
    ],
)
def test_what_is_probably_not_meant_is_warned_about(folder: Folder, text: str, told: str) -> None:
    (folder.path / "holidays.ics").write_text(text)
    warnings = folder.write(bridge=GATEWAY, handoff=HANDOFF).load().warnings
    (only,) = (each for each in warnings if "holidays.ics" in each)
    assert told in only


@given(st.lists(st.tuples(st.dates(date(1971, 1, 1), date(2099, 1, 1)), st.integers(1, 366))))
def test_what_a_calendar_says_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[date, int]]
) -> None:
    text = calendar(
        *(
            f"SUMMARY:x\nDTSTART;VALUE=DATE:{first:%Y%m%d}\n"
            f"DTEND;VALUE=DATE:{first + timedelta(days=length):%Y%m%d}"
            for first, length in entries
        )
    )
    path = tmp_path_factory.mktemp("calendar") / "a.ics"
    path.write_text("\r\n ".join(text[at : at + 20] for at in range(0, len(text), 20)))
    found = read_calendar(path)
    assert [each.found for each in found.faults if each.severity == "error"] == []
    assert [(each.from_, (each.to - each.from_).days + 1) for each in found.holidays] == entries


@given(st.text(st.sampled_from('BEGIN:VENTD;"=\r\n ,0123T'), max_size=200))
def test_no_text_raises(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("calendar") / "a.ics"
    path.write_text(f"BEGIN:VCALENDAR\n{text}\nEND:VCALENDAR", newline="")
    read_calendar(path)


@pytest.mark.parametrize(
    "piece", ['X;A="', 'X;A="b";', "X;;", " \n", "BEGIN:VEVENT\n", "X:1\n", "BEGIN:A\n"]
)
def test_the_time_grows_with_the_file_and_not_with_its_square(file: Path, piece: str) -> None:
    file.write_text("BEGIN:VCALENDAR\n" + piece * (900_000 // len(piece)))
    begun = time.process_time()
    read_calendar(file)
    assert time.process_time() - begun < 5  # some 0.5 s; quadratic, it would be minutes

"""``/bridge/report``: what became of suggestions; never grouped by agent."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from sanic import HTTPResponse, Request

from bridge.config.settings import Right
from bridge.errors import RefusedError
from bridge.queries.report import Group
from bridge.web import responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import Parameter, Route
from bridge.web.auth import Access

_DAYS = 30  # of a report that names no first day
_MOST = 366
_DAY = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "a day, as in 2026-11-01",
    {"type": "string", "format": "date"},
)
_GROUPS = [group.value for group in Group]
_FROM = Parameter("from", "first day; by default 30 days before the last", *_DAY)
_TO = Parameter("to", "last day; by default today, in UTC", *_DAY)
_GROUP = Parameter(
    "group",
    "what the rows are about; by default day",
    "|".join(_GROUPS),
    f"one of {', '.join(_GROUPS)}",
    {"type": "string", "enum": _GROUPS, "default": Group.DAY.value},
)


async def report(request: Request) -> HTTPResponse:
    """Return the figures of the questions of some days."""
    now = parameters.opened().core.clock.now()
    last = _day(parameters.text(request, "to"), "to") or (
        datetime.fromtimestamp(now, timezone.utc).date()
    )
    first = _day(parameters.text(request, "from"), "from") or last - timedelta(days=_DAYS - 1)
    if not 0 <= (last - first).days < _MOST:
        raise RefusedError(400, "bad_request", f"from and to span 1 to {_MOST} days")
    group = Group(parameters.text(request, "group") or Group.DAY)
    start, end = midnight(first), midnight(last) + timedelta(days=1).total_seconds()
    rows, total = await parameters.read(lambda bridge: bridge.report.figures(start, end, group))
    return responses.json(serializers.report(first, last, group, rows, total))


def midnight(day: date) -> float:
    """Return the beginning of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp()


def _day(value: str | None, key: str) -> date | None:
    if value is None:
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise RefusedError(400, "bad_request", f"{key} is a day, as in 2026-11-01") from None
    if not date(1971, 1, 1) <= found <= date(9000, 1, 1):
        raise RefusedError(400, "bad_request", f"{key} is a day, as in 2026-11-01")
    return found


ROUTES = (
    Route("GET", "/report", report, Access.STAFF, right=Right.REPORT, query=(_FROM, _TO, _GROUP)),
)

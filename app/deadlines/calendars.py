"""The calendars in force: the product's tables, imported ones, and what a division differs in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.core.clock import BEIJING
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.deadlines import calendar_file, editions, published
from app.deadlines.calendar import Calendar, Hours
from app.deadlines.editions import UNCHANGED, Edition
from app.deadlines.models import CalendarChange, CalendarDivision, CalendarYear
from app.deadlines.published import ESTIMATED, OFFICIAL, STATUSES, Day, Year
from app.divisions import queries as divisions
from app.divisions.rules import ROOT_CODE
from app.engine.registry import Actor

NATION = ""
"""The scope of the national calendar."""
WHOLE = ROOT_CODE
"""The division whose working hours are the nation's; its days are in the tables of the years."""


class _Calendars:
    """All calendars of one edition, as far as they have been asked for."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.years = dict(published.years())
        self.differences: dict[str, tuple[dict[date, bool], tuple[Hours, ...]]] = {}
        self.calendars: dict[str, Calendar] = {}
        if edition != UNCHANGED:
            for row in session().scalars(select(CalendarYear)):
                self.years[row.year] = Year(row.year, row.status, row.source, _days(row.days))
            for other in session().scalars(select(CalendarDivision)):
                days = {each.day: each.works for each in _days(other.days)}
                self.differences[other.division_code] = days, calendar_file.hours_of(other.hours)
        edited = self.years != published.years()
        self.national = published.calendar_of(self.years) if edited else published.calendar()
        _, hours = self.differences.pop(WHOLE, ({}, ()))
        if hours:
            self.national = Calendar(self.national.days, self.national.official, hours)

    def of(self, division_code: str) -> Calendar:
        if not self.differences:
            return self.national
        if division_code not in self.calendars:
            self.calendars[division_code] = self._made(division_code)
        return self.calendars[division_code]

    def _made(self, division_code: str) -> Calendar:
        days, hours = dict(self.national.days), self.national.hours
        path = [each.code for each in divisions.path(division_code)]
        found = [self.differences[code] for code in path if code in self.differences]
        if not found:
            return self.national
        for own_days, own_hours in found:
            days.update(own_days)
            hours = own_hours or hours
        return Calendar(days, self.national.official, hours)


_kept = _Calendars(UNCHANGED)


def of(division_code: str = NATION, edition: Edition | None = None) -> Calendar:
    """The calendar of a division: of the nearest division above it where it has none of its own.

    `edition` is the one in force when the caller has asked for it already.
    """
    return _loaded(edition).of(division_code)


def years() -> Mapping[int, Year]:
    """The national tables in force, by year."""
    return _loaded(None).years


def alarms(now: datetime) -> list[str]:
    """What an administrator has to be told: a year that begins to be needed is not published.

    The State Council publishes the next year's table in November as a rule.
    """
    local = now.astimezone(BEIJING)
    needed = [local.year] + ([local.year + 1] if local.month >= 11 else [])
    return [
        f"{year} 年的节假日安排尚未导入，涉及的时限均为暂定"
        for year in needed
        if (table := years().get(year)) is None or table.status != OFFICIAL
    ]


def preview_year(year: int, days: Sequence[Day], *, official: bool = True) -> dict[str, list[str]]:
    """What importing these days as a year's table would change; Invalid when they are none."""
    problems = calendar_file.year_problems(year, days) if official else []
    problems += [
        FieldError(str(each.day), "year", f"{each.day} 不在 {year} 年")
        for each in days
        if each.day.year != year and not official
    ]
    if problems:
        raise Invalid(problems, "节假日表有误", "CALENDAR_INVALID")
    old = years().get(year)
    found = calendar_file.difference(old.days if old else (), days)
    status = OFFICIAL if official else ESTIMATED
    if old is None or old.status != status:
        before = STATUSES[old.status] if old else "无数据"
        found["changed"].insert(0, f"状态 {before} → {STATUSES[status]}")
    return found


def import_year(
    year: int,
    days: Sequence[Day],
    *,
    source: str,
    reason: str,
    actor: Actor,
    now: datetime,
    official: bool = True,
) -> CalendarChange:
    """Put a year's table in force. `recompute.begin` brings open deadlines up to it."""
    difference = preview_year(year, days, official=official)
    session().merge(
        CalendarYear(
            year=year,
            status=OFFICIAL if official else ESTIMATED,
            source=source,
            days=_as_data(days),
        )
    )
    return _change(str(year), difference, reason, actor, now)


def preview_division(
    division_code: str, days: Sequence[Day], hours: Sequence[Hours]
) -> dict[str, list[str]]:
    """What giving a division these days and hours would change."""
    problems = calendar_file.hours_problems(hours)
    if division_code == WHOLE and days:
        problems.append(FieldError("table", "days", "全国的假日按年设置，这里只设作息时间"))
    elif division_code != WHOLE and divisions.get(division_code) is None:
        problems.append(FieldError("division_code", "unknown", "行政区划编码不存在"))
    if problems:
        raise Invalid(problems, "日历有误", "CALENDAR_INVALID")
    old = session().get(CalendarDivision, division_code)
    found = calendar_file.difference(_days(old.days) if old else (), days)
    before, after = old.hours if old else [], [calendar_file.hours_as_data(h) for h in hours]
    if before != after:
        found["changed"].append(f"作息时间 {before or '同上级'} → {after or '同上级'}")
    return found


def set_division(
    division_code: str,
    days: Sequence[Day],
    hours: Sequence[Hours],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> CalendarChange:
    """Put a division's own days and hours in force; none of either takes the difference back."""
    difference = preview_division(division_code, days, hours)
    session().merge(
        CalendarDivision(
            division_code=division_code,
            days=_as_data(days),
            hours=[calendar_file.hours_as_data(each) for each in hours],
        )
    )
    return _change(division_code, difference, reason, actor, now)


def differing() -> list[CalendarDivision]:
    """What divisions have of their own, by code; those that took it back are left out."""
    rows = session().scalars(select(CalendarDivision).order_by(CalendarDivision.division_code))
    return [row for row in rows if row.days or row.hours]


def own(division_code: str) -> tuple[tuple[Day, ...], tuple[Hours, ...]]:
    """The days and hours that a division differs in; none of either when it has none."""
    row = session().get(CalendarDivision, division_code)
    return (_days(row.days), calendar_file.hours_of(row.hours)) if row else ((), ())


def changes(limit: int = 50) -> list[CalendarChange]:
    """The history, newest first."""
    return list(
        session().scalars(select(CalendarChange).order_by(CalendarChange.id.desc()).limit(limit))
    )


def _loaded(edition: Edition | None) -> _Calendars:
    global _kept
    wanted = edition or editions.current().calendar
    kept = _kept
    if kept.edition != wanted:
        kept = _kept = _Calendars(wanted)
    return kept


def _change(
    scope: str, difference: dict[str, Any], reason: str, actor: Actor, now: datetime
) -> CalendarChange:
    made = CalendarChange(
        scope=scope,
        difference=difference,
        reason=reason,
        actor_id=actor.id,
        actor_name=actor.name,
        at=now,
    )
    session().add(made)
    session().flush()
    return made


def _days(rows: Iterable[Mapping[str, Any]]) -> tuple[Day, ...]:
    return tuple(Day(date.fromisoformat(r["date"]), r["kind"] == "work", r["name"]) for r in rows)


def _as_data(days: Iterable[Day]) -> list[dict[str, Any]]:
    return [
        {"date": str(each.day), "kind": "work" if each.works else "off", "name": each.name}
        for each in sorted(days, key=lambda each: each.day)
    ]

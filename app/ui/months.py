"""Months as grids (月历): which days are worked, which are free and why, and what falls on them."""

import calendar as weeks
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.deadlines import calendars
from app.deadlines.calendar import Calendar

WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")


@dataclass(frozen=True)
class Cell:
    """A day: `kind` is work, rest (weekend), off (holiday) or made_up (调休)."""

    day: date
    kind: str
    name: str = ""
    today: bool = False
    marks: Sequence[str] = ()
    """What falls on it, by short signs that a list beside explains."""


@dataclass(frozen=True)
class Month:
    """Rows of seven, Monday first; None outside the month."""

    title: str
    weeks: Sequence[Sequence[Cell | None]]
    working_days: int


def month(
    year: int,
    number: int,
    calendar: Calendar,
    names: Mapping[date, str],
    *,
    today: date | None = None,
    marks: Mapping[date, Sequence[str]] | None = None,
) -> Month:
    """One month of a calendar."""

    def cell(day: date) -> Cell | None:
        if day.month != number:
            return None
        return Cell(
            day,
            _kind(day, calendar),
            names.get(day, ""),
            day == today,
            (marks or {}).get(day, ()),
        )

    rows = [
        [cell(day) for day in week] for week in weeks.Calendar().monthdatescalendar(year, number)
    ]
    working = sum(1 for row in rows for c in row if c and c.kind in {"work", "made_up"})
    return Month(f"{year} 年 {number} 月", rows, working)


def months_between(first: date, last: date) -> Iterator[tuple[int, int]]:
    """Year and number of each month from one day to another."""
    for count in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield count // 12, count % 12 + 1


def names_of(years: Sequence[int]) -> dict[date, str]:
    """What the days of the national tables are called."""
    tables = calendars.years()
    return {day.day: day.name for year in years if year in tables for day in tables[year].days}


def _kind(day: date, calendar: Calendar) -> str:
    works, weekend = calendar.is_working_day(day), day.weekday() >= 5
    if works:
        return "made_up" if weekend else "work"
    return "off" if day in calendar.days else "rest"

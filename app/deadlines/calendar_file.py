"""Reads a holiday table or working hours that somebody sends in (CSV, JSON), and judges it.

Nothing is changed here. Every problem is named at once; `difference` says what would change.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

from app.core.errors import FieldError, Invalid
from app.deadlines.calendar import Hours, Period, days_of
from app.deadlines.published import FESTIVALS, Day

_WORDS = {"off": False, "休": False, "放假": False, "work": True, "班": True, "上班": True}
_COLUMNS = {"日期": "date", "类型": "kind", "名称": "name"}
"""What people call the columns of a table; both languages are read."""
_FIXED = {(1, 1): "元旦", (5, 1): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节", (10, 3): "国庆节"}
"""Statutory days that never move (全国年节及纪念日放假办法, since 2000)."""
MOST_CHARACTERS = 200_000
MOST_HOURS = 12
"""Parts of a year with working hours of their own."""
_NEEDED = {"date", "kind"}


@dataclass(frozen=True)
class Sheet:
    """What a file holds: days, and working hours when it says any."""

    days: tuple[Day, ...]
    hours: tuple[Hours, ...] = ()


def read(text: str) -> Sheet:
    """A sheet: JSON (`{"days": […], "hours": […]}`) or CSV (`日期,类型,名称` or `date,kind,name`).

    Invalid names every row that cannot be understood. Whether the days make a year is a matter
    for `year_problems`.
    """
    if len(text) > MOST_CHARACTERS:
        raise _invalid("file", "size", "文件过大")
    text = text.lstrip("\ufeff").strip()
    if text.startswith("{"):
        rows, hours = _json(text)
    else:
        rows, hours = _csv(text), []
    problems: list[FieldError] = []
    days = [day for n, row in enumerate(rows) if (day := _day(n, row, problems))]
    read_hours = _all_hours(hours, problems)
    problems += _duplicates(days)
    if problems:
        raise Invalid(problems, "节假日表有误", "CALENDAR_INVALID")
    return Sheet(tuple(sorted(days, key=lambda each: each.day)), read_hours)


def is_blank(text: str) -> bool:
    """Whether a table says nothing: no text at all, or the columns' names alone."""
    text = text.lstrip("\ufeff").strip()
    names = {_COLUMNS.get(name := each.strip(), name) for each in text.split(",")}
    return not text or ("\n" not in text and names >= _NEEDED)


def year_problems(year: int, days: Sequence[Day]) -> list[FieldError]:
    """Why these days are not the whole national table of that year."""
    found = [
        FieldError(str(each.day), "year", f"{each.day} 不在 {year} 年")
        for each in days
        if each.day.year != year
    ]
    found += [
        FieldError(str(each.day), "make_up", f"{each.day} 是工作日，不能再调为上班")
        for each in days
        if each.works and each.day.weekday() < 5
    ]
    off = {each.day for each in days if not each.works}
    made_up = {each.day for each in days if each.works}
    names = {each.day: each.name for each in days}
    for month_day, name in _FIXED.items():
        if (fixed := date(year, *month_day)) not in off:
            found.append(FieldError(str(fixed), "gap", f"缺少{name} {fixed}"))
    for name in FESTIVALS:
        named = [day for day in off if day.year == year and name in names[day]]
        if not named:
            found.append(FieldError(name, "gap", f"缺少{name}"))
            continue
        day = min(named)
        while day < max(named):
            day += timedelta(days=1)
            if day in made_up or (day not in off and day.weekday() < 5):
                found.append(FieldError(str(day), "gap", f"{name}假期中缺 {day}"))
    return found


def hours_problems(hours: Sequence[Hours]) -> list[FieldError]:
    """Reversed, overlapping, empty or impossible working hours, and seasons that overlap."""
    found = []
    for n, each in enumerate(hours):
        where = f"hours[{n}]"
        if not each.periods:
            found.append(FieldError(where, "empty", "没有工作时段"))
        for period in each.periods:
            if not 0 <= period.opens < period.closes <= 24 * 60:
                shown = f"{_clock(period.opens)}–{_clock(period.closes)}"
                found.append(FieldError(where, "reversed", f"时段 {shown} 的起止颠倒或超出当日"))
        ordered = sorted(each.periods)
        if any(a.closes > b.opens for a, b in pairwise(ordered)):
            found.append(FieldError(where, "overlap", "工作时段互相重叠"))
        elif list(each.periods) != ordered:
            found.append(FieldError(where, "order", "工作时段应按先后排列"))
    for (n, one), (m, other) in combinations(enumerate(hours), 2):
        if any(one.apply_on(day) and other.apply_on(day) for day in days_of(2024)):
            found.append(FieldError(f"hours[{m}]", "overlap", f"与第 {n + 1} 组的适用日期重叠"))
    return found


def difference(old: Iterable[Day], new: Iterable[Day]) -> dict[str, list[str]]:
    """What an import changes: days `added`, `removed` and `changed`, each as a line to read."""
    before, after = {d.day: d for d in old}, {d.day: d for d in new}
    both = before.keys() & after.keys()
    return {
        "added": [_line(after[day]) for day in sorted(after.keys() - before.keys())],
        "removed": [_line(before[day]) for day in sorted(before.keys() - after.keys())],
        "changed": [
            f"{_line(before[day])} → {_line(after[day])}"
            for day in sorted(both)
            if before[day] != after[day]
        ],
    }


def hours_as_data(hours: Hours) -> dict[str, Any]:
    """Working hours as the JSON file has them."""
    return {
        "from": "{:02}-{:02}".format(*hours.first),
        "until": "{:02}-{:02}".format(*hours.last),
        "periods": [[_clock(each.opens), _clock(each.closes)] for each in hours.periods],
    }


def hours_of(data: Sequence[Mapping[str, Any]]) -> tuple[Hours, ...]:
    """Working hours from the JSON file's form; Invalid names what is wrong."""
    problems: list[FieldError] = []
    hours = _all_hours(data, problems)
    if problems:
        raise Invalid(problems, "作息时间有误", "CALENDAR_INVALID")
    return hours


def _csv(text: str) -> list[Any]:
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=None)))
    except csv.Error:
        raise _invalid("file", "csv", "不是有效的 CSV：某一栏过长或引号不成对") from None
    if not rows or not {_COLUMNS.get(name, name) for name in rows[0]} >= _NEEDED:
        raise _invalid("file", "columns", "首行应为列名 日期,类型,名称，且至少有一行数据")
    return [{_COLUMNS.get(name, name): value for name, value in row.items()} for row in rows]


def _json(text: str) -> tuple[list[Any], list[Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("file", "json", "不是有效的 JSON") from None
    rows, hours = data.get("days", []), data.get("hours", [])
    if not isinstance(rows, list) or not isinstance(hours, list) or not (rows or hours):
        raise _invalid("file", "json", "应有 days 或 hours 列表")
    return rows, hours


def _day(number: int, row: Any, problems: list[FieldError]) -> Day | None:
    where = f"days[{number}]"
    if not isinstance(row, Mapping):
        problems.append(FieldError(where, "form", "应为一个对象"))
        return None
    works = _WORDS.get(str(row.get("kind") or "").strip())
    if works is None:
        problems.append(FieldError(f"{where}.kind", "kind", "kind 应为 off（放假）或 work（上班）"))
    try:
        day = date.fromisoformat(str(row.get("date") or "").strip())
    except ValueError:
        problems.append(FieldError(f"{where}.date", "date", "date 应为 2027-01-01 这样的日期"))
        return None
    return None if works is None else Day(day, works, str(row.get("name") or "").strip()[:40])


def _all_hours(rows: Sequence[Any], problems: list[FieldError]) -> tuple[Hours, ...]:
    if len(rows) > MOST_HOURS:
        problems.append(FieldError("hours", "many", f"作息时间最多 {MOST_HOURS} 组"))
        return ()
    hours = tuple(h for n, row in enumerate(rows) if (h := _hours(n, row, problems)))
    problems += hours_problems(hours)
    return hours


def _hours(number: int, row: Any, problems: list[FieldError]) -> Hours | None:
    where = f"hours[{number}]"
    values = row if isinstance(row, Mapping) else {}
    try:
        periods = tuple(Period(_minute(a), _minute(b)) for a, b in values.get("periods") or ())
        first, last = (
            date.fromisoformat(f"2024-{values.get(key) or usual}")
            for key, usual in (("from", "01-01"), ("until", "12-31"))
        )
    except (TypeError, ValueError):
        problems.append(
            FieldError(where, "form", "应形如 from 05-01 until 09-30 periods 08:30–12:00")
        )
        return None
    return Hours(periods, (first.month, first.day), (last.month, last.day))


def _duplicates(days: Iterable[Day]) -> list[FieldError]:
    seen: set[date] = set()
    found = []
    for each in days:
        if each.day in seen:
            found.append(FieldError(str(each.day), "duplicate", f"{each.day} 出现多次"))
        seen.add(each.day)
    return found


def _minute(text: Any) -> int:
    if not isinstance(text, str):
        raise TypeError(text)
    hour, minute = (int(part) for part in text.split(":"))
    if not 0 <= minute < 60:
        raise ValueError(text)
    return hour * 60 + minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _line(day: Day) -> str:
    return f"{day.day} {'上班' if day.works else '放假'} {day.name}".rstrip()


def _invalid(field: str, rule: str, message: str) -> Invalid:
    return Invalid([FieldError(field, rule, message)], "节假日表有误", "CALENDAR_INVALID")

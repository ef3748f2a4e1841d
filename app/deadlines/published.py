"""Holiday tables that come with the product: published ones, and estimates for later years.

`chinesecalendar` holds what the State Council has published (to 2026). For later years `holidays`
knows the statutory days by the lunar calendar, but not the make-up weekends, which are decreed each
autumn.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

import chinese_calendar
import holidays

from app.core.clock import BEIJING
from app.deadlines.calendar import Calendar

OFFICIAL, ESTIMATED = "official", "estimated"
STATUSES = {OFFICIAL: "已公布", ESTIMATED: "预估"}

FESTIVALS = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节")
"""The seven that every year's table has (全国年节及纪念日放假办法)."""

_IN_CHINESE = {
    chinese_calendar.Holiday.new_years_day.value: "元旦",
    chinese_calendar.Holiday.spring_festival.value: "春节",
    chinese_calendar.Holiday.tomb_sweeping_day.value: "清明节",
    chinese_calendar.Holiday.labour_day.value: "劳动节",
    chinese_calendar.Holiday.dragon_boat_festival.value: "端午节",
    chinese_calendar.Holiday.mid_autumn_festival.value: "中秋节",
    chinese_calendar.Holiday.national_day.value: "国庆节",
}
ESTIMATED_YEARS = 10
"""So many years after the last published one are estimated; after them Monday to Friday."""

FIRST, LAST = 2004, 2059
"""Years for which a calendar is shown and edited."""
EARLIEST, LATEST = datetime(2010, 1, 1, tzinfo=BEIJING), datetime(2060, 1, 1, tzinfo=BEIJING)
"""When a ticket may have been received for its due dates to be tried out."""


@dataclass(frozen=True)
class Day:
    """A day that differs from its weekday: `works` is a make-up weekend, else a holiday."""

    day: date
    works: bool
    name: str


@dataclass(frozen=True)
class Year:
    """The table of one year, with where it comes from."""

    year: int
    status: str
    source: str
    days: tuple[Day, ...]


@cache
def years() -> dict[int, Year]:
    """Every year this installation knows without anybody importing one."""
    found: dict[int, list[Day]] = {}
    tables = chinese_calendar.constants
    for works, table in ((False, tables.holidays), (True, tables.workdays)):
        for day, name in table.items():
            found.setdefault(day.year, []).append(Day(day, works, _IN_CHINESE.get(name, name)))
    known = {
        year: Year(year, OFFICIAL, "chinesecalendar", tuple(sorted(days, key=lambda d: d.day)))
        for year, days in found.items()
    }
    last = max(known)
    for year in range(last + 1, last + 1 + ESTIMATED_YEARS):
        table = holidays.country_holidays("CN", years=year, language="zh_CN")
        days = tuple(Day(day, False, name) for day, name in sorted(table.items()))
        known[year] = Year(year, ESTIMATED, "holidays", days)
    return known


@cache
def calendar() -> Calendar:
    """The national calendar of these tables."""
    return calendar_of(years())


def calendar_of(tables: dict[int, Year]) -> Calendar:
    """A national calendar from year tables."""
    return Calendar(
        days={day.day: day.works for year in tables.values() for day in year.days},
        official=frozenset(y.year for y in tables.values() if y.status == OFFICIAL),
    )

"""A limit (期限) is a number and a unit: `15wd`, `4wh`, `60cd`, `5min`; it is never guessed."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.deadlines.calendar import Calendar, Moment

UNITS = {"wd": "个工作日", "wh": "个工作时", "cd": "日", "min": "分钟"}
MOST = {"wd": 250, "wh": 700, "cd": 366, "min": 1440}
"""More than a year is a slip."""
_LIMIT = re.compile(r"(\d{1,6})(wd|wh|cd|min)", re.ASCII)


@dataclass(frozen=True)
class Limit:
    """So many working days (`wd`), working hours (`wh`), calendar days (`cd`), minutes (`min`).

    Minutes are for machines: they run at night too.
    """

    number: int
    unit: str

    def __str__(self) -> str:
        return f"{self.number}{self.unit}"

    @property
    def title(self) -> str:
        """As people read it."""
        return f"{self.number}{UNITS[self.unit]}"

    def after(self, start: datetime, calendar: Calendar) -> Moment:
        """When it is over."""
        if self.unit == "wh":
            return calendar.add_working_time(start, timedelta(hours=self.number))
        if self.unit == "wd":
            return calendar.add_working_days(start, self.number)
        if self.unit == "min":
            return Moment(start + timedelta(minutes=self.number), False)
        return calendar.add_calendar_days(start, self.number)

    def before(self, due: datetime, calendar: Calendar) -> datetime:
        """When it has to begin to be over by `due`."""
        if self.unit == "wh":
            return calendar.subtract_working_time(due, timedelta(hours=self.number))
        if self.unit == "wd":
            return calendar.subtract_working_days(due, self.number)
        if self.unit == "min":
            return due - timedelta(minutes=self.number)
        return due - timedelta(days=self.number)

    def rough(self) -> timedelta:
        """Its working time in an ordinary week, to add up limits of different units."""
        hours = {"wh": 1.0, "wd": 7.0, "cd": 5.0, "min": 1 / 60}[self.unit]
        return timedelta(hours=hours * self.number)


def limit_of(text: object) -> Limit:
    """`15wd` → a limit; ValueError says in Chinese what is wrong with it."""
    found = _LIMIT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("应为数字加单位：wd 工作日、wh 工作时、cd 自然日、min 分钟")
    number, unit = int(found[1]), found[2]
    if not 0 < number <= MOST[unit]:
        raise ValueError(f"应在 1 至 {MOST[unit]}{UNITS[unit]}之间")
    return Limit(number, unit)

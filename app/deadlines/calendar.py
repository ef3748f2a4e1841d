"""Working time (工作时间) as arithmetic: pure, in Asia/Shanghai, exact to the microsecond.

Two notions that are never mixed: a working *day* ends when its working time ends, a working *hour*
is an hour in which people work. A working day is not 24 hours, and not seven of them either.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from app.core.clock import BEIJING

_MICROSECOND = timedelta(microseconds=1)
_MINUTE = 60_000_000

MonthDay = tuple[int, int]


@dataclass(frozen=True, order=True)
class Period:
    """A stretch of working time within a day, in minutes after midnight."""

    opens: int
    closes: int


@dataclass(frozen=True)
class Hours:
    """Working hours (作息时间) of a part of the year; a part may run over the year's end."""

    periods: tuple[Period, ...]
    first: MonthDay = (1, 1)
    last: MonthDay = (12, 31)

    def apply_on(self, day: date) -> bool:
        """Whether these hours hold on that day of the year."""
        here = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


STANDARD = Hours((Period(8 * 60 + 30, 12 * 60), Period(14 * 60 + 30, 18 * 60)))
"""8:30–12:00 and 14:30–18:00, seven hours, as the hotlines' own notices have it."""


@dataclass(frozen=True)
class Moment:
    """A due moment; `provisional` (暂定) when a year on the way has no published table yet."""

    at: datetime
    provisional: bool


class _Year:
    """The working days of one year, summed up so that any sum over them is two look-ups."""

    def __init__(self, calendar: "Calendar", year: int) -> None:
        first, after = date(year, 1, 1), date(year + 1, 1, 1)
        self.first, self.after = first.toordinal(), after.toordinal()
        self.days = [
            day
            for day in range(self.first, self.after)
            if calendar.is_working_day(date.fromordinal(day))
        ]
        self.periods = [calendar.periods(date.fromordinal(day)) for day in self.days]
        self.sums = [0]
        for periods in self.periods:
            self.sums.append(self.sums[-1] + sum(p.closes - p.opens for p in periods) * _MINUTE)

    def before(self, day: int, into_day: int) -> int:
        """Working microseconds from the beginning of the year."""
        index = bisect_left(self.days, day)
        worked = self.sums[index]
        if index < len(self.days) and self.days[index] == day:
            for period in self.periods[index]:
                length = (period.closes - period.opens) * _MINUTE
                worked += min(max(into_day - period.opens * _MINUTE, 0), length)
        return worked

    def reach(self, worked: int) -> tuple[int, int]:
        """The first moment by which so much of the year's working time (more than none) is over."""
        index = bisect_left(self.sums, worked) - 1
        missing = worked - self.sums[index]
        for period in self.periods[index]:
            length = (period.closes - period.opens) * _MINUTE
            if missing <= length:
                return self.days[index], period.opens * _MINUTE + missing
            missing -= length
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class Calendar:
    """Which days and hours count. `days` overrides Monday to Friday: True works, False rests.

    `official` are the years whose table has been published; the others count with what is known.
    Of several `hours` that hold on a day the last one wins.
    """

    days: Mapping[date, bool]
    official: frozenset[int]
    hours: tuple[Hours, ...] = (STANDARD,)
    _years: dict[int, _Year] = field(default_factory=dict, repr=False, compare=False)

    def is_working_day(self, day: date) -> bool:
        """Whether people work on this day, make-up weekends (调休) included."""
        return self.days.get(day, day.weekday() < 5)

    def periods(self, day: date) -> tuple[Period, ...]:
        """The working hours of such a day, whether it is one or not."""
        if len(self.hours) == 1:
            return self.hours[0].periods
        return next((h.periods for h in reversed(self.hours) if h.apply_on(day)), STANDARD.periods)

    def closing(self, day: date) -> datetime:
        """The end of working time of that day (of a rest day too: a platform may ask for one)."""
        return _moment(day.toordinal(), self.periods(day)[-1].closes * _MINUTE)

    def receipt(self, moment: datetime) -> datetime:
        """When something counts as received: after closing or on a rest day at the next opening."""
        local = moment.astimezone(BEIJING)
        day = local.date()
        if self.is_working_day(day) and local <= self.closing(day):
            return local
        following = self._working_day(day.toordinal(), 1)
        opens = self.periods(date.fromordinal(following))[0].opens
        return _moment(following, opens * _MINUTE)

    def add_working_days(self, moment: datetime, days: int) -> Moment:
        """The closing of the n-th working day after the day of receipt (民法典 201)."""
        start = self.receipt(moment)
        last = self._working_day(start.toordinal(), days)
        return self._due(moment, self.closing(date.fromordinal(last)))

    def add_calendar_days(self, moment: datetime, days: int) -> Moment:
        """The closing of the n-th day after receipt or the next working day (民法典 201, 203)."""
        last = self.receipt(moment).toordinal() + days
        if not self.is_working_day(date.fromordinal(last)):
            last = self._working_day(last, 1)
        return self._due(moment, self.closing(date.fromordinal(last)))

    def add_working_time(self, moment: datetime, amount: timedelta) -> Moment:
        """The first moment by which so much working time has passed; nothing added is no move."""
        return self._due(moment, self._shift(moment, amount))

    def subtract_working_time(self, moment: datetime, amount: timedelta) -> datetime:
        """The first moment from which so much working time is left until `moment`."""
        return self._shift(moment, -amount)

    def subtract_working_days(self, moment: datetime, days: int) -> datetime:
        """The closing of the n-th working day before the day of `moment`."""
        day = self._working_day(moment.astimezone(BEIJING).toordinal(), -days)
        return self.closing(date.fromordinal(day))

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two moments; negative when they are in the other order."""
        if end < start:
            return -self.working_time(end, start)
        (first, into_first), (last, into_last) = _place(start), _place(end)
        year, final = date.fromordinal(first).year, date.fromordinal(last).year
        worked = -self._year(year).before(first, into_first)
        for each in range(year, final):
            worked += self._year(each).sums[-1]
        return (worked + self._year(final).before(last, into_last)) * _MICROSECOND

    def working_days_between(self, first: date, last: date) -> int:
        """Working days after `first` up to and with `last`."""
        total = 0
        for year in range(first.year, last.year + 1):
            days = self._year(year).days
            total += bisect_right(days, last.toordinal()) - bisect_right(days, first.toordinal())
        return total

    def is_official(self, start: datetime, end: datetime) -> bool:
        """Whether every year from start to end has a published table."""
        first, last = start.astimezone(BEIJING).year, end.astimezone(BEIJING).year
        return all(year in self.official for year in range(first, last + 1))

    @cached_property
    def day_length(self) -> timedelta:
        """The working time of an ordinary day, to say hours as days (seven by the standard)."""
        return sum(p.closes - p.opens for p in self.hours[0].periods) * timedelta(minutes=1)

    def _due(self, start: datetime, at: datetime) -> Moment:
        return Moment(at, not self.is_official(start, at))

    def _shift(self, moment: datetime, amount: timedelta) -> datetime:
        if not amount:
            return moment.astimezone(BEIJING)
        day, into_day = _place(moment)
        year = date.fromordinal(day).year
        worked = self._year(year).before(day, into_day) + amount // _MICROSECOND
        while worked <= 0:
            year -= 1
            worked += self._year(year).sums[-1]
        while worked > (whole := self._year(year).sums[-1]):
            worked -= whole
            year += 1
        return _moment(*self._year(year).reach(worked))

    def _working_day(self, day: int, step: int) -> int:
        """The step-th working day after (before) a day; with 0 the day itself."""
        if not step:
            return day
        year = date.fromordinal(day).year
        days = self._year(year).days
        index = (bisect_right(days, day) - 1 if step > 0 else bisect_left(days, day)) + step
        while index < 0:
            year -= 1
            days = self._year(year).days
            index += len(days)
        while index >= len(days):
            index -= len(days)
            year += 1
            days = self._year(year).days
        return days[index]

    def _year(self, year: int) -> _Year:
        if year not in self._years:
            self._years[year] = _Year(self, year)
        return self._years[year]


def days_of(year: int) -> Iterator[date]:
    """Every day of a year."""
    for ordinal in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()):
        yield date.fromordinal(ordinal)


def _place(moment: datetime) -> tuple[int, int]:
    local = moment.astimezone(BEIJING)
    seconds = (local.hour * 60 + local.minute) * 60 + local.second
    return local.toordinal(), seconds * 1_000_000 + local.microsecond


def _moment(day: int, into_day: int) -> datetime:
    whole = datetime.fromordinal(day).replace(tzinfo=BEIJING)
    return whole + into_day * _MICROSECOND

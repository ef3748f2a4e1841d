"""Time left as people read it: “剩余 6 工作时”, “逾期 1 个工作日 2 小时”."""

from datetime import datetime, timedelta

from app.deadlines.calendar import Calendar

_HOUR = timedelta(hours=1)


def remaining(now: datetime, due: datetime | None, calendar: Calendar) -> str:
    """Working time until the due date or since it, in days of the calendar's own length."""
    if due is None:
        return "未设时限"
    late = now > due
    word = "逾期" if late else "剩余"
    days, rest = divmod(abs(calendar.working_time(now, due)), calendar.day_length)
    hours = int(rest / _HOUR)
    if days:
        return f"{word} {days} 个工作日" + (f" {hours} 小时" if hours else "")
    return f"{word} {hours} 工作时" if hours else f"{word}不足 1 工作时"


def duration(working: timedelta, calendar: Calendar) -> str:
    """A stretch of working time, of a pause for example."""
    days, rest = divmod(working, calendar.day_length)
    hours, minutes = divmod(int(rest.total_seconds()) // 60, 60)
    parts = [(days, "个工作日"), (hours, "小时"), (minutes, "分钟")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "不足 1 分钟"

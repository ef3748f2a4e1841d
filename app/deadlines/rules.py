"""Time limits (时限) of a ticket, for now one total in working days (工作日).

The stage keys are those user tasks may name; their own limits come with the deadline engine.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache

import chinese_calendar

from app.core.clock import BEIJING

STAGES = {
    "sign_in": "省级签收",
    "review": "初审",
    "transfer_approval": "移送审批",
    "dispatch": "分派",
    "city_forward": "市级签收转办",
    "county_sign_in": "县级签收",
    "handle": "办理",
    "audit_city": "市级审核",
    "audit_province": "省级审核",
    "review_return": "审核下级退回",
    "return_decision": "退单批复",
    "extension_opinion": "延期意见",
    "extension_decision": "延期批复",
    "national_receipt": "国家接收结果",
    "callback": "回访",
    "decide_rework": "决定是否重办",
    "answer_call": "接听",
    "record_ticket": "记录工单",
    "call_back": "回拨",
    "read": "阅知",
    "urge_reply": "答复催办",
    "supervision_reply": "答复督办单",
    "cohandle": "协办",
    "withdrawal": "撤回确认",
    "suspension_approval": "挂起审批",
}
"""Deadline key of a user task → its name (REQUIREMENTS 2.2)."""

TOTAL_WORKING_DAYS = {"complaint": 15, "declaration": 20, "consultation": 2, "suggestion": 10}
"""By ticket type; 广东省12345管理办法 (2/10/15) and 海南 2021 (20), as policy and not as law."""

LONGEST = timedelta(days=366)
"""No date a platform asks for is later than this after the receipt."""

OPENING = time(8, 30)
CLOSING = time(18, 0)
WORKING_HOURS = 7


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Whether people work on this day, make-up weekends (调休) included.

    The published table ends with 2026; later days count Monday to Friday until it is known.
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def total_due(
    ticket_type: str, received_at: datetime, requested: date | None
) -> tuple[datetime, bool]:
    """When the ticket is due, and whether a date the platform asked for had to be adjusted.

    Day counting leaves the day of receipt out (民法典 201) and ends at closing time. A requested
    date counts when it is at least one working day after receipt and at most a year: a later one
    is a slip, and lists would count its working days for ages.
    """
    start = _effective_day(received_at)
    if requested is not None:
        asked = datetime.combine(requested, CLOSING, BEIJING)
        if _add_working_days(start, 1) <= asked and requested - start <= LONGEST:
            return asked, False
    return _add_working_days(start, TOTAL_WORKING_DAYS[ticket_type]), requested is not None


def working_days_after(moment: datetime, days: int) -> datetime:
    """Closing time of the n-th working day after the day that counts as receipt."""
    return _add_working_days(_effective_day(moment), days)


def light(now: datetime, due: datetime | None) -> str:
    """`green`, `yellow` (due within two working days) or `red` (overdue)."""
    if due is None:
        return "none"
    if now > due:
        return "red"
    return "yellow" if due < yellow_until(now) else "green"


def yellow_until(now: datetime) -> datetime:
    """What is due before this moment is yellow: two working days from now."""
    return _add_working_days(now.astimezone(BEIJING).date(), 2) + timedelta(seconds=1)


def working_hours(start: datetime, end: datetime) -> float:
    """Working hours between two moments, seven a working day (8:30–12:00, 14:30–18:00)."""
    total = timedelta()
    day, last = start.astimezone(BEIJING).date(), end.astimezone(BEIJING).date()
    first = day
    while day <= last:
        if is_working_day(day) and first < day < last:
            total += timedelta(hours=WORKING_HOURS)
        elif is_working_day(day):
            for opens, closes in ((OPENING, time(12)), (time(14, 30), CLOSING)):
                begin = max(start, datetime.combine(day, opens, BEIJING))
                finish = min(end, datetime.combine(day, closes, BEIJING))
                total += max(finish - begin, timedelta())
        day += timedelta(days=1)
    return total / timedelta(hours=1)


def remaining_text(now: datetime, due: datetime | None) -> str:
    """“剩余 6 工作时” or “逾期 1 个工作日 2 小时”, as the worklist shows it."""
    if due is None:
        return "未设时限"
    late = now > due
    hours = int(working_hours(due, now) if late else working_hours(now, due))
    days, rest = divmod(hours, WORKING_HOURS)
    word = "逾期" if late else "剩余"
    if not days:
        return f"{word} {rest} 工作时" if rest else f"{word}不足 1 工作时"
    return f"{word} {days} 个工作日" + (f" {rest} 小时" if rest else "")


def _effective_day(received_at: datetime) -> date:
    """The day that counts as receipt: after closing or on a rest day it is the next working day."""
    local = received_at.astimezone(BEIJING)
    day = local.date() if local.time() <= CLOSING else local.date() + timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def _add_working_days(start: date, days: int) -> datetime:
    day = start
    while days:
        day += timedelta(days=1)
        if is_working_day(day):
            days -= 1
    return datetime.combine(day, CLOSING, BEIJING)

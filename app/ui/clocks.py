"""All clocks of a ticket (时限) as its page draws them: what is left, and a bar with its pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.deadlines import calendars, editions, queries, wording
from app.deadlines.calendar import Calendar
from app.deadlines.ladder import LIGHTS, RED
from app.deadlines.limits import limit_of
from app.deadlines.models import CANCELLED, PAUSED, Deadline, Pause, TicketClock
from app.deadlines.policy import LAWS, TITLES
from app.deadlines.queries import Overview
from app.tickets.models import Ticket
from app.tickets.rules import CLOSED
from app.ui.present import shown

PAUSES = {"return": "退单待批", "supplement": "等待补充", "suspension": "挂起"}
_NOTHING = timedelta()


def view(ticket: Ticket, now: datetime) -> dict[str, Any] | None:
    """What `ticket/_clocks.html` draws; None of a ticket whose clock was never started."""
    found = queries.overview(ticket.id)
    if found is None:
        return None
    calendar = calendars.of(found.clock.division_code)
    return {
        "open": [_line(row, found, now, calendar) for row in found.deadlines if _runs(row)],
        "closed": [_line(row, found, now, calendar) for row in found.deadlines if not _runs(row)],
        "pauses": [_pause(pause, now, calendar) for pause in found.pauses],
    }


def signs(tickets: Sequence[Ticket], now: datetime) -> dict[int, tuple[str, str]]:
    """The light of each ticket and what is left of its time, for lists.

    After the last audit no clock runs: late stays red, in time has no light (EX-14), nor has what
    is over or was never recorded.
    """
    found = {ticket.id: ("none", "") for ticket in tickets}
    running = [ticket.id for ticket in tickets if ticket.status not in CLOSED]
    edition = editions.current().calendar
    for clock, row in queries.totals(running):
        if row.closed_at is None or row.on_time is False:
            calendar = calendars.of(clock.division_code, edition)
            found[clock.ticket_id] = _light(row, clock, now), left(row, clock, now, calendar)
    return found


def lamp(step: str) -> str:
    """The light of a step: what escalates after red stays red."""
    return step if step in LIGHTS else RED


def left(row: Deadline, clock: TicketClock, now: datetime, calendar: Calendar) -> str:
    """What is left of a clock, or what became of it, in words."""
    if row.state == CANCELLED:
        return "不再计时"
    if row.closed_at is not None:
        late = wording.remaining(row.paused_at or row.closed_at, row.due_at, calendar)
        return "按时完成" if row.on_time else late
    if row.state == PAUSED:
        return f"暂停计时，{wording.remaining(row.paused_at or now, row.due_at, calendar)}"
    if now > row.due_at and clock.extension_asked_at is not None:
        return "延期审批中"
    return wording.remaining(now, row.due_at, calendar)


def _runs(row: Deadline) -> bool:
    return row.closed_at is None


def _line(row: Deadline, found: Overview, now: datetime, calendar: Calendar) -> dict[str, Any]:
    light = _light(row, found.clock, now)
    return {
        "label": TITLES[row.stage] + (f"（第 {row.round} 轮）" if row.round > 1 else ""),
        "total": row.stage == "total",
        "start_text": shown(row.start_at),
        "due_text": shown(row.due_at),
        "light": light,
        "remaining_text": left(row, found.clock, now, calendar),
        "limit": limit_of(row.limit).title if row.limit else "",
        "basis": row.basis,
        "law": LAWS[row.law] if row.basis else "",
        "tags": _tags(row),
        "granted": "、".join(limit_of(each).title for each in row.granted),
        "paused": wording.duration(row.paused, calendar) if row.paused else "",
        "bar": _bar(row, found.pauses, now, calendar),
    }


def _light(row: Deadline, clock: TicketClock, now: datetime) -> str:
    """A clock that has ended is green or red by its result, one that fell away has no light.

    What is overdue is red at once, not only when the scheduler has come by.
    """
    if row.closed_at is not None:
        return {True: "green", False: "red", None: "none"}[row.on_time]
    if row.state == PAUSED:
        return "none"
    return RED if now > row.due_at and clock.extension_asked_at is None else lamp(row.light)


def _tags(row: Deadline) -> list[dict[str, str]]:
    found = [
        (row.provisional, "暂定", "yellow", "期间有年份的节假日安排尚未公布，公布后重新计算"),
        (row.squeezed, "已压缩", "orange", "剩余时间不足，按比例缩短，须为后续审核留出时间"),
        (row.state == PAUSED, "暂停", "blue", "恢复后补足暂停的工作时间"),
    ]
    return [
        {"label": label, "tone": tone, "why": why} for holds, label, tone, why in found if holds
    ]


@dataclass(frozen=True)
class Bar:
    """Where things stand on a scale of a thousand, in working time from the start.

    The scale ends with the due date, or later when that has passed.
    """

    due: int
    used: int
    late: int
    yellow: int
    orange: int
    pauses: tuple[tuple[int, int], ...]
    """(from, length) of each."""
    percent: int
    """Of the limit used, for people who do not see the bar."""


def _bar(row: Deadline, pauses: Sequence[Pause], now: datetime, calendar: Calendar) -> Bar:
    until = row.closed_at or row.paused_at or now
    whole = calendar.working_time(row.start_at, max(row.due_at, until))

    def place(moment: datetime) -> int:
        worked = calendar.working_time(row.start_at, moment)
        return min(max(round(worked / whole * 1000), 0), 1000) if whole > _NOTHING else 1000

    due, used = place(row.due_at), place(until)
    return Bar(
        due=due,
        used=min(used, due),
        late=max(used - due, 0),
        yellow=place(row.yellow_at),
        orange=place(row.orange_at),
        pauses=tuple(
            (begun, ended - begun)
            for pause in (pauses if row.paused or row.paused_at else ())
            if (begun := place(pause.started_at)) < (ended := place(pause.ended_at or now))
        ),
        percent=min(round(used / due * 100), 100) if due else 100,
    )


def _pause(pause: Pause, now: datetime, calendar: Calendar) -> dict[str, str]:
    ended = pause.ended_at
    return {
        "reason": PAUSES[pause.reason],
        "since": shown(pause.started_at),
        "until": shown(ended) if ended else "至今",
        "length": wording.duration(calendar.working_time(pause.started_at, ended or now), calendar),
    }

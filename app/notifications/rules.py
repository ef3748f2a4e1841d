"""When a notification may leave the house: quiet hours, digests, what is told at once. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app.core.clock import BEIJING
from app.deadlines.calendar import Calendar


@dataclass(frozen=True)
class Kind:
    """A kind of notification: its word, and how it is sent out."""

    label: str
    tone: str
    """The colour of its tag."""
    at_once: bool = False
    """Quiet hours do not hold it."""
    digest: bool = False
    """Goes into the daily digest of whoever wants one."""


URGENT = "urgent"

KINDS = {
    "yellow": Kind("黄灯", "yellow", digest=True),
    "orange": Kind("橙灯", "orange", digest=True),
    "red": Kind("红灯", "red", at_once=True),
    URGENT: Kind("紧急", "red", at_once=True),
    "urge": Kind("催办", "orange"),
    "undelivered": Kind("未送达", "red"),
    "late_push": Kind("推送超时", "orange"),
    "calendar": Kind("日历", "yellow"),
}


@dataclass(frozen=True)
class Quiet:
    """Quiet hours (免打扰时段) in Beijing time; they may span midnight, equal ends mean none."""

    start: time
    end: time

    def covers(self, moment: datetime) -> bool:
        """Whether nobody wants to be disturbed then."""
        at = moment.astimezone(BEIJING).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def over(self, moment: datetime) -> datetime:
        """The moment itself, or the end of the quiet hours it lies in."""
        if not self.covers(moment):
            return moment
        local = moment.astimezone(BEIJING)
        end = datetime.combine(local.date(), self.end, BEIJING)
        return end if end > local else end + timedelta(days=1)


NIGHT = Quiet(time(21), time(8))
"""Where nobody has decided otherwise."""

DIGEST_AT = time(8, 30)

GATHERED = timedelta(minutes=1)
"""Only what is urgent leaves this minute: what a night has let pass is one message a person."""

LISTED = 20
"""So many of a message's notifications are spelt out; the rest is counted."""


def send_at(kind: str, now: datetime, quiet: Quiet, calendar: Calendar, *, daily: bool) -> datetime:
    """When the hook may have it."""
    how = KINDS[kind]
    if kind == URGENT:
        return now
    if how.at_once:
        return now + GATHERED
    return quiet.over(_next_digest(now, calendar) if how.digest and daily else now + GATHERED)


def _next_digest(now: datetime, calendar: Calendar) -> datetime:
    local = now.astimezone(BEIJING)
    day = local.date()
    if local.time() >= DIGEST_AT:
        day += timedelta(days=1)
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, DIGEST_AT, BEIJING)


def text_of(kinds_and_titles: Sequence[tuple[str, str]]) -> str:
    """What an SMS says: the one title, or how many of which kind."""
    if len(kinds_and_titles) == 1:
        ((kind, title),) = kinds_and_titles
        return f"【{KINDS[kind].label}】{title}"
    counts = {
        how.label: n
        for code, how in KINDS.items()
        if (n := sum(1 for kind, _ in kinds_and_titles if kind == code))
    }
    listed = "、".join(f"{label} {n} 条" for label, n in counts.items())
    return f"您有 {len(kinds_and_titles)} 条提醒：{listed}，请登录查看。"

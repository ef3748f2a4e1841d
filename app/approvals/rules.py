"""Decisions about extensions (延期, EX-03) as plain functions. How long: REQUIREMENTS 2.2."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.clock import BEIJING
from app.deadlines.rules import CLOSING, working_days_after


@dataclass(frozen=True)
class ExtensionPolicy:
    """How often a type of ticket may be extended, and by how many calendar days in sum."""

    times: int
    days: int


EXTENSIONS = {
    "complaint": ExtensionPolicy(1, 30),
    "declaration": ExtensionPolicy(1, 15),
    "suggestion": ExtensionPolicy(1, 15),
    "consultation": ExtensionPolicy(0, 0),
}
"""By ticket type; the thirty days are 信访工作条例 34."""

ASK_BEFORE = 1
"""Working days before the end of the time limit: a later request counts as none."""
RESPITE = 1
"""Working days that are left at least after a refusal."""
ANSWER_WITHIN = 1
"""Working days 12345 has before it is reminded. Silence is never consent."""

_DECIDERS = {
    "p12345_api": "p12345",
    "p12345_page": "p12345",
    "national": "national",
    "phone_010": "national",
}


@dataclass(frozen=True)
class Way:
    """Whose opinion is asked before, and who decides: `p12345`, `national` or `leader`."""

    city_first: bool
    province_first: bool
    decider: str


def way(source: str, asked_by: str, *, has_city: bool, is_citys_own: bool) -> Way:
    """The way up for a request of the `province`, `city` or `county`.

    Who sent the ticket decides, and the province's leader about tickets of our own and of calls
    (信访工作条例 34). A letter the city registered stays out of the province operator's hands
    (FLW-05): after the city's opinion the leader decides.
    """
    return Way(
        city_first=asked_by == "county" and has_city,
        province_first=asked_by != "province" and not is_citys_own,
        decider=_DECIDERS.get(source, "leader"),
    )


def is_too_late(now: datetime, due: datetime) -> bool:
    """Whether less than a working day is left to ask."""
    return working_days_after(now, ASK_BEFORE) > due


def prolonged(due: datetime, days: int) -> datetime:
    """So many calendar days later, at closing time; a rest day gives way to the next working day.

    民法典 203.
    """
    day = due.astimezone(BEIJING).date() + timedelta(days=days)
    return working_days_after(datetime.combine(day, CLOSING, BEIJING), 0)


def after_refusal(due: datetime, now: datetime) -> datetime:
    """The time limit as it was, but never without time to finish (EX-03)."""
    return max(due, working_days_after(now, RESPITE))

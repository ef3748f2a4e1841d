"""The steps a deadline climbs (灯与升级): yellow, orange, red, then the escalation. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.deadlines.calendar import Calendar
from app.deadlines.policy import Policy

GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"
SUPERVISE, LEADERS, NOTICE = "supervise", "leaders", "notice"
STEPS = (GREEN, YELLOW, ORANGE, RED, SUPERVISE, LEADERS, NOTICE)
"""In this order. After red: 督办 task, leaders' list (领导名单), circular (通报名单)."""
LIGHTS = {GREEN: "绿灯", YELLOW: "黄灯", ORANGE: "橙灯", RED: "红灯"}
LATE = frozenset(STEPS[STEPS.index(RED) :])
_AFTER = timedelta(microseconds=1)
"""The due moment itself is still in time."""


@dataclass(frozen=True)
class Marks:
    """The moments of a deadline at which something happens."""

    yellow_at: datetime
    orange_at: datetime
    due_at: datetime

    def moment(self, step: str, policy: Policy, calendar: Calendar) -> datetime:
        """When a step is reached."""
        if step == YELLOW:
            return self.yellow_at
        if step == ORANGE:
            return self.orange_at
        if step == RED:
            return self.due_at + _AFTER
        return policy.escalation[step].after(self.due_at, calendar).at + _AFTER


def following(step: str) -> str | None:
    """The next step; None after the last."""
    rest = STEPS[STEPS.index(step) + 1 :]
    return rest[0] if rest else None


def climb(
    reached: str,
    marks: Marks,
    now: datetime,
    policy: Policy,
    calendar: Calendar,
    *,
    held: bool = False,
) -> list[str]:
    """The steps to take now, after a night's downtime all that were missed (DL-11).

    While it is `held` (延期审批中) nothing turns red.

    A warning that a later light has overtaken is left out: nobody needs a yellow light on a red
    ticket. What follows red is never left out.
    """
    due = []
    step = following(reached)
    while step is not None and not (held and step in LATE):
        if marks.moment(step, policy, calendar) > now:
            break
        due.append(step)
        step = following(step)
    lights = [each for each in due if each in LIGHTS]
    return [each for each in due if each not in lights[:-1]]


def fallen_back(reached: str, marks: Marks, now: datetime) -> str:
    """The step of a deadline whose dates moved: as reached, or lower when its time is not yet."""
    moments: Sequence[tuple[str, datetime]] = (
        (YELLOW, marks.yellow_at),
        (ORANGE, marks.orange_at),
        (RED, marks.due_at + _AFTER),
    )
    held = GREEN
    for step, moment in moments:
        if moment <= now:
            held = step
    if held == RED:
        return reached
    return min(reached, held, key=STEPS.index)

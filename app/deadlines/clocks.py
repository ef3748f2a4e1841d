"""A ticket's clock and its deadlines, locked: planning, scheduling. Used by the services.

Whoever changes a deadline holds the row of its clock. A due date is never moved by hand: what
happened is written down, and the date is computed anew from its beginning. Nothing is in the
database before `write`.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from app.deadlines import calendars, editions, held, ladder, plan, policies, registry
from app.deadlines.calendar import Calendar
from app.deadlines.errors import NoClock
from app.deadlines.held import ClockRow, DeadlineRow
from app.deadlines.ladder import GREEN, LATE, Marks
from app.deadlines.limits import limit_of
from app.deadlines.models import RUNNING
from app.deadlines.plan import Adjustment, Facts
from app.deadlines.policy import Policy
from app.workqueue import services as workqueue

LANE = "deadlines"

PLANNED = frozenset(
    {
        *("sign_in", "review", "transfer_approval", "dispatch", "city_forward"),
        *("county_sign_in", "handle", "audit_city", "audit_province"),
    }
)
"""Stages planned back from the ticket's due date."""
CAPPED = frozenset({"first_contact", "cohandle", "review_return"})
"""Never due after the ticket; the others answer to nobody's date but their own."""
UNPAUSED = frozenset({"notify_acceptance"})
"""The law's fifteen days run on, whatever the ticket waits for (信访工作条例 23)."""
PAUSES = {
    "return": frozenset({"return_decision"}),
    "supplement": frozenset({"supplement_wait"}),
    "suspension": frozenset[str](),
}
"""Why a clock stands still (退单待批, 等待补充, 挂起), and what is waited for and so runs on."""


@dataclass
class Clock:
    """A locked clock with what computing its deadlines needs."""

    row: ClockRow
    calendar: Calendar
    edition: int
    rows: list[DeadlineRow]
    """The deadlines of the round, open and closed, oldest first."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """What has happened to them and is not written yet."""
    moved: list[DeadlineRow] = field(default_factory=list)
    """Those whose dates are shown elsewhere and have moved, stopped or gone on since."""

    @cached_property
    def policy(self) -> Policy:
        """The policy the ticket was received under; a newer one only by `recompute` (DL-08)."""
        return policies.version(self.row.policy)

    @property
    def open_rows(self) -> list[DeadlineRow]:
        """The running and paused ones."""
        return [row for row in self.rows if row.is_open]

    @property
    def total(self) -> DeadlineRow:
        """The total of the round, open or frozen."""
        return self.of_stage("total")[0]

    def of_stage(self, stage: str) -> list[DeadlineRow]:
        """All of a stage."""
        return [row for row in self.rows if row.stage == stage]

    @property
    def facts(self) -> Facts:
        """What is known of the ticket now."""
        return Facts.from_data(self.row.facts)

    def note_moved(self, row: DeadlineRow) -> None:
        """Let `write` tell, once, that its dates are others now."""
        if not any(each is row for each in self.moved):
            self.moved.append(row)

    def move_to(self, division_code: str) -> None:
        """Count by the calendar of another division from now on."""
        edition = editions.current().calendar
        self.row.division_code = division_code
        self.calendar, self.edition = calendars.of(division_code, edition), edition.last


def find(ticket_id: int) -> Clock | None:
    """Lock a ticket's clock; None when there is none. Its lights may be older than the lock."""
    found = held.lock(ticket_id)
    if found is None:
        return None
    row, rows, numbers = found
    edition = editions.of(numbers).calendar
    return Clock(row, calendars.of(row.division_code, edition), edition.last, rows)


def running(ticket_ids: Collection[int]) -> list[Clock]:
    """Lock the clocks of these tickets that have not ended, in one order for everybody.

    They come without their deadlines, which are fresh when read from now on.
    """
    edition = editions.current().calendar
    return [
        Clock(row, calendars.of(row.division_code, edition), edition.last, [])
        for row in held.lock_running(ticket_ids)
    ]


def lock(ticket_id: int, *, ended: bool = False) -> Clock:
    """Lock a ticket's clock. NoClock when there is none, or it has ended and `ended` is False."""
    clock = find(ticket_id)
    if clock is None or (clock.row.closed_at is not None and not ended):
        raise NoClock
    return clock


@contextmanager
def changed(ticket_id: int, *, ended: bool = False) -> Iterator[Clock]:
    """Lock a clock, and write it when its caller is done with it."""
    clock = lock(ticket_id, ended=ended)
    yield clock
    write(clock)


def replan(
    clock: Clock,
    now: datetime,
    event: str,
    reason: str,
    actor_name: str,
    *,
    only_moved: bool = False,
) -> None:
    """Compute every open deadline of the ticket anew and schedule it anew.

    With `only_moved` those whose dates stay keep their schedule too.
    """
    if only_moved and not any(_differs(row, found) for row, found in plans(clock, clock.policy)):
        return
    held.read_lights(clock.rows)
    for row, found in plans(clock, clock.policy):
        if not only_moved or _differs(row, found):
            move(clock, row, found, now, event, reason, actor_name)


def plans(clock: Clock, policy: Policy) -> list[tuple[DeadlineRow, plan.Deadline]]:
    """What every open deadline would be by this policy, the ticket's own first."""
    total_due = clock.total.due_at
    found = []
    for row in sorted(clock.open_rows, key=lambda row: row.stage != "total"):
        made = planned(row, clock, policy, total_due)
        if row.stage == "total":
            total_due = made.due_at
        found.append((row, made))
    return found


def planned(
    row: DeadlineRow, clock: Clock, policy: Policy, total_due: datetime, *more: str
) -> plan.Deadline:
    """What a deadline would be by this policy and the present calendar, with `more` granted."""
    facts = clock.facts if row.stage == "total" else Facts.from_data(row.facts)
    adjustment = Adjustment(
        tuple(limit_of(each) for each in (*row.granted, *more)), row.paused, row.not_before
    )
    if row.stage == "total":
        return plan.total(facts, policy, clock.calendar, adjustment)
    found = _planned(row.stage, row.start_at, facts, total_due, policy, clock.calendar, adjustment)
    return found or plan.bare(row.stage, row.start_at, total_due, policy, clock.calendar)


def marks(row: DeadlineRow) -> Marks:
    """The moments of a row."""
    return Marks(row.yellow_at, row.orange_at, row.due_at)


def next_item(clock: Clock, row: DeadlineRow) -> dict[str, Any] | None:
    """The work item for the next step of a running deadline; None when there is no further step.

    While an extension is asked for (延期审批中) none follows orange: its decision writes one.
    """
    step = ladder.following(row.light)
    held = clock.row.extension_asked_at is not None and step in LATE
    if row.state != RUNNING or step is None or held:
        return None
    return {
        "dedup_key": f"deadline:{row.id}:{row.generation}:{step}",
        "payload": {"ticket": row.ticket_id, "deadline": row.id, "generation": row.generation},
        "business_key": clock.row.business_key,
        "due_at": marks(row).moment(step, clock.policy, clock.calendar),
    }


def log(
    clock: Clock,
    row: DeadlineRow,
    event: str,
    reason: str,
    actor_name: str,
    now: datetime,
    old_due_at: datetime | None = None,
) -> None:
    """Note what happened to a deadline."""
    clock.events.append(
        {
            "deadline_id": row.id,
            "generation": row.generation,
            "event": event,
            "old_due_at": old_due_at,
            "due_at": row.due_at,
            "reason": reason,
            "actor_name": actor_name,
            "at": now,
        }
    )


def begin(
    clock: Clock,
    stage: str,
    now: datetime,
    facts: Facts,
    *,
    task_id: UUID | None = None,
    unit_id: int | None = None,
) -> DeadlineRow | None:
    """Plan a deadline of a stage; None when it has no limit, unless a task needs a due date.

    It is not written before `write`.
    """
    rule = clock.policy.rule(stage, facts.words)
    begun = _anchor(clock, stage, rule.after) if rule and rule.after else None
    start, paused = (begun.start_at, begun.paused) if begun else (now, plan.NONE)
    total_due = clock.total.due_at
    adjustment = Adjustment(paused=paused)
    found = _planned(stage, start, facts, total_due, clock.policy, clock.calendar, adjustment)
    if found is None and task_id is not None:
        found = plan.bare(stage, start, total_due, clock.policy, clock.calendar)
    if found is None:
        return None
    return add(clock, found, facts, task_id=task_id, unit_id=unit_id, paused=paused)


def add(
    clock: Clock,
    found: plan.Deadline,
    facts: Facts,
    *,
    task_id: UUID | None = None,
    unit_id: int | None = None,
    paused: timedelta = plan.NONE,
) -> DeadlineRow:
    """Put a deadline on the clock; `write` writes it."""
    row = DeadlineRow(
        id=0,
        ticket_id=clock.row.ticket_id,
        round=clock.row.round,
        stage=found.stage,
        task_id=task_id,
        unit_id=unit_id,
        state=RUNNING,
        facts=facts.as_data(),
        start_at=found.start_at,
        granted=[],
        paused=paused,
        light=GREEN,
        generation=0,
        policy=clock.row.policy,
        calendar=clock.edition,
        **_dates(found),
    )
    clock.rows.append(row)
    return row


def write(*clocks: Clock) -> None:
    """Write what has changed of clocks and deadlines, and the work items of their next steps.

    A deadline has a next step when it is new, has moved, or has reached the one before.
    """
    held.write_clocks([clock.row for clock in clocks])
    stepped = [
        (clock, row)
        for clock in clocks
        for row in clock.rows
        if row.has_changed("generation", "light")
    ]
    held.write_deadlines([row for clock in clocks for row in clock.rows])
    held.write_events([event for clock in clocks for event in clock.events])
    registry.tell_moved([(row, clock.row) for clock in clocks for row in clock.moved])
    for clock in clocks:
        clock.events, clock.moved = [], []
    items = [next_item(clock, row) for clock, row in stepped]
    workqueue.enqueue_many(LANE, [item for item in items if item])


def move(
    clock: Clock,
    row: DeadlineRow,
    found: plan.Deadline,
    now: datetime,
    event: str,
    reason: str,
    actor_name: str,
) -> None:
    """Give a deadline the dates of a new plan, log it when they differ, schedule it anew."""
    old_due_at, old_marks = row.due_at, marks(row)
    for name, value in _dates(found).items():
        setattr(row, name, value)
    row.calendar = clock.edition
    if row.due_at != old_due_at:
        log(clock, row, event, reason, actor_name, now, old_due_at)
    if marks(row) != old_marks:
        clock.note_moved(row)
    if row.state == RUNNING:
        row.generation += 1
        row.light = ladder.fallen_back(row.light, marks(row), now)


def _planned(
    stage: str,
    start: datetime,
    facts: Facts,
    total_due: datetime,
    policy: Policy,
    calendar: Calendar,
    adjustment: Adjustment,
) -> plan.Deadline | None:
    if stage in PLANNED:
        return plan.stage(stage, start, facts, total_due, policy, calendar, adjustment)
    latest = total_due if stage in CAPPED else None
    return plan.clock(stage, start, facts, policy, calendar, adjustment, latest=latest)


def _differs(row: DeadlineRow, found: plan.Deadline) -> bool:
    return any(getattr(row, name) != value for name, value in _dates(found).items())


def _dates(found: plan.Deadline) -> dict[str, Any]:
    return {
        "limit": str(found.limit) if found.limit else None,
        "basis": found.basis,
        "law": found.law,
        "due_at": found.due_at,
        "yellow_at": found.yellow_at,
        "orange_at": found.orange_at,
        "provisional": found.provisional,
        "squeezed": found.squeezed,
    }


def _anchor(clock: Clock, stage: str, after: str) -> DeadlineRow | None:
    """Where a stage's time began: with the earlier one, unless the stage comes again."""
    earlier = clock.of_stage(after)
    return earlier[-1] if earlier and not clock.of_stage(stage) else None

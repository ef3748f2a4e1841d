"""A ticket's clock and its deadlines, locked: planning, scheduling. Used by the services.

Whoever changes a deadline holds the row of its clock. A due date is never moved by hand: what
happened is written down, and the date is computed anew from its beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, inspect, select

from app.core.db import session
from app.deadlines import calendars, editions, ladder, plan, policies, registry
from app.deadlines.calendar import Calendar
from app.deadlines.editions import NUMBERS
from app.deadlines.errors import NoClock
from app.deadlines.ladder import GREEN, LATE, Marks
from app.deadlines.limits import limit_of
from app.deadlines.models import (
    OPEN_STATES,
    RUNNING,
    Deadline,
    DeadlineEvent,
    TicketClock,
)
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


@dataclass(frozen=True)
class Clock:
    """A locked clock with what computing its deadlines needs."""

    row: TicketClock
    calendar: Calendar
    edition: int

    @cached_property
    def policy(self) -> Policy:
        """The policy the ticket was received under; a newer one only by `recompute` (DL-08)."""
        return policies.version(self.row.policy)

    @cached_property
    def rows(self) -> list[Deadline]:
        """The deadlines of the round, open and closed, oldest first."""
        return list(
            session().scalars(
                select(Deadline)
                .where(Deadline.ticket_id == self.row.ticket_id, Deadline.round == self.row.round)
                .order_by(Deadline.id)
                .execution_options(populate_existing=True)
            )
        )

    @property
    def open_rows(self) -> list[Deadline]:
        """The running and paused ones."""
        return [row for row in self.rows if row.state in OPEN_STATES]

    @property
    def total(self) -> Deadline:
        """The total of the round, open or frozen."""
        return self.of_stage("total")[0]

    def of_stage(self, stage: str) -> list[Deadline]:
        """All of a stage."""
        return [row for row in self.rows if row.stage == stage]

    @property
    def facts(self) -> Facts:
        """What is known of the ticket now."""
        return Facts.from_data(self.row.facts)


def lock(ticket_id: int, *, ended: bool = False) -> Clock:
    """Lock a ticket's clock. NoClock when there is none, or it has ended and `ended` is False."""
    found = session().execute(_of(select(TicketClock, *NUMBERS), ticket_id)).first()
    if found is None or (found[0].closed_at is not None and not ended):
        raise NoClock
    return _clock(found[0], found[1:])


def lock_with_rows(ticket_id: int) -> Clock | None:
    """Lock a ticket's clock and read its round by the same statement; None without a clock.

    For a turn, which waits for nobody's lights: those of a row may be older than the lock.
    """
    found = session().execute(_WITH_ROWS, {"of": ticket_id}).all()
    if not found:
        return None
    clock = _clock(found[0][0], found[0][2:])
    keep(clock, [row[1] for row in found if row[1] is not None])
    return clock


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
    read_again(clock)
    for row, found in plans(clock, clock.policy):
        if not only_moved or _differs(row, found):
            move(clock, row, found, now, event, reason, actor_name)
    session().flush()


def plans(clock: Clock, policy: Policy) -> list[tuple[Deadline, plan.Deadline]]:
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
    row: Deadline, clock: Clock, policy: Policy, total_due: datetime, *more: str
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


def marks(row: Deadline) -> Marks:
    """The moments of a row."""
    return Marks(row.yellow_at, row.orange_at, row.due_at)


def next_item(clock: Clock, row: Deadline) -> dict[str, Any] | None:
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


def schedule(clock: Clock, row: Deadline) -> None:
    """Write that item."""
    if item := next_item(clock, row):
        workqueue.enqueue(LANE, **item)


def log(
    row: Deadline,
    event: str,
    reason: str,
    actor_name: str,
    now: datetime,
    old_due_at: datetime | None = None,
) -> None:
    """Write down what happened to a deadline."""
    session().add(
        DeadlineEvent(
            deadline_id=row.id,
            generation=row.generation,
            event=event,
            old_due_at=old_due_at,
            due_at=row.due_at,
            reason=reason,
            actor_name=actor_name,
            at=now,
        )
    )


def begin(
    clock: Clock,
    stage: str,
    now: datetime,
    facts: Facts,
    *,
    task_id: UUID | None = None,
    unit_id: int | None = None,
) -> Deadline | None:
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
) -> Deadline:
    """Put a deadline on the clock; `write` writes it."""
    row = Deadline(
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


def write(clock: Clock) -> None:
    """Write the deadlines that were put on the clock, with the work items of their first steps."""
    fresh = [row for row in clock.rows if inspect(row).transient]
    session().add_all(fresh)
    session().flush()
    workqueue.enqueue_many(LANE, [item for row in fresh if (item := next_item(clock, row))])


def move(
    clock: Clock,
    row: Deadline,
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
        log(row, event, reason, actor_name, now, old_due_at)
    if marks(row) != old_marks:
        registry.tell_moved(row, clock.row, now)
    if row.state == RUNNING:
        row.generation += 1
        row.light = ladder.fallen_back(row.light, marks(row), now)
        schedule(clock, row)


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


def _differs(row: Deadline, found: plan.Deadline) -> bool:
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


def anew(clock: Clock) -> Clock:
    """The clock with the calendar of the division that its row names now."""
    edition = editions.current().calendar
    fresh = Clock(clock.row, calendars.of(clock.row.division_code, edition), edition.last)
    keep(fresh, clock.rows)
    return fresh


def keep(clock: Clock, rows: list[Deadline]) -> None:
    """These are its rows: they need not be read."""
    clock.__dict__["rows"] = rows


def read_again(clock: Clock) -> None:
    """Forget the rows that were read with the lock, before their lights count."""
    session().flush()
    clock.__dict__.pop("rows", None)


def _anchor(clock: Clock, stage: str, after: str) -> Deadline | None:
    """Where a stage's time began: with the earlier one, unless the stage comes again."""
    earlier = clock.of_stage(after)
    return earlier[-1] if earlier and not clock.of_stage(stage) else None


def _of(statement: Select[Any], ticket_id: Any) -> Select[Any]:
    return (
        statement.where(TicketClock.ticket_id == ticket_id)
        .with_for_update(of=TicketClock)
        .execution_options(populate_existing=True)
    )


_ROWS = (Deadline.ticket_id == TicketClock.ticket_id) & (Deadline.round == TicketClock.round)
_WITH_ROWS = _of(  # every step of a ticket asks this: it is built once
    select(TicketClock, Deadline, *NUMBERS).outerjoin(Deadline, _ROWS), bindparam("of")
).order_by(Deadline.id)


def _clock(row: TicketClock, numbers: Sequence[int]) -> Clock:
    edition = editions.of(numbers).calendar
    return Clock(row, calendars.of(row.division_code, edition), edition.last)

"""按时办结率 (ST-03): of the tickets due in a month, how many had their result in time.

Each round (办结、重办) counts once, in the month in which it was due, after granted extensions and
without pauses. Results are frozen with their round, so a month that is over changes only while
tickets of it are still open; withdrawn, returned, transferred and merged ones have no result and
are not counted.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Subquery, case, func, literal, select, tuple_

from app.core.clock import BEIJING
from app.core.db import session
from app.deadlines.models import DONE, PAUSED, RUNNING, Deadline, TicketClock
from app.organisations import queries as organisations
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import PAGE, visible_to

IN_TIME, LATE, OPEN = "in_time", "late", "open"
RESULTS = {IN_TIME: "按时办结", LATE: "逾期办结", OPEN: "逾期未办结"}


@dataclass(frozen=True)
class Month:
    """A month of Beijing."""

    first: date

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time(), BEIJING)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.next.first, time(), BEIJING)

    @property
    def next(self) -> "Month":
        """The one after it."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def previous(self) -> "Month":
        """The one before it."""
        return Month((self.first - timedelta(days=1)).replace(day=1))


@dataclass
class Tally:
    """How many of each result."""

    in_time: int = 0
    late: int = 0
    open: int = 0

    @property
    def due(self) -> int:
        """The denominator: what has a result, and what is overdue without one."""
        return self.in_time + self.late + self.open

    @property
    def rate(self) -> float | None:
        """The share in time; None when nothing was due."""
        return self.in_time / self.due if self.due else None

    def add(self, other: "Tally") -> None:
        """Count these too."""
        self.in_time += other.in_time
        self.late += other.late
        self.open += other.open


@dataclass(frozen=True)
class Figures:
    """A month in numbers: of all, by unit directly below, by ticket type."""

    whole: Tally
    by_unit: dict[int, Tally]
    by_type: dict[str, Tally]


@dataclass(frozen=True)
class Wanted:
    """Which part of the month's list."""

    result: str | None = None
    branch: int | None = None
    """A unit directly below the reader's, with all under it; the reader's own is only itself."""
    ticket_type: str | None = None


def figures(principal: Principal, month: Month, now: datetime) -> Figures:
    """Count a month by one statement, in the reader's scope."""
    branches = organisations.branches(principal.unit_id)
    both = _rounds(principal, branches, month, now)
    counted = [func.count().filter(both.c.result == name) for name in RESULTS]
    rows = session().execute(
        select(both.c.unit_id, both.c.ticket_type, *counted).group_by(
            both.c.unit_id, both.c.ticket_type
        )
    )
    whole = Tally()
    by_unit: dict[int, Tally] = defaultdict(Tally)
    by_type: dict[str, Tally] = defaultdict(Tally)
    for unit_id, kind, *numbers in rows:
        tally = Tally(*numbers)
        whole.add(tally)
        by_unit[branches[unit_id]].add(tally)
        by_type[kind].add(tally)
    return Figures(whole, dict(by_unit), dict(by_type))


def listed(
    principal: Principal,
    month: Month,
    now: datetime,
    wanted: Wanted,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> Sequence[Row[Any]]:
    """The rounds behind the figures, the one due first on top; one row more when it goes on.

    (deadline, clock, ticket, result, unit id, whether the reader may still see the ticket)
    """
    branches = organisations.branches(principal.unit_id)
    both = _rounds(principal, branches, month, now)
    query = (
        select(
            Deadline,
            TicketClock,
            Ticket,
            both.c.result,
            both.c.unit_id,
            visible_to(principal).label("is_visible"),
        )
        .join(both, both.c.id == Deadline.id)
        .join(TicketClock, TicketClock.ticket_id == Deadline.ticket_id)
        .join(Ticket, Ticket.id == Deadline.ticket_id)
    )
    if wanted.result:
        query = query.where(both.c.result == wanted.result)
    if wanted.branch:
        units = [unit for unit, branch in branches.items() if branch == wanted.branch]
        query = query.where(both.c.unit_id.in_(units))
    if wanted.ticket_type:
        query = query.where(both.c.ticket_type == wanted.ticket_type)
    if after is not None:
        query = query.where(tuple_(Deadline.due_at, Deadline.id) > after)
    return session().execute(query.order_by(Deadline.due_at, Deadline.id).limit(limit + 1)).all()


def _rounds(
    principal: Principal, branches: Mapping[int, int], month: Month, now: datetime
) -> Subquery:
    overdue = _open(principal, set(branches.values()), month, now)
    found: Subquery = _closed(month, list(branches)).union_all(overdue).subquery()
    return found


def _closed(month: Month, unit_ids: Sequence[int]) -> Any:
    """Rounds with a result, by the unit whose result it was and the type it then had."""
    return select(
        Deadline.id,
        Deadline.unit_id,
        Deadline.facts["ticket_type"].astext.label("ticket_type"),
        case((Deadline.on_time.is_(True), IN_TIME), else_=LATE).label("result"),
    ).where(
        Deadline.stage == "total",
        Deadline.state == DONE,
        Deadline.unit_id.in_(unit_ids),
        *_due_in(month, Deadline.due_at),
    )


def _open(principal: Principal, provinces: Collection[int], month: Month, now: datetime) -> Any:
    """Rounds that are overdue without a result, by the unit that has the ticket.

    延期审批中 nothing is overdue, nor while a clock stands still that had stopped in time.
    """
    nation = Ticket.province_unit_id.in_(provinces)
    holder = func.coalesce(Ticket.county_unit_id, Ticket.city_unit_id, Ticket.province_unit_id)
    stopped_late = (Deadline.state == PAUSED) & (Deadline.paused_at > Deadline.due_at)
    return (
        select(Deadline.id, holder, Ticket.ticket_type, literal(OPEN))
        .select_from(Ticket)
        .join(TicketClock, TicketClock.ticket_id == Ticket.id)
        .join(
            Deadline,
            (Deadline.ticket_id == Ticket.id)
            & (Deadline.round == TicketClock.round)
            & (Deadline.stage == "total"),
        )
        .where(
            nation if principal.level == "national" else visible_to(principal),
            Ticket.archived_at.is_(None),
            *_due_in(month, Ticket.due_at),
            TicketClock.extension_asked_at.is_(None),
            ((Deadline.state == RUNNING) & (Deadline.due_at < now)) | stopped_late,
        )
    )


def _due_in(month: Month, moment: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return moment >= month.begins, moment < month.ends

"""Reading a day of a platform: its tickets by pages, what was compared, what differs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from app.core.db import session
from app.core.errors import NotFound
from app.exchange.models import OutboundMessage, Partner
from app.reconciliation.models import Reconciliation, ReconciliationDifference
from app.reconciliation.rules import Digest, Ours
from app.tickets import numbers
from app.tickets.models import Ticket
from app.tickets.types import RESULTS, TICKET_TYPES

PAGE = 50
_BATCH = 5000
_UNDELIVERED = ("pending", "dead")


@dataclass(frozen=True)
class Summary:
    """A day in figures; `numbers` and `outcomes` are the two digests."""

    total: int
    by_type: dict[str, int]
    by_outcome: dict[str, int]
    numbers: dict[str, str]
    outcomes: dict[str, str]


def tickets_of(partner: Partner, day: date, after: str = "", limit: int = _BATCH) -> list[Ours]:
    """Tickets the platform gave us that day in Beijing, by number, after a number."""
    found: list[Ours] = []
    for low, high in numbers.ranges_of(partner.province_code, day):
        if after >= high or len(found) == limit:
            continue
        rows = session().execute(
            select(
                *(Ticket.acceptance_no, Ticket.external_ticket_no),
                *(Ticket.ticket_type, Ticket.status),
            )
            .where(Ticket.acceptance_no >= low, Ticket.acceptance_no < high)
            .where(Ticket.acceptance_no > after, Ticket.partner_id == partner.id)
            .order_by(Ticket.acceptance_no)
            .limit(limit - len(found))
        )
        found += [Ours(*row) for row in rows]
    return found


def whole_day(partner: Partner, day: date) -> Iterator[Ours]:
    """All of them, read by pages: no more than one page is in memory."""
    after = ""
    while page := tickets_of(partner, day, after):
        yield from page
        after = page[-1].acceptance_no


def summary(partner: Partner, day: date) -> Summary:
    """Counts and digests of a day."""
    types: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    by_number, by_outcome = Digest(), Digest()
    for mine in whole_day(partner, day):
        types[TICKET_TYPES[mine.ticket_type].table] += 1
        outcomes[mine.outcome] += 1
        by_number.add(mine.acceptance_no, mine.external_ticket_no)
        by_outcome.add(mine.acceptance_no, mine.external_ticket_no, mine.outcome)
    return Summary(types.total(), dict(types), dict(outcomes), by_number.hex(), by_outcome.hex())


def undelivered_results(partner: Partner, day: date) -> frozenset[str]:
    """Tickets of the day with a result that the platform has not confirmed."""
    found: set[str] = set()
    for low, high in numbers.ranges_of(partner.province_code, day):
        found.update(
            session().scalars(
                select(OutboundMessage.business_key).where(
                    OutboundMessage.partner_id == partner.id,
                    OutboundMessage.state.in_(_UNDELIVERED),
                    OutboundMessage.operation.in_(RESULTS),
                    OutboundMessage.business_key >= low,
                    OutboundMessage.business_key < high,
                )
            )
        )
    return frozenset(found)


def runs(
    *, province_code: str | None, before: tuple[date, int] | None = None, limit: int = PAGE
) -> Sequence[Row[Reconciliation, str, int]]:
    """Days that were compared, newest first, with the platform's name and what is not repaired."""
    left = (
        select(func.count())
        .where(ReconciliationDifference.reconciliation_id == Reconciliation.id)
        .where(ReconciliationDifference.repaired_at.is_(None))
        .scalar_subquery()
    )
    query = select(Reconciliation, Partner.name, left).join(
        Partner, Partner.id == Reconciliation.partner_id
    )
    if province_code is not None:
        query = query.where(Partner.province_code == province_code)
    if before is not None:
        day, number = before
        query = query.where(
            (Reconciliation.day < day) | (Reconciliation.day == day) & (Reconciliation.id < number)
        )
    query = query.order_by(Reconciliation.day.desc(), Reconciliation.id.desc())
    return session().execute(query.limit(limit)).all()


def run_of(run_id: int, *, province_code: str | None) -> tuple[Reconciliation, Partner]:
    """One day of one platform; NotFound for another province's."""
    query = (
        select(Reconciliation, Partner)
        .join(Partner, Partner.id == Reconciliation.partner_id)
        .where(Reconciliation.id == run_id)
    )
    if province_code is not None:
        query = query.where(Partner.province_code == province_code)
    found = session().execute(query).one_or_none()
    if found is None:
        raise NotFound("没有这次对账", "RECONCILIATION_NOT_FOUND")
    run, partner = found
    return run, partner


def of_day(partner: Partner, day: date) -> Reconciliation | None:
    """The comparison of a day, if there was one."""
    return session().scalar(
        select(Reconciliation).where(
            Reconciliation.partner_id == partner.id, Reconciliation.day == day
        )
    )


def differences(
    run_id: int,
    *,
    kind: str | None = None,
    open_only: bool = False,
    after: int = 0,
    limit: int = PAGE,
) -> list[ReconciliationDifference]:
    """Differences of a day, in order; `after` is the last id of the page before."""
    query = select(ReconciliationDifference).where(
        ReconciliationDifference.reconciliation_id == run_id, ReconciliationDifference.id > after
    )
    if kind is not None:
        query = query.where(ReconciliationDifference.kind == kind)
    if open_only:
        query = query.where(ReconciliationDifference.repaired_at.is_(None))
    return list(session().scalars(query.order_by(ReconciliationDifference.id).limit(limit)))


def difference_of(run_id: int, difference_id: int) -> ReconciliationDifference:
    """One difference of a day, locked; NotFound when it is not of that day."""
    found = session().scalar(
        select(ReconciliationDifference)
        .where(
            ReconciliationDifference.id == difference_id,
            ReconciliationDifference.reconciliation_id == run_id,
        )
        .with_for_update()
    )
    if found is None:
        raise NotFound("没有这条差异", "DIFFERENCE_NOT_FOUND")
    return found


def counts(run_id: int) -> dict[str, tuple[int, int]]:
    """Kind → (how many, how many of them not repaired)."""
    open_ = func.count().filter(ReconciliationDifference.repaired_at.is_(None))
    rows: Any = session().execute(
        select(ReconciliationDifference.kind, func.count(), open_)
        .where(ReconciliationDifference.reconciliation_id == run_id)
        .group_by(ReconciliationDifference.kind)
    )
    return {kind: (total, left) for kind, total, left in rows}

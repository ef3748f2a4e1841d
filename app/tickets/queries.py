"""Reading tickets and tasks. Every query takes the principal's scope, so a list cannot leak."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, exists, false, func, or_, select, true, tuple_

from app.core.db import session
from app.engine.models import ProcessEvent, ProcessInstance, UserTask
from app.security import identity
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets.errors import TicketNotFound
from app.tickets.models import Opinion, Report, Ticket
from app.tickets.rules import CLOSED
from app.tickets.types import PROCESSES, TICKET_TYPES

PAGE = 20
AUDITS = ("audit_by_city", "audit_by_province")
"""Steps at which reports are audited (审核)."""
_UNIT_COLUMN = {
    "national": Ticket.registered_unit_id,
    "province": Ticket.province_unit_id,
    "city": Ticket.city_unit_id,
    "county": Ticket.county_unit_id,
}


def visible_to(principal: Principal) -> ColumnElement[bool]:
    """Tickets of the own unit, also those it handed down (FLW-01); at the top, those it gave."""
    column = _UNIT_COLUMN.get(principal.level)
    return false() if column is None else column == principal.unit_id


def readable_by(principal: Principal) -> ColumnElement[bool]:
    """Tickets in scope, and those the unit is asked about (协办) as long as it has to answer."""
    asked = exists().where(UserTask.business_key == Ticket.acceptance_no, tasks_in_scope(principal))
    return or_(visible_to(principal), asked)


def find_ticket(principal: Principal, acceptance_no: str) -> Ticket | None:
    """One ticket that this person may read; None when there is none or it is not theirs."""
    return session().scalar(
        select(Ticket).where(Ticket.acceptance_no == acceptance_no, readable_by(principal))
    )


def ticket_for(principal: Principal, acceptance_no: str) -> Ticket:
    """One ticket that this person may read; TicketNotFound otherwise, whether it exists or not."""
    ticket = find_ticket(principal, acceptance_no)
    if ticket is None:
        raise TicketNotFound
    return ticket


def ticket_of_partner(partner_id: int, acceptance_no: str) -> Ticket:
    """A partner sees its own tickets only (API-SEC-05)."""
    ticket = session().scalar(
        select(Ticket).where(Ticket.acceptance_no == acceptance_no, Ticket.partner_id == partner_id)
    )
    if ticket is None:
        raise TicketNotFound
    return ticket


def latest_report(ticket: Ticket) -> Report | None:
    """The newest version of the report, of the kind that belongs to the ticket's type."""
    return next(iter(reports(ticket)), None)


def latest_author(ticket: Ticket) -> int | None:
    """Who wrote the newest version: must not audit it."""
    report = latest_report(ticket)
    return report.author_id if report else None


def reports(ticket: Ticket) -> list[Report]:
    """All versions, newest first."""
    kind = TICKET_TYPES[ticket.ticket_type].report
    return list(
        session().scalars(
            select(kind).where(kind.ticket_id == ticket.id).order_by(kind.version.desc())
        )
    )


def reports_by_task(task_ids: Collection[UUID], types: Collection[str]) -> dict[UUID, Report]:
    """The reports these tasks handed in, for tickets of these types; one query a kind."""
    found: dict[UUID, Report] = {}
    for kind in {TICKET_TYPES[code].report for code in types}:
        for report in session().scalars(select(kind).where(kind.task_id.in_(task_ids))):
            found[report.task_id] = report
    return found


def audited_by_city(ticket: Ticket) -> bool:
    """Whether the city has audited the newest version of the report."""
    report = latest_report(ticket)
    said = audits_of(report, opinions(ticket.id)) if report else []
    return any(o.step == "audit_by_city" for o in said)


def audits_of(report: Report, said: Sequence[Opinion]) -> list[Opinion]:
    """What auditors said from this version on; of an earlier version, later ones' audits too."""
    return [o for o in said if o.step in AUDITS and o.at >= report.submitted_at]


def passed(report: Report, said: Sequence[Opinion]) -> list[Opinion]:
    """The audits that this newest version has passed: those after its last rejection."""
    audits = audits_of(report, said)
    rejected = [n for n, o in enumerate(audits) if o.decision == "reject"]
    return audits[rejected[-1] + 1 :] if rejected else audits


def rejection_of(report: Report, said: Sequence[Opinion]) -> Opinion | None:
    """The audit that rejected this newest version, when that is the last word on it."""
    last = next(reversed(audits_of(report, said)), None)
    return last if last is not None and last.decision == "reject" else None


def rejections(ticket: Ticket) -> int:
    """How many audits have rejected its reports (驳回)."""
    counted = select(func.count()).where(
        Opinion.ticket_id == ticket.id, Opinion.step.in_(AUDITS), Opinion.decision == "reject"
    )
    return session().scalar(counted) or 0


def opinions(ticket_id: int) -> list[Opinion]:
    """What was decided, in order."""
    return list(
        session().scalars(
            select(Opinion).where(Opinion.ticket_id == ticket_id).order_by(Opinion.id)
        )
    )


def events(acceptance_no: str) -> list[ProcessEvent]:
    """The history of the ticket's instance, in order."""
    return list(
        session().scalars(
            select(ProcessEvent)
            .join(ProcessInstance, ProcessInstance.id == ProcessEvent.instance_id)
            .where(
                ProcessInstance.business_key == acceptance_no,
                ProcessInstance.process_key.in_(PROCESSES),
            )
            .order_by(ProcessEvent.seq)
        )
    )


def tasks_in_scope(principal: Principal) -> ColumnElement[bool]:
    """Open tasks that the principal's unit and roles may do."""
    return (
        (UserTask.state == "open")
        & (UserTask.unit_id == principal.unit_id)
        & UserTask.role.in_(sorted(principal.roles))
    )


def done_by(
    principal: Principal, *, before: tuple[datetime, UUID] | None = None, limit: int = PAGE
) -> Sequence[Row[UserTask, Ticket]]:
    """Tasks the person completed, newest first (已办)."""
    query = (
        select(UserTask, Ticket)
        .join(Ticket, Ticket.acceptance_no == UserTask.business_key)
        .where(
            UserTask.state == "done",
            UserTask.closed_by == principal.user_id,
            visible_to(principal),
        )
    )
    if before is not None:
        query = query.where(tuple_(UserTask.closed_at, UserTask.id) < before)
    return (
        session()
        .execute(query.order_by(UserTask.closed_at.desc(), UserTask.id.desc()).limit(limit + 1))
        .all()
    )


def search(
    principal: Principal,
    text: str | None,
    status: str | None,
    *,
    ticket_type: str | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Ticket]:
    """Tickets in scope, newest first; a whole phone or ID number is found by its keyed hash."""
    query = select(Ticket).where(visible_to(principal))
    if text:
        query = query.where(_matches(principal, text))
    if status:
        query = query.where(Ticket.status == status)
        if status not in CLOSED:  # implied; lets the index of open tickets answer
            query = query.where(Ticket.archived_at.is_(None))
    if ticket_type:
        query = query.where(Ticket.ticket_type == ticket_type)
    if before is not None:
        query = query.where(Ticket.id < before)
    return list(session().scalars(query.order_by(Ticket.id.desc()).limit(limit + 1)))


def _matches(principal: Principal, text: str) -> ColumnElement[bool]:
    """A number of the ticket, or the caller's whole name, address, phone or ID number by its hash.

    Sealed identities are found only by those who may see them: a hit alone would give them away.
    """
    open_identity = (
        true()
        if may(principal, "ticket.view_sealed")
        else ~(Ticket.is_anonymous | Ticket.is_confidential)
    )
    compact = text.replace(" ", "")
    if len(compact) == 18 and compact[:17].isdigit():
        return open_identity & (Ticket.id_card_hash == identity.id_card_hash(compact))
    if compact.replace("-", "").isdigit() and 7 <= len(compact) <= 13:
        digest = identity.phone_hash(compact)
        return open_identity & or_(
            Ticket.contact_phone_hash == digest, Ticket.caller_number_hash == digest
        )
    numbered = or_(Ticket.acceptance_no == compact.upper(), Ticket.external_ticket_no == compact)
    if compact.isascii():
        return numbered
    named = or_(
        Ticket.caller_name_hash == identity.name_hash(text),
        Ticket.caller_address_hash == identity.address_hash(text),
    )
    return or_(numbered, open_identity & named)

"""Reading matters, and who holds a ticket that one is about."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, or_, select

from app.core.db import session
from app.engine.models import ProcessInstance, UserTask
from app.matters import rules
from app.matters.models import OPEN, Matter
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.security.principal import Principal
from app.tickets import disclosure
from app.tickets.models import Ticket


def of_ticket(ticket_id: int) -> list[Matter]:
    """All matters of a ticket, in order."""
    return list(
        session().scalars(select(Matter).where(Matter.ticket_id == ticket_id).order_by(Matter.id))
    )


def waiting_of(ticket_id: int) -> list[Matter]:
    """What waits, in order."""
    return list(session().scalars(_WAITING, {"ticket_id": ticket_id}))


def open_of(ticket_id: int, kinds: Collection[str]) -> list[Matter]:
    """What waits of these kinds, in order; locked."""
    query = select(Matter).where(
        Matter.ticket_id == ticket_id, Matter.kind.in_(kinds), Matter.state == OPEN
    )
    fresh = query.order_by(Matter.id).with_for_update()
    return list(session().scalars(fresh.execution_options(populate_existing=True)))


def is_supervised(ticket_id: int) -> bool:
    """Whether a 督办单 waits for its answer, or for the decision to issue it. Locks nothing: who
    answers holds the matter and then asks for the clock, which a light that asks this holds.
    """
    query = select(Matter.id).where(
        Matter.ticket_id == ticket_id,
        Matter.kind.in_(["consider_supervision", "supervise"]),
        Matter.state == OPEN,
    )
    return session().scalar(query.limit(1)) is not None


def open_one(ticket_id: int, kind: str) -> Matter | None:
    """The one of a kind that waits; of kinds that can wait only once."""
    return next(iter(open_of(ticket_id, {kind})), None)


def is_urged_since(ticket: Ticket, moment: datetime) -> bool:
    """Whether the system itself has urged since then."""
    automatic = Matter.raised_by.is_(None) & Matter.partner_id.is_(None)
    urged = select(Matter.id).where(
        Matter.ticket_id == ticket.id,
        Matter.kind == "urge",
        automatic,
        Matter.raised_at >= moment,
    )
    return session().scalar(urged.limit(1)) is not None


def flags(ticket_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Kinds of matters that wait, by ticket: the flags (已催办, 已督办) beside a state."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = session().execute(
        select(Matter.ticket_id, Matter.kind).where(
            Matter.ticket_id.in_(ticket_ids), Matter.state == OPEN
        )
    )
    for ticket_id, kind in rows:
        found[ticket_id].add(kind)
    return {ticket_id: frozenset(kinds) for ticket_id, kinds in found.items()}


def text_for(principal: Principal, ticket: Ticket, matter: Matter) -> str | None:
    """What was said, for this reader; None when it could tell who the caller is.

    Where a summary takes the place of what the citizen said, it does so of later words too,
    whoever passes them on.
    """
    if matter.kind in rules.FOR_BELOW:
        return matter.text
    tickets = [ticket, *_sent_to(matter)]
    said_by = None if matter.kind == "withdraw" else matter.raised_unit_id
    return matter.text if all(disclosure.hears(principal, t, said_by) for t in tickets) else None


def files_for(principal: Principal, ticket: Ticket) -> dict[str, bool]:
    """The files that came with matters; whether this reader may have them."""
    return {
        file_id: text_for(principal, ticket, matter) is not None
        for matter in of_ticket(ticket.id)
        for file_id in matter.attachments
    }


def _sent_to(matter: Matter) -> list[Ticket]:
    """The merged ticket whose caller is heard here; its seal holds in the ticket that goes on."""
    merged = select(Ticket).where(Ticket.acceptance_no == matter.via)
    return [] if matter.via is None else list(session().scalars(merged))


@dataclass(frozen=True)
class Hold:
    """An open task of the main flow: whose it is."""

    unit_id: int | None
    role: str | None
    assignee_id: int | None


def held_by(acceptance_nos: Collection[str]) -> dict[str, Hold]:
    """Who has these tickets in hand, by number: by the newest task of the main flow."""
    rows = session().execute(
        select(
            ProcessInstance.business_key,
            *(UserTask.unit_id, UserTask.role, UserTask.assignee_id),
        )
        .join(UserTask, UserTask.instance_id == ProcessInstance.id)
        .where(
            ProcessInstance.business_key.in_(acceptance_nos),
            UserTask.state == "open",
            UserTask.unit_id.is_not(None),
            or_(UserTask.form.startswith("ticket."), UserTask.form.startswith("call.")),
        )
        .order_by(UserTask.opened_at, UserTask.id.desc())
    )
    return {row[0]: Hold(*row[1:]) for row in rows}


def holder(ticket: Ticket) -> Unit:
    """The unit in whose hands the ticket is: the one with the task of the main flow.

    While nobody has one — 12345 is asked, a result is on its way — it is the unit that answers
    for the ticket: the province, or the city whose own letter it is.
    """
    held = held_by([ticket.acceptance_no]).get(ticket.acceptance_no)
    own = ticket.registered_unit_id
    answering = own if own and own == ticket.city_unit_id else ticket.province_unit_id
    unit = organisations.unit((held and held.unit_id) or answering)
    if unit is None:
        raise LookupError(f"ticket {ticket.id} is in the hands of a unit that is missing")
    return unit


# Asked whenever a ticket changes hands; built once.
_WAITING = (
    select(Matter)
    .where(Matter.ticket_id == bindparam("ticket_id"), Matter.state == OPEN)
    .order_by(Matter.id)
)

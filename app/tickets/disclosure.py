"""Who reads what of a ticket (知悉范围): lower levels get the summary in place of the content.

信访工作条例 30 forbids to let accused people learn what was said; ANON-04 and FLW-07 have the
province, or the unit that registered the ticket, write a summary (转办摘要) before it goes down.
"""

from app.organisations import queries as organisations
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets.codes import CORRUPTION
from app.tickets.models import Ticket
from app.tickets.rules import is_sealed, title_of

_ABOVE = frozenset({"national", "province"})


def needs_summary(ticket: Ticket) -> bool:
    """Whether it may go down a level only as a summary."""
    sealed = is_sealed(ticket.is_anonymous, ticket.is_confidential)
    return sealed or ticket.problem_category == CORRUPTION


def reads_original(principal: Principal, ticket: Ticket) -> bool:
    """Whether this person reads what the citizen said, with the files that came along."""
    return ticket.summary is None or _knows(principal.level, principal.unit_id, ticket)


def hears(principal: Principal, ticket: Ticket, unit_id: int | None) -> bool:
    """Whether this person may have words that a unit says of the ticket; None says 12345.

    Who read the original or heard the caller may say more than the summary does. Lower levels have
    such words only where they are written for them.
    """
    sealed = is_sealed(ticket.is_anonymous, ticket.is_confidential)
    is_kept = needs_summary(ticket) or ticket.summary is not None
    may_know = not sealed or may(principal, "ticket.view_sealed")
    if may_know and (not is_kept or _knows(principal.level, principal.unit_id, ticket)):
        return True
    unit = organisations.unit(unit_id) if unit_id else None
    if unit is None:
        return False
    return unit.id == principal.unit_id or not _knows(unit.level, unit.id, ticket)


def content_for(principal: Principal, ticket: Ticket) -> str:
    """The content, or the summary for the lower levels."""
    return ticket.content if reads_original(principal, ticket) else ticket.summary or ""


def title_for(principal: Principal, ticket: Ticket) -> str:
    """The line for lists; of a summary, not of the content."""
    if reads_original(principal, ticket):
        return ticket.title
    return title_of(ticket.summary or "")


def _knows(level: str, unit_id: int, ticket: Ticket) -> bool:
    """Whether people of such a unit read what the citizen said, whatever was summed up."""
    return level in _ABOVE or ticket.registered_unit_id == unit_id

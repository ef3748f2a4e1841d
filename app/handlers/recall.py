"""Recall (收回、改派, EX-12): an upper level takes a ticket back and hands it on anew."""

from app.engine import runner
from app.matters import custody, queries, rules
from app.matters import services as matters
from app.matters.forms import RecallForm
from app.organisations.models import Unit
from app.security.principal import Principal
from app.tickets.actions import Request, action
from app.tickets.models import Ticket
from app.tickets.services import moved_on


def _taken_from(principal: Principal, ticket: Ticket) -> Unit | None:
    """The unit below this person's own that holds the ticket; what it registered stays its own."""
    if ticket.registered_unit_id is not None and ticket.registered_unit_id == ticket.city_unit_id:
        if principal.unit_id != ticket.city_unit_id:
            return None
    if principal.unit_id not in {ticket.province_unit_id, ticket.city_unit_id}:
        return None
    holder = queries.holder(ticket)
    below = {ticket.city_unit_id, ticket.county_unit_id} - {principal.unit_id}
    is_below = holder.id in below and rules.is_above(principal.level, holder.level)
    return holder if is_below else None


@action(
    "recall",
    "收回改派",
    RecallForm,
    permission="ticket.recall",
    states=rules.RECALLABLE,
    offered=lambda principal, ticket: _taken_from(principal, ticket) is not None,
    icon="arrow-return-left",
    help="下级的待办即时终止，工单回到本级重新分派。",
)
def recall(request: Request) -> None:
    """收回 (EX-12).

    1. the reason is kept, and a suspension is over; 2. the lower units lose the ticket; 3. the
    diagram goes back to this level, which ends the tasks below.
    """
    ticket, now = request.ticket, request.now
    holder = _taken_from(request.principal, ticket)
    if holder is None:
        raise moved_on(ticket)
    by = matters.Raiser.person(request.actor)
    matters.recalled(ticket, request.values["reason"], unit_id=holder.id, by=by, now=now)
    if ticket.status == "suspended":
        _resume(request)
    if ticket.status == "auditing":
        ticket.round += 1  # what was audited is void: the next unit reports anew
    by_city = request.principal.unit_id == ticket.city_unit_id
    city_id = ticket.city_unit_id if by_city else None
    ends = custody.place(ticket, now, city=city_id)
    request.tell(
        "recall.ticket",
        {
            "entry": "city" if by_city else "province",
            "city_unit_id": city_id or 0,
            "county_unit_id": 0,
            "handled_by": "",
        },
        ends,
    )


def _resume(request: Request) -> None:
    state = runner.deliver_message(
        f"{request.message_id}:resume",
        "resume.ticket",
        request.ticket.acceptance_no,
        {},
        now=request.now,
        actor=request.actor,
    )
    if state != "delivered":
        raise moved_on(request.ticket)

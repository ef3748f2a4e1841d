"""Use cases of matters: each writes its row and raises it into the ticket's diagram.

What a person does beside the flow, or a platform asks for, is told to the diagram at once; what a
step of the flow brings about is posted, as its own instance is locked and moving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import update

from app.core.clock import BEIJING
from app.core.db import session
from app.engine import runner
from app.engine.registry import SYSTEM, Actor, Submission, Variables
from app.exchange.models import Partner
from app.matters import queries, rules
from app.matters.errors import MatterOpen
from app.matters.models import DONE, LAPSED, OPEN, Matter
from app.organisations import queries as organisations
from app.tickets import clock, numbers, results
from app.tickets.errors import ResultSent, StateConflict
from app.tickets.models import Ticket
from app.tickets.sources import SOURCES

RAISE = "raise.matter"
LAPSE = "lapse.matter"


@dataclass(frozen=True)
class Raiser:
    """Who raises a matter: a person, a platform, or the system."""

    name: str
    person_id: int | None = None
    unit_id: int | None = None
    partner_id: int | None = None

    @classmethod
    def person(cls, actor: Actor) -> "Raiser":
        """A member of staff, or the system."""
        return cls(actor.name, person_id=actor.id, unit_id=actor.unit_id)

    @classmethod
    def platform(cls, partner: Partner) -> "Raiser":
        """A 12345 platform."""
        return cls(partner.name, partner_id=partner.id)


# ---------------------------------------------------------------- raised beside the flow


def supplement(
    ticket: Ticket,
    text: str,
    *,
    by: Raiser,
    now: datetime,
    attachments: Sequence[str] = (),
    via: str | None = None,
) -> Matter:
    """Facts or files added at any time (EX-10), for whoever holds the ticket to read."""
    return _record(
        ticket,
        "supplement",
        text,
        by=by,
        now=now,
        unit_id=queries.holder(ticket).id,
        attachments=list(attachments),
        via=via,
    )


def urge(ticket: Ticket, text: str, *, by: Raiser, now: datetime, via: str | None = None) -> Matter:
    """催办 (EX-05): deadlines stay; whoever holds the ticket answers within a working day."""
    return _record(
        ticket,
        "urge",
        text,
        by=by,
        now=now,
        unit_id=queries.holder(ticket).id,
        due_at=clock.promise(ticket, "urge_reply", now),
        via=via,
    )


def supervise(ticket: Ticket, text: str, *, reason_code: int, by: Raiser, now: datetime) -> Matter:
    """督办单 (EX-06): numbered by the supervisor's unit and year, to be answered."""
    unit = organisations.unit(by.unit_id or 0)
    if unit is None:
        raise LookupError("a supervisor belongs to no unit")
    year = now.astimezone(BEIJING).year
    prefix = f"DB-{unit.division_code[:6]}"
    number = numbers.next_value(prefix, date(year, 1, 1))
    return _record(
        ticket,
        "supervise",
        text,
        by=by,
        now=now,
        unit_id=queries.holder(ticket).id,
        due_at=clock.promise(ticket, "supervision_reply", now),
        number=f"{prefix}-{year}-{number:04d}",
        reason_code=reason_code,
    )


def withdraw(ticket: Ticket, text: str, *, by: Raiser, now: datetime) -> Matter:
    """撤回 (EX-07): the citizen takes it back; the province confirms, or the nation its own.

    ResultSent once there was a result, which is the last word; MatterOpen for a second.
    """
    if results.was_sent(ticket):
        raise ResultSent("撤回", ticket.status)
    from_nation = SOURCES[ticket.source].levels == ("national",)
    unit_id = ticket.registered_unit_id if from_nation else ticket.province_unit_id
    return _record(ticket, "withdraw", text, by=by, now=now, unit_id=unit_id, once=True)


def suspend(
    ticket: Ticket, text: str, *, reason_code: int, until: datetime, by: Raiser, now: datetime
) -> Matter:
    """挂起 (EX-11): asked for by who holds it, approved by the leader. MatterOpen for a second."""
    return _record(
        ticket,
        "suspend",
        text,
        by=by,
        now=now,
        unit_id=ticket.province_unit_id,
        due_at=until,
        reason_code=reason_code,
        once=True,
    )


def recalled(ticket: Ticket, text: str, *, unit_id: int, by: Raiser, now: datetime) -> Matter:
    """收回 (EX-12): kept with its reason; nobody has to answer."""
    matter = _record(ticket, "recall", text, by=by, now=now, unit_id=unit_id)
    matter.state = DONE
    return matter


def event_of(matter: Matter) -> Variables:
    """What the diagram is told of a matter."""
    return {
        "matter": matter.kind,
        "matter_id": matter.id,
        "matter_unit_id": matter.unit_id or 0,
    }


def deliver(ticket: Ticket, matter: Matter, now: datetime) -> None:
    """Raise it in the diagram at once, for a platform; StateConflict when nothing waits for it."""
    state = runner.deliver_message(
        f"matter:{matter.id}", RAISE, ticket.acceptance_no, event_of(matter), now=now
    )
    if state != "delivered":
        raise StateConflict(ticket)


def supply(
    ticket: Ticket,
    text: str,
    *,
    by: Raiser,
    now: datetime,
    attachments: Sequence[str] = (),
    via: str | None = None,
) -> Matter:
    """What a platform adds: the answer to an open request (T04b), or a supplement to be read.

    The instance is moved first: it may be that the time for the answer was just over.
    """
    request = queries.open_one(ticket.id, "request")
    answered = request is not None and runner.raise_event(
        ticket.acceptance_no, "supply.supplement", {}, actor=SYSTEM, now=now
    )
    matter = supplement(ticket, text, by=by, now=now, attachments=attachments, via=via)
    if request is None or not answered:
        deliver(ticket, matter, now)
        return matter
    platform = Actor(None, by.name)
    for each in (request, matter):  # the review that asked reads it now
        close(each, DONE, None, by=platform, now=now)
    return matter


# ---------------------------------------------------------------- raised by the flow itself


def ask_opinion(ticket: Ticket, unit_id: int, text: str, *, by: Actor, now: datetime) -> Matter:
    """协办: ask another unit what it thinks. For forms: the diagram hears of it after the turn."""
    matter = _record(ticket, "cohandle", text, by=Raiser.person(by), now=now, unit_id=unit_id)
    _post(ticket, matter, now)
    return matter


def urge_overdue(ticket: Ticket, text: str, *, unit_id: int | None, now: datetime) -> Matter:
    """自动催办 of a time limit that is over; to the holder where no unit is named."""
    matter = _record(
        ticket,
        "urge",
        text,
        by=Raiser.person(SYSTEM),
        now=now,
        unit_id=unit_id or queries.holder(ticket).id,
        due_at=clock.promise(ticket, "urge_reply", now),
    )
    _post(ticket, matter, now)
    return matter


def notify_leader(ticket: Ticket, text: str, now: datetime) -> Matter:
    """领导阅知, of a third rejection for example. For forms and handlers, like `ask_opinion`."""
    by = Raiser.person(SYSTEM)
    matter = _record(ticket, "notice", text, by=by, now=now, unit_id=ticket.province_unit_id)
    _post(ticket, matter, now)
    return matter


def ask_supervision(ticket: Ticket, text: str, now: datetime) -> Matter:
    """是否发督办单: the province's supervisor decides. For what happens beside the diagram."""
    by = Raiser.person(SYSTEM)
    unit_id = ticket.province_unit_id
    matter = _record(ticket, "consider_supervision", text, by=by, now=now, unit_id=unit_id)
    _post(ticket, matter, now)
    return matter


def request_supplement(ticket: Ticket, text: str, *, by: Actor, now: datetime) -> Matter:
    """请12345补充 (T04b): what the review needs. The diagram sends it and waits."""
    earlier = sum(1 for each in queries.of_ticket(ticket.id) if each.kind == "request")
    return _record(
        ticket,
        "request",
        text,
        by=Raiser.person(by),
        now=now,
        unit_id=None,
        due_at=clock.wait(ticket, "supplement_wait", now),
        number=f"{ticket.acceptance_no}-S{earlier + 1}",
        once=True,
    )


# ---------------------------------------------------------------- what becomes of them


def settle(submission: Submission, state: str, answer: str | None) -> Matter:
    """A person has read, answered or decided the matter of this task."""
    matter = session().get(Matter, submission.data["matter_id"], with_for_update=True)
    if matter is None:
        raise LookupError(f"matter {submission.data['matter_id']} of a running process is missing")
    close(matter, state, answer, by=submission.actor, now=submission.now)
    return matter


def close(matter: Matter, state: str, answer: str | None, *, by: Actor, now: datetime) -> None:
    """Write down what became of it."""
    matter.state = state
    matter.answer = answer
    matter.answered_by = by.id
    matter.answered_by_name = by.name
    matter.answered_at = now
    session().flush()


def overtake(ticket: Ticket, now: datetime, why: str = rules.OVERTAKEN) -> Matter | None:
    """The last word goes out: what nobody wants any more lapses, and the diagram ends it.

    Returned is the withdrawal that comes too late by this, if any; `why` is its answer.
    """
    waiting = queries.open_of(ticket.id, rules.VOID_WITH_RESULT)
    for matter in waiting:
        withdrawn = matter.kind == "withdraw"
        close(matter, LAPSED, why if withdrawn else None, by=SYSTEM, now=now)
        runner.post_message(
            f"lapse:{matter.id}", LAPSE, ticket.acceptance_no, {"matter_id": matter.id}, now=now
        )
    return next((matter for matter in waiting if matter.kind == "withdraw"), None)


def lapse(ticket_id: int, now: datetime) -> None:
    """The ticket has ended: nobody answers what still waits."""
    session().execute(
        update(Matter)
        .where(Matter.ticket_id == ticket_id, Matter.state == OPEN)
        .values(state=LAPSED, answered_at=now)
    )


def _post(ticket: Ticket, matter: Matter, now: datetime) -> None:
    runner.post_message(
        f"matter:{matter.id}", RAISE, ticket.acceptance_no, event_of(matter), now=now
    )


def _record(
    ticket: Ticket,
    kind: str,
    text: str,
    *,
    by: Raiser,
    now: datetime,
    unit_id: int | None,
    once: bool = False,
    **more: Any,
) -> Matter:
    if once and (waiting := queries.open_one(ticket.id, kind)) is not None:
        staff = by.partner_id is None
        raise MatterOpen(kind, ticket.status, waiting.raised_by_name if staff else None)
    matter = Matter(
        ticket_id=ticket.id,
        kind=kind,
        text=text,
        unit_id=unit_id,
        partner_id=by.partner_id,
        raised_by=by.person_id,
        raised_by_name=by.name,
        raised_unit_id=by.unit_id,
        raised_at=now,
        state=OPEN,
        **{"attachments": [], **more},
    )
    session().add(matter)
    session().flush()
    return matter

"""Use cases of a call (话务): it arrives and is a draft ticket at once, the diagram does the rest.

A draft has no content and stands as a question until the agent has said what it is; statistics
leave out what is a draft, was put through by mistake or was lost.
"""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select

from app.calls.models import Call
from app.core.clock import BEIJING
from app.core.db import session
from app.core.errors import Conflict, NotFound
from app.deadlines import calendars
from app.engine import runner
from app.engine.registry import Actor
from app.exchange.models import Partner
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.organisations.services import MODES
from app.tickets import intake, numbers
from app.tickets.models import Ticket
from app.tickets.variables import START

PROCESS = "call_transfer"
PREFIX = "HW"
"""Begins the numbers of calls (话务); recording one does not change its number."""
UNDECIDED = "consultation"
"""The type of a call nobody has classified: what most calls turn out to be."""
RECORD_DAYS = 1
"""Working days in which a call is recorded, answered or given up."""


class WrongMode(Conflict):
    """The province is joined by tickets: there are no seats to put a call through to."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(
            f"{unit.name}为{MODES[unit.mode]}模式，不接收转接来电", "MODE", mode=unit.mode
        )


def province_of(partner: Partner) -> Unit:
    """The unit whose seats answer what this platform puts through."""
    unit = organisations.unit_of_division(partner.province_code.ljust(12, "0"))
    if unit is None:
        raise NotFound("平台未配置所属省份", "PROVINCE_NOT_FOUND")
    return unit


def open_call(
    unit: Unit,
    caller_number: str,
    *,
    operator_no: str,
    actor: Actor,
    now: datetime,
    arrived_at: datetime | None = None,
    call_id: str | None = None,
    partner: Partner | None = None,
) -> Call:
    """A call has arrived (C01): store it with a draft ticket and start its process.

    `partner` is the platform that announced it, None when an agent took it down by hand (FLW-12).
    WrongMode where the province has no seats.
    """
    if unit.mode != "call":
        raise WrongMode(unit)
    arrived_at = arrived_at or now
    ticket = Ticket(
        acceptance_no=numbers.next_number(PREFIX, unit.division_code, now),
        ticket_type=UNDECIDED,
        source="call",
        status="draft",
        round=1,
        query_code=numbers.query_code(),
        urgency=1,
        is_anonymous=False,
        is_confidential=False,
        declined_fields=[],
        division_unresolved=False,
        province_code=unit.division_code,
        province_unit_id=unit.id,
        title=title_of(arrived_at, "待记录"),
        content="",
        submitted_at=now,
        due_at=calendars.of(unit.division_code).add_working_days(now, RECORD_DAYS).at,
        **intake.arrival(
            {"operator_no": operator_no, "called_at": arrived_at, "caller_number": caller_number}
        ),
    )
    session().add(ticket)
    session().flush()
    call = Call(
        call_id=call_id or f"manual-{uuid4()}",
        ticket_id=ticket.id,
        unit_id=unit.id,
        partner_id=partner.id if partner else None,
        source="announced" if partner else "manual",
        from_operator=operator_no if partner else None,
        arrived_at=arrived_at,
    )
    session().add(call)
    session().flush()
    runner.start(
        PROCESS,
        ticket.acceptance_no,
        {
            **START,
            "ticket_id": ticket.id,
            "ticket_type": UNDECIDED,
            "province_unit_id": unit.id,
            "result_to": "none",
        },
        actor=actor,
        now=now,
    )
    return call


def open_another(call: Call, *, operator_no: str, actor: Actor, now: datetime) -> Call:
    """A second matter of the same call (FLW-11): a ticket of its own that shares the call's id."""
    first = session().get_one(Ticket, call.ticket_id)
    unit = session().get_one(Unit, call.unit_id)
    made = open_call(
        unit,
        first.caller_number or intake.UNKNOWN,
        operator_no=operator_no,
        actor=actor,
        now=now,
        arrived_at=call.arrived_at,
        call_id=call.call_id,
    )
    made.partner_id, made.source = call.partner_id, call.source
    made.from_operator = call.from_operator
    session().flush()
    return made


def title_of(arrived_at: datetime, state: str) -> str:
    """What lists call a matter that nobody has recorded: when it called, and what became of it."""
    return f"{arrived_at.astimezone(BEIJING):%-m月%-d日 %H:%M} 来电（{state}）"


def call_of(ticket: Ticket) -> Call:
    """The call a ticket came from; NotFound for a ticket that was no call."""
    call = session().scalar(select(Call).where(Call.ticket_id == ticket.id))
    if call is None:
        raise NotFound("该工单不是转接来电", "CALL_NOT_FOUND")
    return call

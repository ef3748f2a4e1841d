"""Use cases of a ticket: receive, register, follow, note. Called by edges and handlers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, inspect, select, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from app.core.clock import BEIJING
from app.core.db import send, session, table_of
from app.core.errors import FieldError, Invalid
from app.divisions import queries as divisions
from app.divisions import resolver
from app.engine import queries as engine
from app.engine import runner
from app.engine.registry import SYSTEM, Actor, Change, Submission
from app.exchange.models import Partner
from app.files import services as files
from app.organisations import queries as organisations
from app.tickets import clock, numbers, rules
from app.tickets.errors import StateConflict
from app.tickets.intake import Intake, arrival, columns
from app.tickets.models import Opinion, Ticket
from app.tickets.variables import START

PROCESS = "ticket_transfer"

# Part of every step of a ticket: built once.
_ADD_OPINION = insert(table_of(Opinion))
_CHANGE = update(table_of(Ticket)).where(table_of(Ticket).c.id == bindparam("of"))
_BY_ID = select(Ticket).where(Ticket.id == bindparam("ticket_id"))


@dataclass
class Receipt:
    """What the sender is told (受理回执)."""

    ticket: Ticket
    warnings: list[rules.Warning] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """The `data` of the answer (REQUIREMENTS 4.4)."""
        ticket = self.ticket
        return {
            "acceptance_no": ticket.acceptance_no,
            "external_ticket_no": ticket.external_ticket_no,
            "received_at": beijing(ticket.submitted_at),
            "due_at": beijing(ticket.due_at),
            "query_code": ticket.query_code,
            "duplicate": False,
            "warnings": [
                {"code": w.code, "field": w.field, "message": w.message} for w in self.warnings
            ],
        }


def receive(
    intake: Intake, partner: Partner, now: datetime, *, source: str = "p12345_api"
) -> Receipt:
    """Store a valid submission and start its process (T01a, T01b, T02).

    1. the division code, when given, must exist; 2. the row with its number and due date;
    3. attachments change from draft to the ticket's; 4. the diagram starts and registers it.
    """
    values = intake.values
    code = values.get("division_code")
    place = divisions.province_city_county(code) if code else None
    warnings = list(intake.warnings)
    if place is not None and place.province_code is None:
        if not values.get("division_text"):
            raise Invalid(reference_problems(values, partner))
        place, values["division_code"] = None, None
        warnings.append(
            rules.Warning("DIVISION_CODE_UNKNOWN", "division_code", "编码不存在，已按文本识别")
        )
    province = organisations.unit_of_division(partner.province_code.ljust(12, "0"))
    if province is None:
        raise Invalid([FieldError("app_id", "province", "平台未配置所属省份")])
    ticket = Ticket(
        acceptance_no=numbers.acceptance_number(intake.ticket_type, partner.province_code, now),
        partner_id=partner.id,
        ticket_type=intake.ticket_type,
        source=source,
        status="submitted",
        round=1,
        query_code=numbers.query_code(),
        division_unresolved=False,
        province_code=province.division_code,
        city_code=place.city_code if place else None,
        county_code=place.county_code if place else None,
        province_unit_id=province.id,
        submitted_at=now,
        due_at=now,  # until its clock opens, with its first task
        **columns(values),
        **arrival(values),
    )
    session().add(ticket)
    session().flush()
    if values["attachments"]:
        files.attach(values["attachments"], ticket.id, files.Owner(partner_id=partner.id), now)
    runner.start(
        PROCESS,
        ticket.acceptance_no,
        {
            **START,
            "ticket_id": ticket.id,
            "ticket_type": ticket.ticket_type,
            "province_unit_id": province.id,
            "result_to": "p12345",
        },
        actor=SYSTEM,
        now=now,
    )
    wanted = ticket.required_completion_date
    if wanted is not None and ticket.due_at.astimezone(BEIJING).date() != wanted:
        warnings.append(
            rules.Warning(
                "DUE_DATE_ADJUSTED",
                "required_completion_date",
                "要求办结日期不在合理范围，已按时限规则计算",
            )
        )
    if place is None and ticket.division_code:
        place = divisions.province_city_county(ticket.division_code)
    if place is not None and place.province_code != province.division_code:
        warnings.append(
            rules.Warning("DIVISION_OUTSIDE", "division_code", "行政区划不在本省，将在初审时确认")
        )
    if ticket.division_unresolved:
        shown = ticket.division_text or ""
        warnings.append(
            rules.Warning(
                "DIVISION_UNRESOLVED", "division_text", f"未能识别“{shown}”，将在初审时确认"
            )
        )
    return Receipt(ticket, warnings)


def reference_problems(values: Mapping[str, Any], partner: Partner) -> list[FieldError]:
    """What is wrong with the rows a submission names, to be told together with the rest."""
    found = []
    code = values.get("division_code")
    if isinstance(code, str) and not values.get("division_text"):
        whole = code.strip().ljust(12, "0")
        if code.strip() and divisions.get(whole) is None:
            found.append(FieldError("division_code", "unknown", "行政区划编码不存在"))
    ids = values.get("attachments")
    if isinstance(ids, list):
        named = [str(each) for each in ids]
        found += files.attach_problems(named, None, files.Owner(partner_id=partner.id))
    return found


def register(ticket: Ticket) -> None:
    """Find the place that words name in the division tree (T02); none is no error.

    A ticket that came with a code was placed when it was received. Words that leave the county
    open (黔南州某某村) place it as far as they go and are kept for the review.
    """
    if ticket.division_code:
        return
    code = resolver.resolve(ticket.division_text or "").code
    if code is not None:
        locate(ticket, code)
    unit = organisations.unit_of_division(code) if code else None
    ticket.division_unresolved = unit is None or bool(organisations.children(unit.id))


def locate(ticket: Ticket, division_code: str) -> None:
    """Set division, city and county of a ticket."""
    ticket.division_code = division_code
    ticket.division_unresolved = False
    place = divisions.province_city_county(division_code)
    ticket.city_code, ticket.county_code = place.city_code, place.county_code


def follow(change: Change) -> None:
    """Derive the ticket's state from where the diagram stands (the one place that does).

    Its clock follows: by the state it goes or stands still.
    """
    ticket = get(change.data)
    status = rules.state_of(change.standing, ticket.status, reworked=ticket.reworks > 0)
    if status != ticket.status:
        _write(ticket, status=status)
    if status in rules.CLOSED:
        ticket.archived_at = change.now
    clock.follow(ticket, change)


def _write(ticket: Ticket, **values: Any) -> None:
    """Change a ticket at once, unless more of it is about to be written anyway.

    A flush goes through all its columns and costs three times the statement.
    """
    pending = inspect(ticket).modified
    if not pending:
        send(_CHANGE, {"of": ticket.id, **values})
    for name, value in values.items():
        (setattr if pending else set_committed_value)(ticket, name, value)


def get(data: Any) -> Ticket:
    """The ticket of an instance, from its process variables."""
    db, ticket_id = session(), data["ticket_id"]
    known = db.identity_map.get(identity_key(Ticket, ticket_id))
    ticket = known or db.execute(_BY_ID, {"ticket_id": ticket_id}).scalar_one_or_none()
    if ticket is None:
        raise LookupError(f"ticket {ticket_id} of a running process is missing")
    # Kept for the rest of the turn: the session forgets what nobody holds, and would read and
    # unseal the ticket again for the next handler.
    db.info["ticket"] = ticket
    return ticket


def acting(submission: Submission) -> Ticket:
    """The ticket of a step in the flow; StateConflict while it is suspended (挂起)."""
    ticket = get(submission.data)
    if ticket.status == "suspended":
        raise moved_on(ticket)
    return ticket


def moved_on(ticket: Ticket) -> StateConflict:
    """The refusal for staff of what the ticket's state does not allow: names who acted last."""
    return StateConflict(ticket, engine.last_actor(ticket.acceptance_no))


def ticket_numbered(acceptance_no: str) -> Ticket:
    """The ticket of a number, for callers that act for the platform itself."""
    return session().scalars(select(Ticket).where(Ticket.acceptance_no == acceptance_no)).one()


def note(
    ticket: Ticket,
    submission: Submission,
    decision: str,
    text: str | None,
    *,
    relaxed: bool = False,
) -> None:
    """Write down what was decided at a step, by whom and why."""
    remark(
        ticket,
        submission.element_id,
        decision,
        text,
        by=submission.actor,
        at=submission.now,
        of=submission.task_id,
        relaxed=relaxed,
    )


def remark(
    ticket: Ticket,
    step: str,
    decision: str,
    text: str | None,
    *,
    by: Actor,
    at: datetime,
    of: UUID,
    relaxed: bool = False,
) -> None:
    """Write down what was decided, at a task or by an action: `of` is the id of either."""
    send(
        _ADD_OPINION,
        {
            "ticket_id": ticket.id,
            "task_id": of,
            "step": step,
            "decision": decision,
            "text": text,
            "round": ticket.round,
            "author_id": by.id,
            "author_name": by.name,
            "author_position": by.position,
            "author_phone": by.phone,
            "unit_id": by.unit_id,
            "four_eyes_relaxed": relaxed,
            "at": at,
        },
    )


def beijing(moment: datetime) -> str:
    """A moment as the partner API writes it: ISO 8601 with +08:00, to the second."""
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")

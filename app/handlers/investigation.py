"""Investigation (调查反馈): what the handling unit found, did or answered; one form a ticket type.

Every hand-in is a version of its own. Whether it is audited is decided here, for the diagram.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.core.clock import BEIJING
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.engine.registry import Submission, Variables, form
from app.files import services as files
from app.tickets import clock, services
from app.tickets.codes import MONITORED
from app.tickets.models import Ticket
from app.tickets.report_forms import (
    CALLBACK,
    NOT_APPLICABLE,
    UNREACHABLE,
    AnswerForm,
    DeclarationForm,
    InvestigateForm,
    SuggestionForm,
)
from app.tickets.types import TICKET_TYPES

_MINUTE = timedelta(minutes=1)
"""Pages give moments without seconds."""
_TELLING = ("inform_status", "informed_at", "inform_method", "contact_attempts")


@form("ticket.investigate.complaint", InvestigateForm)
def investigate(submission: Submission) -> Variables:
    """办理投诉 (T09a): store this version of the report (seed table 6) with its files."""
    ticket = services.acting(submission)
    values = submission.values
    today = submission.now.astimezone(BEIJING).date()
    wrong = _telling_problems(values, ticket, submission.now)
    if values["investigated_at"] > today:
        wrong.append(FieldError("investigated_at", "future", "调查核实时间不能晚于今天"))
    if values["investigated_at"] < ticket.called_at.astimezone(BEIJING).date():
        wrong.append(FieldError("investigated_at", "early", "调查核实时间不能早于来电日期"))
    if wrong:
        raise Invalid(wrong)
    entered = (
        "investigated_at",
        "investigators",
        "petitioner_feedback",
        "verification_result",
        "amount_involved",
        "handling_opinion",
    )
    _store(ticket, submission, _picked(values, (*entered, *_TELLING)))
    _told(ticket, values, submission.now)
    _attach(ticket, submission)
    return _verdict(ticket, submission)


@form("ticket.investigate.declaration", DeclarationForm)
def declare(submission: Submission) -> Variables:
    """办理申报 (T09b): store the outcome (seed table 7) and the files that came with it."""
    ticket = services.acting(submission)
    values = submission.values
    if wrong := _telling_problems(values, ticket, submission.now):
        raise Invalid(wrong)
    kept = _picked(values, ("outcome", "outcome_note", "petitioner_feedback", *_TELLING))
    kept["monitor_type"] = values.get("monitor_type") if kept["outcome"] == MONITORED else None
    _store(ticket, submission, {**kept, "author_phone": submission.actor.phone})
    _told(ticket, values, submission.now)
    _attach(ticket, submission)
    return _verdict(ticket, submission)


@form("ticket.investigate.suggestion", SuggestionForm)
@form("ticket.investigate.consultation", AnswerForm)
def answer(submission: Submission) -> Variables:
    """答复咨询、建议 (T09c). Without a call back there is nothing to say about telling."""
    ticket = services.acting(submission)
    values = submission.values
    if values["answer_mode"] != CALLBACK:
        if ticket.partner_id is None:
            told = "本件不是12345转来，须由承办单位回电答复"
            raise Invalid([FieldError("answer_mode", "source", told)])
        values = {name: value for name, value in values.items() if name not in _TELLING}
    if wrong := _telling_problems(values, ticket, submission.now):
        raise Invalid(wrong)
    kept = _picked(values, ("answer", "answer_mode", "adopted", *_TELLING))
    _store(ticket, submission, {**kept, "author_phone": submission.actor.phone})
    _told(ticket, values, submission.now)
    return _verdict(ticket, submission)


def _told(ticket: Ticket, values: dict[str, Any], now: datetime) -> None:
    """首次联系、受理告知 have been met when the petitioner was told, the first by a try as well.

    Where there is nobody to tell, or 12345 tells, they fall away.
    """
    if moment := values.get("informed_at"):
        clock.close(ticket, {"first_contact", "notify_acceptance"}, moment)
    elif tried := values.get("contact_attempts"):
        clock.close(ticket, {"first_contact"}, min(attempt["at"] for attempt in tried))
    else:
        clock.close(ticket, {"first_contact", "notify_acceptance"}, now, cancelled=True)


def _verdict(ticket: Ticket, submission: Submission) -> Variables:
    """What the gateway after the handling reads (REQUIREMENTS 1.3)."""
    kind, handler = TICKET_TYPES[ticket.ticket_type], submission.data["handled_by"]
    below_a_city = handler == "county" and ticket.city_unit_id is not None
    return {
        "audit_needed": not (kind.province_answers and handler == "province"),
        "city_audit": below_a_city
        and (kind.city_audits or submission.data["final_audit"] == "city"),
    }


def _store(ticket: Ticket, submission: Submission, values: dict[str, Any]) -> None:
    """Add the next version of the report."""
    kind = TICKET_TYPES[ticket.ticket_type].report
    tried = values.pop("contact_attempts", None)
    if values.get("inform_status") == UNREACHABLE and tried:
        moments = sorted(attempt["at"] for attempt in tried)
        values["contact_attempts"] = [services.beijing(moment) for moment in moments]
    written = select(func.count()).select_from(kind).where(kind.ticket_id == ticket.id)
    session().add(
        kind(
            ticket_id=ticket.id,
            task_id=submission.task_id,
            version=(session().scalar(written) or 0) + 1,
            author_id=submission.actor.id,
            author_name=submission.actor.name,
            unit_id=submission.actor.unit_id,
            submitted_at=submission.now,
            **values,
        )
    )


def _attach(ticket: Ticket, submission: Submission) -> None:
    files.attach(
        submission.values["report_files"],
        ticket.id,
        files.Owner(user_id=submission.actor.id),
        submission.now,
        field="report_files",
        task_id=submission.task_id,
    )


def _picked(values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values.get(name) for name in names}


def _telling_problems(values: dict[str, Any], ticket: Ticket, now: datetime) -> list[FieldError]:
    """Nobody can have been told, or called in vain, before the call or after now.

    That there is nobody to tell holds of an anonymous caller only.
    """
    found = []
    if values.get("inform_status") == NOT_APPLICABLE and not ticket.is_anonymous:
        found.append(FieldError("inform_status", "anonymous", "只有匿名工单可以选择“匿名不适用”"))
    moments = {"informed_at": ("告知时间", values.get("informed_at"))}
    for number, attempt in enumerate(values.get("contact_attempts") or []):
        moments[f"contact_attempts.{number}.at"] = ("联系时间", attempt["at"])
    for name, (label, moment) in moments.items():
        if moment is None:
            continue
        if moment > now:
            found.append(FieldError(name, "future", f"{label}不能晚于现在"))
        elif moment < ticket.called_at - _MINUTE:
            found.append(FieldError(name, "early", f"{label}不能早于来电时间"))
    return found

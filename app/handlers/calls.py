"""Calls (话务): from the agent who answers to the ticket it becomes."""

from app.approvals import services as approvals
from app.calls import queries, rules
from app.calls.forms import (
    SATISFIED,
    AnswerCallForm,
    CallBackForm,
    CheckCallForm,
    RecordComplaintForm,
    RecordConsultationForm,
    RecordDeclarationForm,
)
from app.calls.models import Call, CallAttempt
from app.calls.services import call_of
from app.calls.services import title_of as name_of_draft
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.deadlines import calendars
from app.divisions import queries as divisions
from app.engine.registry import Step, Submission, Variables, form, handler
from app.files import services as files
from app.handlers.intake import alarm, correct
from app.organisations import queries as organisations
from app.security.models import User
from app.tickets import clock, conflicts, intake, merge, services
from app.tickets.clock import URGENT
from app.tickets.fields import REQUIRED
from app.tickets.models import ConsultationAnswer, Ticket
from app.tickets.registration import is_too_wide
from app.tickets.report_forms import CALLBACK
from app.tickets.rules import STATES, title_of

_INFORMED, _BY_PHONE = 1, 1
"""inform_status 已告知, inform_method 电话."""


@form("call.answer", AnswerCallForm)
def answer(submission: Submission) -> Variables:
    """接听、分类 (C02). An answer given at once closes the matter (C04)."""
    ticket = services.acting(submission)
    values = submission.values
    call = _taken(ticket, submission)
    call.outcome, call.answered_at = values["call"], submission.now
    said = {"answered": None, "wrong_transfer": values.get("wrong_reason")}
    services.note(ticket, submission, f"call_{values['call']}", said.get(values["call"]))
    if values["call"] == "answered":
        _answered(ticket, call, submission)
    elif values["call"] == "dropped":
        call.typed = {name: values.get(name) for name in ("ticket_type", "content")}
    return {
        "call": values["call"],
        "ticket_type": values.get("ticket_type") or submission.data["ticket_type"],
    }


@form("call.record.complaint", RecordComplaintForm)
@form("call.record.declaration", RecordDeclarationForm)
@form("call.record.consultation", RecordConsultationForm)
@form("call.record.suggestion", RecordConsultationForm)
def record(submission: Submission) -> Variables:
    """按分类记录工单 (C05): the draft becomes a ticket of its type, under its first number."""
    ticket = services.acting(submission)
    values = submission.values
    scope = divisions.province_city_county(values["division_code"])
    if scope.province_code != ticket.province_code:
        raise Invalid([FieldError("division_code", "outside", "请选择本省的行政区划")])
    province = organisations.unit(ticket.province_unit_id)
    if province is not None and is_too_wide(values["division_code"], province):
        raise Invalid([FieldError("division_code", "wide", "请选到下一级行政区划")])
    _taken(ticket, submission)
    ticket.ticket_type = str(submission.data["ticket_type"])
    was_sealed, was_urgent = ticket.is_confidential, ticket.urgency == URGENT
    for name, value in intake.columns(values).items():
        setattr(ticket, name, value)
    ticket.is_confidential = ticket.is_confidential or was_sealed  # never taken back
    ticket.city_code, ticket.county_code = scope.city_code, scope.county_code
    conflicts.recognise(ticket)
    owner = files.Owner(user_id=submission.actor.id)
    attached = files.attach(
        values["attachments"], ticket.id, owner, submission.now, task_id=submission.task_id
    )
    for file in attached:
        file.task_id = None  # it came with the matter, not with a step
    services.note(ticket, submission, "recorded", None)
    if ticket.urgency == URGENT and not was_urgent:
        alarm(ticket, submission.now)
    return {}


@form("call.call_back", CallBackForm)
def call_back(submission: Submission) -> Variables:
    """回拨 (C06): try again until enough was tried; then record what is known, or give up."""
    ticket = services.acting(submission)
    values = submission.values
    call = _taken(ticket, submission)
    reached = values["outcome"] == "reached"
    before = [attempt.at for attempt in queries.attempts(call)]
    over = rules.is_exhausted([*before, submission.now])
    if not reached and over:
        _last_word_is_given(values)
    session().add(
        CallAttempt(
            call_row_id=call.id,
            task_id=submission.task_id,
            at=submission.now,
            reached=reached,
            agent_id=submission.actor.id,
            agent_name=submission.actor.name,
        )
    )
    services.note(ticket, submission, f"call_{values['outcome']}", values.get("note"))
    chosen = {"ticket_type": values.get("ticket_type") or submission.data["ticket_type"]}
    if reached:
        return {"call_outcome": "record", **chosen}
    if not over:
        calendar = calendars.of(ticket.province_code)
        moment = rules.next_attempt([*before, submission.now], calendar.is_working_day)
        return {"call_outcome": "again", "next_attempt_at": services.beijing(moment), **chosen}
    if values["enough"] == "no":
        return {"call_outcome": "drop"}
    call.caller_unreachable = True
    return {"call_outcome": "record", **chosen}


@form("call.check", CheckCallForm)
def check(submission: Submission) -> Variables:
    """签收核对 (C07)."""
    ticket = services.acting(submission)
    values = submission.values
    was_urgent = ticket.urgency == URGENT
    wrong = correct(ticket, values)
    if ticket.urgency == URGENT and not was_urgent:
        alarm(ticket, submission.now)
    if values["review"] == "accept" and conflicts.only_transfer(ticket):
        wrong.append(FieldError("review", "corruption", conflicts.NOT_HERE))
    if wrong:
        raise Invalid(wrong)
    if values["review"] == "merge":
        merge.ask(ticket, values["merged_into"])
    elif values["review"] == "transfer":
        organisation, reason = values["transfer_org"], values["transfer_reason"]
        approvals.ask_transfer(ticket, submission, organisation, reason)
    said = [values.get(name) for name in ("transfer_reason", "opinion")]
    text = "\n".join(part for part in said if part) or None
    decision = {"back": "back_to_agent"}.get(values["review"], values["review"])
    services.note(ticket, submission, decision, text)
    again = values["review"] == "back" and values.get("ticket_type")
    kind = {"ticket_type": values["ticket_type"]} if again else {}
    return {"review": values["review"], "entry": "province", **kind}


@handler("calls.close_wrong")
def close_wrong(step: Step) -> Variables:
    """误转 (C03)."""
    _name_unrecorded(services.get(step.data), "wrong_transfer")
    return {}


@handler("calls.close_dropped")
def close_dropped(step: Step) -> Variables:
    """中断未回 (C06)."""
    _name_unrecorded(services.get(step.data), "dropped")
    return {}


def _name_unrecorded(ticket: Ticket, status: str) -> None:
    ticket.title = name_of_draft(ticket.called_at, STATES[status])


def _taken(ticket: Ticket, submission: Submission) -> Call:
    """The call, with the agent whose it is now."""
    call = call_of(ticket)
    call.agent_id, call.agent_name = submission.actor.id, submission.actor.name
    user = session().get(User, submission.actor.id) if submission.actor.id else None
    if user is not None:
        ticket.operator_no = user.username
    return call


def _answered(ticket: Ticket, call: Call, submission: Submission) -> None:
    values = submission.values
    ticket.content = values["content"]
    ticket.title = title_of(ticket.content)
    ticket.problem_category = values["problem_category"]
    ticket.completed_at = submission.now
    clock.conclude(ticket, submission.now)
    call.satisfied = SATISFIED.get(values["satisfied"])
    call.article = values.get("article")
    session().add(
        ConsultationAnswer(
            ticket_id=ticket.id,
            task_id=submission.task_id,
            version=1,
            answer=values["answer"],
            answer_mode=CALLBACK,
            inform_status=_INFORMED,
            informed_at=submission.now,
            inform_method=_BY_PHONE,
            author_id=submission.actor.id,
            author_name=submission.actor.name,
            author_phone=submission.actor.phone,
            unit_id=submission.actor.unit_id,
            submitted_at=submission.now,
        )
    )
    session().flush()


def _last_word_is_given(values: dict[str, object]) -> None:
    """The last try in vain decides: record from what is known, or close."""
    if not values.get("enough"):
        raise Invalid(
            [
                FieldError(
                    "enough", "required", "已按规定回拨三次仍未接通，请判断已记下的内容能否受理"
                )
            ]
        )
    if values["enough"] == "yes" and not values.get("ticket_type"):
        raise Invalid([FieldError("ticket_type", "required", REQUIRED)])

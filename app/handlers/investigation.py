"""Investigation (调查反馈): what the handling unit found and how the petitioner was told."""

from datetime import timedelta

from sqlalchemy import func, select

from app.core.clock import BEIJING
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.engine.registry import Submission, Variables, form
from app.files import services as files
from app.tickets import services
from app.tickets.forms import InvestigateForm
from app.tickets.models import Investigation

_MINUTE = timedelta(minutes=1)
"""Pages give moments without seconds."""


@form("ticket.investigate", InvestigateForm)
def investigate(submission: Submission) -> Variables:
    """办理 (T09): store this version of the report (seed table 6). Earlier versions stay."""
    ticket = services.get(submission.data)
    values = submission.values
    today = submission.now.astimezone(BEIJING).date()
    wrong = []
    if values["investigated_at"] > today:
        wrong.append(FieldError("investigated_at", "future", "调查核实时间不能晚于今天"))
    if values["investigated_at"] < ticket.called_at.astimezone(BEIJING).date():
        wrong.append(FieldError("investigated_at", "early", "调查核实时间不能早于来电日期"))
    informed_at = values.get("informed_at")
    if informed_at is not None and informed_at > submission.now:
        wrong.append(FieldError("informed_at", "future", "告知时间不能晚于现在"))
    if informed_at is not None and informed_at < ticket.called_at - _MINUTE:
        wrong.append(FieldError("informed_at", "early", "告知时间不能早于来电时间"))
    if wrong:
        raise Invalid(wrong)
    version = session().scalar(
        select(func.count()).select_from(Investigation).where(Investigation.ticket_id == ticket.id)
    )
    session().add(
        Investigation(
            ticket_id=ticket.id,
            task_id=submission.task_id,
            version=(version or 0) + 1,
            author_id=submission.actor.id,
            author_name=submission.actor.name,
            unit_id=submission.actor.unit_id,
            submitted_at=submission.now,
            **{
                name: values.get(name)
                for name in (
                    "investigated_at",
                    "investigators",
                    "petitioner_feedback",
                    "inform_status",
                    "informed_at",
                    "inform_method",
                    "verification_result",
                    "amount_involved",
                    "handling_opinion",
                )
            },
        )
    )
    files.attach(
        values["report_files"],
        ticket.id,
        files.Owner(user_id=submission.actor.id),
        submission.now,
        field="report_files",
    )
    return {}

"""Matters (随时事项): 催办, 督办, 补充, 协办, 撤回, 挂起, each beside the flow."""

from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.matters.forms import (
    AnswerMatterForm,
    ApproveSuspensionForm,
    ConfirmWithdrawalForm,
    ReadForm,
)
from app.tickets import services

message("raise.matter", "matter", "matter_id", "matter_unit_id")
message("resume.ticket")


@form("matter.read", ReadForm)
def read(submission: Submission) -> Variables:
    """查看补充材料、领导阅知."""
    ticket = services.get(submission.data)
    services.note(ticket, submission, "read", submission.values.get("opinion"))
    return {}


@form("matter.answer", AnswerMatterForm)
def answer(submission: Submission) -> Variables:
    """答复催办 (EX-05), 督办单 (EX-06), 协办意见."""
    ticket = services.get(submission.data)
    services.note(ticket, submission, "answered", submission.values["answer"])
    return {}


@form("matter.confirm_withdrawal", ConfirmWithdrawalForm)
def confirm_withdrawal(submission: Submission) -> Variables:
    """撤回确认 (EX-07)."""
    ticket = services.get(submission.data)
    values = submission.values
    services.note(ticket, submission, values["decision"], values.get("opinion"))
    return {"withdrawn": values["decision"] == "approve"}


@form("matter.approve_suspension", ApproveSuspensionForm)
def approve_suspension(submission: Submission) -> Variables:
    """挂起审批 (EX-11)."""
    ticket = services.get(submission.data)
    values = submission.values
    services.note(ticket, submission, values["decision"], values.get("opinion"))
    return {"suspension_approved": values["decision"] == "approve"}


@handler("suspension.begin")
def suspend(step: Step) -> Variables:
    """挂起: the ticket rests until somebody resumes it or the time is over."""
    ticket = services.get(step.data)
    ticket.resume_status, ticket.status = ticket.status, "suspended"
    return {"suspended_until": services.beijing(step.now)}


@handler("suspension.end")
def resume(step: Step) -> Variables:
    """恢复."""
    ticket = services.get(step.data)
    ticket.status, ticket.resume_status = ticket.resume_status or "handling", None
    return {}

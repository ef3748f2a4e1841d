"""Matters (随时事项): what the diagram of matters asks people, and the suspension it keeps."""

from app.approvals import messages
from app.core.db import session
from app.core.errors import Conflict
from app.engine.registry import (
    Change,
    Step,
    Submission,
    Variables,
    form,
    handler,
    message,
    observer,
)
from app.matters import queries
from app.matters import services as matters
from app.matters.forms import (
    AnswerMatterForm,
    ApproveSuspensionForm,
    ConfirmWithdrawalForm,
    ConsiderSupervisionForm,
    ReadForm,
)
from app.matters.models import AGREED, DONE, REFUSED, Matter
from app.matters.rules import RUNNING, SUSPENDABLE, WITHDRAWABLE, is_above
from app.tickets import merge, results, services
from app.tickets.errors import ResultSent
from app.tickets.models import Ticket

message("raise.matter", "matter", "matter_id", "matter_unit_id")
message("resume.ticket")
message("lapse.matter", "matter_id", about="matter_id")


@form("matter.read", ReadForm)
def read(submission: Submission) -> Variables:
    """查看补充材料、领导阅知."""
    ticket = services.get(submission.data)
    remark = submission.values.get("opinion")
    matters.settle(submission, DONE, remark)
    services.note(ticket, submission, "read", remark)
    return {}


@form("matter.answer", AnswerMatterForm)
def answer(submission: Submission) -> Variables:
    """答复催办 (EX-05), 督办单 (EX-06), 协办意见."""
    ticket = services.get(submission.data)
    matters.settle(submission, DONE, submission.values["answer"])
    services.note(ticket, submission, "answered", submission.values["answer"])
    return {}


@form("matter.consider_supervision", ConsiderSupervisionForm)
def consider_supervision(submission: Submission) -> Variables:
    """是否发督办单: issued it is like one by hand, for whoever holds the ticket now."""
    ticket, values = services.get(submission.data), submission.values
    if values["decision"] == "decline":
        matters.settle(submission, REFUSED, values["decline_reason"])
        services.note(ticket, submission, "supervision_declined", values["decline_reason"])
        return {"supervision_issued": False}
    if ticket.status not in RUNNING:
        raise services.moved_on(ticket)
    if not is_above("province", queries.holder(ticket).level):
        raise Conflict("工单现由本级办理，督办单只能发给下级，请选择不发", "SUPERVISION_NOT_BELOW")
    by = matters.Raiser.person(submission.actor)
    code = values["reason_code"]
    issued = matters.supervise(ticket, values["text"], reason_code=code, by=by, now=submission.now)
    matters.settle(submission, AGREED, issued.number)
    services.note(ticket, submission, "supervision_issued", f"{issued.number} {issued.text}")
    return {"supervision_issued": True, **matters.event_of(issued)}


@form("matter.confirm_withdrawal", ConfirmWithdrawalForm)
def confirm_withdrawal(submission: Submission) -> Variables:
    """撤回确认 (EX-07): refused, the ticket goes on 依职权 and 12345 is told why.

    It cannot be confirmed when others were merged into the ticket, whose callers withdrew nothing.
    """
    ticket = services.get(submission.data)
    said = submission.values.get("opinion")
    withdrawn = submission.values["decision"] == "approve"
    if withdrawn:
        if ticket.status not in WITHDRAWABLE:
            raise services.moved_on(ticket)
        if results.was_sent(ticket):
            raise ResultSent("撤回", ticket.status)
        merge.require_none(ticket, "撤回")
    matter = matters.settle(submission, AGREED if withdrawn else REFUSED, said)
    if not withdrawn and ticket.partner_id is not None:
        messages.tell(
            ticket,
            "withdrawal_refused",
            {"reason": said},
            submission.now,
            once=f"withdrawal:{matter.id}:refused",
        )
    decision = "withdrawal_confirmed" if withdrawn else "withdrawal_refused"
    services.note(ticket, submission, decision, said)
    return {"withdrawn": withdrawn}


@form("matter.approve_suspension", ApproveSuspensionForm)
def approve_suspension(submission: Submission) -> Variables:
    """挂起审批 (EX-11). A ticket that is not handled any more cannot be suspended."""
    ticket = services.get(submission.data)
    said = submission.values.get("opinion")
    approved = submission.values["decision"] == "approve"
    if approved and ticket.status not in SUSPENDABLE:
        raise services.moved_on(ticket)
    matter = matters.settle(submission, AGREED if approved else REFUSED, said)
    if approved and queries.holder(ticket).id != matter.raised_unit_id:
        raise Conflict("申请挂起的单位已不承办该工单，请不同意", "SUSPENSION_NOT_HOLDERS")
    if approved and (matter.due_at is None or matter.due_at <= submission.now):
        raise Conflict("申请的挂起期限已过，请不同意后重新申请", "SUSPENSION_OVER")
    decision = "suspension_agreed" if approved else "suspension_refused"
    services.note(ticket, submission, decision, said)
    return {"suspension_approved": approved}


@handler("matters.suspend")
def suspend(step: Step) -> Variables:
    """挂起: the ticket rests until somebody resumes it or the time is over."""
    matter = session().get(Matter, step.data["matter_id"])
    until = matter.due_at if matter and matter.due_at else step.now
    return {"suspended_until": services.beijing(until)}


@observer("call_transfer")
@observer("ticket_transfer")
def lapse(change: Change) -> None:
    """Nobody answers what still waits when the ticket has ended."""
    if change.status != "open":
        ticket: Ticket = services.get(change.data)
        matters.lapse(ticket.id, change.now)

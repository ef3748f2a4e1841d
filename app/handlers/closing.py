"""Closing (办结): the ends of a ticket other than a delivered result."""

from app.approvals import services as approvals
from app.engine.registry import Step, Submission, Variables, form, handler
from app.tickets import services
from app.tickets.forms import ApproveTransferForm


@handler("closing.returned")
def returned(step: Step) -> Variables:
    """退单办结: 12345 has agreed to take it back."""
    approvals.close_returned(services.get(step.data), step.now)
    return {}


@handler("closing.merged")
def merged(step: Step) -> Variables:
    """并单 (T04c): the running ticket goes on for both."""
    services.close(services.get(step.data), "merged", step.now)
    return {}


@handler("closing.withdrawn")
def withdrawn(step: Step) -> Variables:
    """撤回办结 (EX-07)."""
    services.close(services.get(step.data), "withdrawn", step.now)
    return {}


@form("ticket.approve_transfer", ApproveTransferForm)
def approve_transfer(submission: Submission) -> Variables:
    """移送审批 (T04d): the leader decides."""
    ticket = services.get(submission.data)
    agreed = submission.values["decision"] == "approve"
    opinion = submission.values.get("opinion")
    approvals.decide_transfer(ticket, submission, agreed=agreed, opinion=opinion)
    services.note(ticket, submission, submission.values["decision"], opinion)
    return {"transfer_approved": agreed}


@handler("closing.transferred")
def transferred(step: Step) -> Variables:
    """移送并告知: the other authority has it, and 12345 is told."""
    approvals.close_transferred(services.get(step.data), step.now)
    return {}

"""Closing (办结): the ends of a ticket other than a delivered result.

12345 is told once how its ticket ended (FLW-02), and of each ticket merged into it (DUP-03); the
nation receives that by a task, before the end.
"""

from app.approvals import messages
from app.approvals import services as approvals
from app.engine.registry import Step, Submission, Variables, form, handler
from app.matters import rules
from app.matters import services as matters
from app.tickets import clock, merge, services
from app.tickets.forms import ApproveTransferForm
from app.tickets.models import Ticket


@handler("closing.merged")
def merged(step: Step) -> Variables:
    """并单 (T04c): the running ticket goes on for both."""
    ticket = services.get(step.data)
    survivor = merge.survivor_of(ticket)
    if survivor is ticket:
        raise LookupError(f"ticket {ticket.id} was to be merged into none")
    _tell(ticket, "merged", {"merged_into": survivor.acceptance_no}, step)
    return {}


@handler("closing.conclude")
def conclude(step: Step) -> Variables:
    """停止办理: the nation hears how its ticket ends; until it has, no time counts any more."""
    ticket = services.get(step.data)
    matters.overtake(ticket, step.now, rules.CONCLUDED)
    clock.close(ticket, {"total"}, step.now)
    return {}


@handler("closing.withdrawn")
def withdrawn(step: Step) -> Variables:
    """撤回办结 (EX-07)."""
    ticket = services.get(step.data)
    _tell(ticket, "withdrawn", {}, step)
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
    """移送并告知: the other authority has it, and 12345 is told for every number."""
    ticket = services.get(step.data)
    where = approvals.tell_transferred(ticket, step.now)
    for follower in merge.followers(ticket):
        told = {"merged_into": ticket.acceptance_no, **where}
        _tell(follower, "transferred_out", told, step)
    return {}


def _tell(ticket: Ticket, event: str, details: dict[str, str], step: Step) -> None:
    if ticket.partner_id is not None:
        once = f"{event}:{ticket.acceptance_no}"
        messages.tell(ticket, event, details, step.now, once=once)

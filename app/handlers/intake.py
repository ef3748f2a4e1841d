"""Intake (受理): registering a ticket, signing it in, reviewing it."""

from app.approvals import extensions
from app.approvals import services as approvals
from app.core.errors import FieldError, Invalid
from app.divisions import queries as divisions
from app.engine.registry import Change, Step, Submission, Variables, form, handler, observer
from app.matters import services as matters
from app.tickets import merge, services
from app.tickets.forms import ReviewForm, SignInForm
from app.tickets.models import Ticket


@handler("intake.register")
def register(step: Step) -> Variables:
    """登记 (T02): find the ticket's place in the division tree."""
    services.register(services.get(step.data))
    return {}


@form("ticket.sign_in", SignInForm)
def sign_in(submission: Submission) -> Variables:
    """签收 (T03 and, at the county, T08)."""
    ticket = services.acting(submission)
    services.note(ticket, submission, "signed_in", submission.values.get("remark"))
    return {}


@form("ticket.review", ReviewForm)
def review(submission: Submission) -> Variables:
    """初审 (T04). A division the operator chose must exist; the ticket moves there."""
    ticket = services.acting(submission)
    code = submission.values.get("division_code")
    if code and (code != ticket.division_code or ticket.division_unresolved):
        if divisions.get(code) is None:
            raise Invalid([FieldError("division_code", "unknown", "行政区划编码不存在")])
        services.locate(ticket, code)
    said = [submission.values.get(name) for name in ("return_reason", "transfer_reason", "opinion")]
    text = "\n".join(part for part in said if part) or None
    services.note(ticket, submission, submission.values["review"], text)
    if submission.values["review"] == "return":
        _ask_return(ticket, submission)
    elif submission.values["review"] == "transfer":
        values = submission.values
        approvals.ask_transfer(
            ticket, submission, values["transfer_org"], values["transfer_reason"]
        )
    elif submission.values["review"] == "merge":
        merge.ask(ticket, submission.values["merged_into"])
    elif submission.values["review"] == "supplement":
        _ask_supplement(ticket, submission)
    answers = submission.values["review"] == "answer"
    handled = {"entry": "handle_province", "handled_by": "province"} if answers else {}
    return {"review": submission.values["review"], **handled}


def _ask_return(ticket: Ticket, submission: Submission) -> None:
    """退单 (EX-01): only what 12345 sent can go back to it."""
    if ticket.partner_id is None:
        raise Invalid([FieldError("review", "source", "只有12345转来的工单可以退单")])
    values = submission.values
    approvals.ask_return(ticket, submission, values["return_reason_code"], values["return_reason"])


def _ask_supplement(ticket: Ticket, submission: Submission) -> None:
    """请12345补充 (T04b): only its own tickets can it add to."""
    if ticket.partner_id is None:
        raise Invalid([FieldError("review", "source", "只有12345转来的工单可以请其补充")])
    text = submission.values["supplement_request"]
    matters.request_supplement(ticket, text, by=submission.actor, now=submission.now)


@observer("call_transfer")
@observer("ticket_transfer")
def follow(change: Change) -> None:
    """Keep the ticket's state with the diagram's position; what it asked for may be over then."""
    services.follow(change)
    extensions.follow(services.get(change.data), change)

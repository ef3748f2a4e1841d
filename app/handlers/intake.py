"""Intake (受理): registering a ticket, signing it in, reviewing it."""

from app.core.errors import FieldError, Invalid
from app.divisions import queries as divisions
from app.engine.registry import Change, Step, Submission, Variables, form, handler, observer
from app.tickets import services
from app.tickets.forms import ReviewForm, SignInForm

COUNTY = 3
"""Deepest level of a division that must be known before a ticket can be handed down."""


@handler("intake.register")
def register(step: Step) -> Variables:
    """登记 (T02): find the ticket's place in the division tree."""
    services.register(services.get(step.data))
    return {}


@form("ticket.sign_in", SignInForm)
def sign_in(submission: Submission) -> Variables:
    """签收 (T03 and, at the county, T08)."""
    ticket = services.get(submission.data)
    services.note(ticket, submission, "signed_in", submission.values.get("remark"))
    return {}


@form("ticket.review", ReviewForm)
def review(submission: Submission) -> Variables:
    """初审 (T04). A division the operator chose must exist; the ticket moves there."""
    ticket = services.get(submission.data)
    code = submission.values.get("division_code")
    if code and (code != ticket.division_code or ticket.division_unresolved):
        if divisions.get(code) is None:
            raise Invalid([FieldError("division_code", "unknown", "行政区划编码不存在")])
        services.locate(ticket, code)
    services.note(ticket, submission, submission.values["review"], submission.values.get("opinion"))
    return {"review": submission.values["review"]}


@observer("ticket_transfer")
def follow(change: Change) -> None:
    """Keep the ticket's state with the diagram's position."""
    services.follow(change)

"""Returns (退单): asking 12345 to take a ticket back, and waiting for its word."""

from app.approvals import services as approvals
from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.tickets import services
from app.tickets.forms import DecideReturnForm, ReviewReturnForm

message("decide.return", "return_approved")
message("return.up", "return_to_unit_id")
message("recall.ticket", "entry", "city_unit_id", "county_unit_id", "handled_by")


@handler("returns.request")
def request(step: Step) -> Variables:
    """推送退单申请 (T05): queue it, and remember when to remind."""
    return {"return_remind_at": _at(approvals.send_return(services.get(step.data), step.now))}


@handler("returns.remind")
def remind(step: Step) -> Variables:
    """催促批复: 12345 has not answered in time. Silence is never consent."""
    return {"return_remind_at": _at(approvals.remind_return(services.get(step.data), step.now))}


@form("ticket.review_return", ReviewReturnForm)
def review_return(submission: Submission) -> Variables:
    """审核下级退回 (T06r, T07r)."""
    ticket = services.acting(submission)
    values = submission.values
    services.note(ticket, submission, values["decision"], values.get("opinion"))
    by_province = submission.data["return_to_unit_id"] == ticket.province_unit_id
    if values["decision"] == "p12345":
        return {"return_route": "p12345", "handling": "return", "entry": "province"}
    if values["decision"] == "agree":
        return {"return_route": "dispatch" if by_province else "city"}
    return {"return_route": "county" if submission.data["county_unit_id"] else "city"}


@form("ticket.decide_return", DecideReturnForm)
def decide_return(submission: Submission) -> Variables:
    """国家批复退单."""
    ticket = services.acting(submission)
    values = submission.values
    services.note(ticket, submission, values["decision"], values["opinion"])
    return {"return_approved": 1 if values["decision"] == "approve" else 2}


_at = services.beijing

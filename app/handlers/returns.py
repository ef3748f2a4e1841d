"""Returns (退单): asking 12345 to take a ticket back, and waiting for its word."""

from app.approvals import services as approvals
from app.engine.registry import Step, Variables, handler, message
from app.tickets import services

message("decide.return", "return_approved")


@handler("returns.request")
def request(step: Step) -> Variables:
    """推送退单申请 (T05): queue it, and remember when to remind."""
    return {"return_remind_at": _at(approvals.send_return(services.get(step.data), step.now))}


@handler("returns.remind")
def remind(step: Step) -> Variables:
    """催促批复: 12345 has not answered in time. Silence is never consent."""
    return {"return_remind_at": _at(approvals.remind_return(services.get(step.data), step.now))}


_at = services.beijing

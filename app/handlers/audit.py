"""Audit (审核): another person reads the report and passes or rejects it."""

from app.core.errors import NotAllowed
from app.engine.registry import Submission, Variables, form
from app.organisations import queries as organisations
from app.tickets import queries, rules, services
from app.tickets.forms import AuditForm


@form("ticket.audit", AuditForm)
def audit(submission: Submission) -> Variables:
    """审核 (T10, T11). Four eyes: the author may not audit unless the unit has one operator."""
    ticket = services.acting(submission)
    author = queries.latest_author(ticket)
    relaxed = False
    if not rules.may_audit(author, submission.actor.id, relaxed=False):
        unit = organisations.unit(submission.actor.unit_id or 0)
        relaxed = unit is not None and unit.single_operator
        if not relaxed:
            raise NotAllowed("审核人不能是报告的办理人，请由本单位其他人员审核", "FOUR_EYES")
    decision = submission.values["decision"]
    services.note(ticket, submission, decision, submission.values.get("opinion"), relaxed=relaxed)
    if decision == "reject":
        ticket.round += 1
        back = submission.values["reject_to"]
        handler = submission.data["handled_by"]
        return {"audit": "reject", "reject_to": handler if back == "handler" else back}
    closes = submission.element_id == "audit_by_city" and submission.data["final_audit"] == "city"
    return {"audit": "close" if closes else "approve"}

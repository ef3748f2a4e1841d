"""Audit (审核): another person reads the report and passes or rejects it."""

from app.core.errors import FieldError, Invalid, NotAllowed
from app.engine.registry import Submission, Variables, form
from app.matters import services as matters
from app.organisations import queries as organisations
from app.tickets import queries, rules, services
from app.tickets.forms import AuditForm

TOLD_AT = 3
"""The rejection of which the leader hears (EX-04)."""


@form("ticket.audit", AuditForm)
def audit(submission: Submission) -> Variables:
    """审核 (T10, T11). Four eyes: the author may not audit unless the unit has one operator.

    A rejection sends the report back to who wrote it, or the province's to the city's audit, where
    there was one; then no new report is asked for and the round stays.
    """
    ticket = services.acting(submission)
    author = queries.latest_author(ticket)
    relaxed = False
    if not rules.may_audit(author, submission.actor.id, relaxed=False):
        unit = organisations.unit(submission.actor.unit_id or 0)
        relaxed = unit is not None and unit.single_operator
        if not relaxed:
            raise NotAllowed("审核人不能是报告的办理人，请由本单位其他人员审核", "FOUR_EYES")
    decision, text = submission.values["decision"], submission.values.get("opinion")
    by_city = submission.element_id == "audit_by_city"
    if decision == "approve":
        services.note(ticket, submission, decision, text, relaxed=relaxed)
        closes = by_city and submission.data["final_audit"] == "city"
        return {"audit": "close" if closes else "approve"}
    handler, back = submission.data["handled_by"], submission.values["reject_to"]
    if back == "city_audit" and (by_city or not queries.audited_by_city(ticket)):
        raise Invalid([FieldError("reject_to", "no_city_audit", "本工单没有经过市级审核")])
    services.note(ticket, submission, decision, text, relaxed=relaxed)
    if queries.rejections(ticket) == TOLD_AT:
        told = f"办理报告已第{TOLD_AT}次被驳回，最近一次意见：{text}"
        matters.notify_leader(ticket, told, submission.now)
    if back == "city_audit":
        return {"audit": "reject", "reject_to": back}
    ticket.round += 1
    return {"audit": "reject", "reject_to": handler}

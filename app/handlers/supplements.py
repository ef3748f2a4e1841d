"""Supplements (补充) asked of 12345 before the review can go on (T04b)."""

from app.engine.registry import Step, Variables, handler, message
from app.tickets import services

message("supply.supplement")


@handler("supplements.ask")
def ask(step: Step) -> Variables:
    """推送补充请求."""
    services.get(step.data).status = "supplement_pending"
    return {"supplement_until": services.beijing(step.now)}


@handler("supplements.end")
def end(step: Step) -> Variables:
    """恢复办理: supplied or overdue, the review goes on."""
    return {}

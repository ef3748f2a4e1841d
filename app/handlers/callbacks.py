"""Callbacks (回访): by 12345, or by our own seats for calls."""

from app.callbacks.forms import CallbackForm, DecideReworkForm
from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.tickets import services

message("report.callback", "callback_id")


@handler("callbacks.begin")
def begin(step: Step) -> Variables:
    """安排回访."""
    return {
        "callback_by": "none",
        "callback_until": services.beijing(step.now),
        "rework": False,
        "rework_ask": False,
    }


@form("callback.report", CallbackForm)
def report(submission: Submission) -> Variables:
    """坐席回访."""
    ticket = services.get(submission.data)
    services.note(ticket, submission, "called_back", submission.values.get("opinion"))
    return {}


@handler("callbacks.judge")
def judge(step: Step) -> Variables:
    """判断是否重办."""
    return {"rework": False, "rework_ask": False}


@form("callback.decide_rework", DecideReworkForm)
def decide_rework(submission: Submission) -> Variables:
    """决定是否重办."""
    ticket = services.get(submission.data)
    values = submission.values
    services.note(ticket, submission, values["decision"], values.get("opinion"))
    if values["decision"] == "close":
        return {"rework": False}
    again = values["decision"] == "again"
    entry = f"handle_{submission.data['handled_by']}" if again else "province"
    return {"rework": True, "entry": entry}

"""Extension (延期): asked beside the handling, seen by each upper level, decided by 12345."""

from app.approvals.forms import DecideExtensionForm, OpinionForm
from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.tickets import services

message(
    "request.extension",
    "extension_id",
    "city_first",
    "province_first",
    "decider",
    "city_unit_id",
)
message("decide.extension", "extension_approved")


@form("extension.opinion", OpinionForm)
def give_opinion(submission: Submission) -> Variables:
    """市级意见、省级意见 (T12)."""
    ticket = services.get(submission.data)
    values = submission.values
    services.note(ticket, submission, values["decision"], values.get("opinion"))
    return {"opinion": values["decision"]}


@form("extension.decide", DecideExtensionForm)
def decide(submission: Submission) -> Variables:
    """批复 by the leader (call mode) or the nation."""
    ticket = services.get(submission.data)
    values = submission.values
    services.note(ticket, submission, values["decision"], values.get("opinion"))
    return {"extension_approved": 1 if values["decision"] == "agree" else 2}


@handler("extension.send")
def send(step: Step) -> Variables:
    """推送延期申请."""
    return {"extension_remind_at": services.beijing(step.now)}


@handler("extension.remind")
def remind(step: Step) -> Variables:
    """催促批复."""
    return {"extension_remind_at": services.beijing(step.now)}


@handler("extension.grant")
def grant(step: Step) -> Variables:
    """准予延期."""
    return {}


@handler("extension.refuse")
def refuse(step: Step) -> Variables:
    """不予延期."""
    return {}

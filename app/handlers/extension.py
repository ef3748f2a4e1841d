"""Extension (延期): asked beside the handling, seen by each upper level, decided by 12345."""

from app.approvals import extension_messages, extensions
from app.approvals.forms import AskExtensionForm, DecideExtensionForm, OpinionForm
from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.tickets import services
from app.tickets.actions import Request, action

message(
    "request.extension",
    "extension_id",
    "city_first",
    "province_first",
    "decider",
    "city_unit_id",
)
message("decide.extension", "extension_id", "extension_approved")
message("lapse.extension")


@action(
    "extend",
    "申请延期",
    AskExtensionForm,
    permission="ticket.extend",
    states=frozenset({"handling", "reworking"}),
    offered=extensions.may_ask,
    pending=lambda ticket: ticket.extension_pending,
    icon="hourglass-split",
    help="须在办结时限前至少1个工作日提出，并已将延期理由告知诉求人；批复前工单显示“延期审批中”。",
)
def ask(request: Request) -> None:
    """申请延期 (T12)."""
    variables = extensions.ask(request.ticket, request.values, request.principal, request.now)
    request.tell("request.extension", variables)


@form("extension.opinion", OpinionForm)
def give_opinion(submission: Submission) -> Variables:
    """市级意见、省级意见 (T12)."""
    values = submission.values
    opinion = values.get("opinion")
    services.note(services.get(submission.data), submission, values["decision"], opinion)
    return {"opinion": extensions.opine(submission, values["decision"], opinion)}


@form("extension.decide", DecideExtensionForm)
def decide(submission: Submission) -> Variables:
    """批复 by the leader (calls and our own tickets) or the nation."""
    values = submission.values
    opinion = values["opinion"]
    services.note(services.get(submission.data), submission, values["decision"], opinion)
    extensions.decide(submission, opinion)
    agreed = values["decision"] == "agree"
    return {"extension_approved": extensions.YES if agreed else extensions.NO}


@handler("extension.send")
def send(step: Step) -> Variables:
    """推送延期申请: queue it, and remember when to remind."""
    ticket, request = services.get(step.data), extensions.of(step.data)
    remind_at = extension_messages.send(ticket, request, step.now)
    return {"extension_remind_at": services.beijing(remind_at)}


@handler("extension.remind")
def remind(step: Step) -> Variables:
    """催促批复: 12345 has not answered in time. Silence is never consent."""
    ticket, request = services.get(step.data), extensions.of(step.data)
    remind_at = extension_messages.remind(ticket, request, step.now)
    return {"extension_remind_at": services.beijing(remind_at)}


@handler("extension.grant")
def grant(step: Step) -> Variables:
    """准予延期."""
    extensions.grant(services.get(step.data), extensions.of(step.data), step.now)
    return {}


@handler("extension.refuse")
def refuse(step: Step) -> Variables:
    """不予延期, or no longer needed."""
    extensions.refuse(services.get(step.data), extensions.of(step.data), step.now)
    return {}

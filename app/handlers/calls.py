"""Calls (话务): from the agent who answers to the ticket it becomes."""

from app.calls.forms import AnswerCallForm, CallBackForm, CheckCallForm, RecordForm
from app.engine.registry import Step, Submission, Variables, form, handler
from app.tickets import services


@handler("calls.open")
def open_call(step: Step) -> Variables:
    """登记来电 (C01)."""
    services.get(step.data).status = "draft"
    return {}


@form("call.answer", AnswerCallForm)
def answer(submission: Submission) -> Variables:
    """接听、分类 (C02)."""
    return {"call": submission.values["call"]}


@form("call.record.complaint", RecordForm)
@form("call.record.declaration", RecordForm)
@form("call.record.consultation", RecordForm)
@form("call.record.suggestion", RecordForm)
def record(submission: Submission) -> Variables:
    """按分类记录工单 (C05)."""
    return {}


@form("call.call_back", CallBackForm)
def call_back(submission: Submission) -> Variables:
    """回拨 (C06)."""
    reached = submission.values["outcome"] == "reached"
    return {"call_outcome": "record" if reached else "drop"}


@form("call.check", CheckCallForm)
def check(submission: Submission) -> Variables:
    """签收核对 (C07)."""
    return {"review": submission.values["review"]}


@handler("calls.close_wrong")
def close_wrong(step: Step) -> Variables:
    """误转 (C03)."""
    services.close(services.get(step.data), "wrong_transfer", step.now)
    return {}


@handler("calls.close_answered")
def close_answered(step: Step) -> Variables:
    """即问即答 (C04)."""
    services.close(services.get(step.data), "answered", step.now)
    return {}


@handler("calls.close_dropped")
def close_dropped(step: Step) -> Variables:
    """中断未回 (C06)."""
    services.close(services.get(step.data), "dropped", step.now)
    return {}

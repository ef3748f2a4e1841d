"""Callbacks (回访) by 12345 or by our own seats, and the round that may follow (重办)."""

from app.approvals import messages
from app.callbacks import rules
from app.callbacks import services as callbacks
from app.callbacks.forms import CallbackForm, DecideReworkForm
from app.engine.registry import Step, Submission, Variables, form, handler, message
from app.matters import custody
from app.tickets import clock, services
from app.tickets.types import TICKET_TYPES

message("report.callback", "callback_id")


@handler("callbacks.begin")
def begin(step: Step) -> Variables:
    """安排回访: 12345 calls about its own tickets, our seats about calls they took."""
    ticket = services.get(step.data)
    by = rules.who_calls(
        by_seats=step.process_key == "call_transfer",
        from_12345=ticket.partner_id is not None,
        called_back=TICKET_TYPES[ticket.ticket_type].called_back,
    )
    begin_to_wait = clock.wait if by == "p12345" else clock.promise  # or a task, or rest
    return {
        "callback_by": by,
        "callback_until": services.beijing(begin_to_wait(ticket, callbacks.WAIT, step.now)),
        "rework": False,
        "rework_ask": False,
    }


@form("callback.report", CallbackForm)
def report(submission: Submission) -> Variables:
    """坐席回访. What the petitioner said is kept with the callback and in no opinion."""
    ticket = services.get(submission.data)
    callbacks.called(ticket, submission)
    services.note(ticket, submission, "called_back", None)
    return {}


@handler("callbacks.judge")
def judge(step: Step) -> Variables:
    """判断是否重办: the first time by itself, to the unit that handled it; later it is asked."""
    ticket = services.get(step.data)
    if not callbacks.wants_rework(ticket, step.now):
        return {"rework": False, "rework_ask": False}
    if ticket.reworks >= rules.AUTOMATIC_REWORKS:
        return {"rework": False, "rework_ask": True}
    callbacks.begin_rework(ticket, step.now)
    return {"rework": True, "rework_ask": False, "entry": f"handle_{step.data['handled_by']}"}


@form("callback.decide_rework", DecideReworkForm)
def decide_rework(submission: Submission) -> Variables:
    """决定是否重办. Explained and closed, 12345 is told the explanation."""
    ticket = services.get(submission.data)
    decision, said = submission.values["decision"], submission.values["opinion"]
    services.note(ticket, submission, f"rework_{decision}", said)
    if decision == "close":
        if ticket.partner_id is not None:
            messages.tell(
                ticket,
                "rework_refused",
                {"reason": said},
                submission.now,
                once=f"rework:{ticket.acceptance_no}:{ticket.round}:refused",
            )
        return {"rework": False}
    callbacks.begin_rework(ticket, submission.now)
    if decision == "again":
        return {"rework": True, "entry": f"handle_{submission.data['handled_by']}"}
    submission.ends.update(custody.place(ticket, submission.now))
    return {"rework": True, "entry": "province", "city_unit_id": 0, "county_unit_id": 0}

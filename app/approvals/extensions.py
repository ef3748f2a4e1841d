"""Extensions (延期, EX-03): asked by the unit that handles, decided by 12345, nation or leader.

While a request is open the ticket is 延期审批中. When the handling ends first, it lapses.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.approvals import answers, extension_messages, queries, rules
from app.approvals.errors import ExtensionOpen, ExtensionRefused, RequestNotOpen
from app.approvals.models import AGREED, LAPSED, OPEN, REFUSED, Extension
from app.core.db import session
from app.core.errors import FieldError, Invalid
from app.deadlines import services as deadlines
from app.deadlines.clocks import PLANNED
from app.deadlines.errors import ExtensionTooLate
from app.deadlines.policy import Extension as ExtensionTerms
from app.engine import runner
from app.engine.registry import SYSTEM, Change, Submission, Variables
from app.security.principal import Principal
from app.tickets import clock
from app.tickets.access import may_do
from app.tickets.errors import StateConflict
from app.tickets.models import Ticket
from app.tickets.rules import IN_HANDLING, future_problems
from app.tickets.worklist import stands_still

YES, NO = 1, 2
REFUSE = "refuse"
HANDLING = "handle"
"""The deadline of the steps in which a unit works on the matter."""


def may_ask(principal: Principal, ticket: Ticket) -> bool:
    """Whether the person's unit has it in hand."""
    return any(
        task.deadline_key == HANDLING and may_do(principal, task)
        for task in queries.open_tasks(ticket.acceptance_no)
    )


def ask(ticket: Ticket, values: dict[str, Any], principal: Principal, now: datetime) -> Variables:
    """Write a request down; what comes back is for the diagram, which takes it up.

    Refused when it comes too late (“超过办结时限才提出”), when one is open, when the type has no
    extension or has had it. Only what was granted counts as had.
    """
    earlier = queries.extensions_of(ticket.id)
    if earlier and earlier[-1].state == OPEN:
        raise ExtensionOpen(ticket.status, earlier[-1].requested_by_name)
    clock.ensure(ticket, now)
    terms = deadlines.extension_terms(ticket.id)
    _refuse_more_than_allowed(terms, earlier, values["extension_days"])
    try:
        deadlines.ask_extension(ticket.id, now)
    except ExtensionTooLate:
        late = "超过办结时限不能申请延期"
        soon = f"延期须在办结时限前至少{terms.apply_before.title}申请"
        raise ExtensionRefused(
            "EXTENSION_TOO_LATE", late if now > ticket.due_at else soon
        ) from None
    way = _way(ticket, principal)
    request = Extension(
        ticket_id=ticket.id,
        request_no=f"{ticket.acceptance_no}-E{len(earlier) + 1}",
        reason=values["extension_reason"],
        days=values["extension_days"],
        informed_note=values["informed_note"],
        requested_by=principal.user_id,
        requested_by_name=principal.display_name,
        unit_id=principal.unit_id,
        requested_at=now,
        due_before=ticket.due_at,
        proposed_due_at=deadlines.due_if_granted(
            ticket.id, values["extension_days"], unit=terms.unit
        ),
        decider=way.decider,
        reminders=0,
        state=OPEN,
    )
    session().add(request)
    ticket.extension_until = request.proposed_due_at
    _show(ticket)
    return {
        "extension_id": request.id,
        "city_first": way.city_first,
        "province_first": way.province_first,
        "decider": way.decider,
        "city_unit_id": ticket.city_unit_id or 0,
    }


def opine(submission: Submission, decision: str, opinion: str | None) -> str:
    """市级意见、省级意见: what the diagram goes by. A refusal ends the request here.

    Whatever is said to a request that has lapsed meanwhile, it goes no further.
    """
    request = of(submission.data)
    if request.state != OPEN:
        return REFUSE
    if decision == REFUSE:
        _say(request, opinion, submission.actor.name, submission.now)
    return decision


def decide(submission: Submission, opinion: str) -> None:
    """The leader's or the nation's word; the diagram grants or refuses."""
    request = of(submission.data)
    if request.state == OPEN:
        _say(request, opinion, submission.actor.name, submission.now)


def answer(ticket: Ticket, given: dict[str, Any], now: datetime) -> bool:
    """12345's answer (I10, table 5); True when it only repeats what was already answered.

    Raises RequestNotOpen when 12345 was not asked, or the request is over; Invalid for more days
    than were asked for. The instance is locked before the request, as timers do; a reminder that
    was due until now goes out first.
    """
    runner.hold(ticket.acceptance_no)
    session().refresh(ticket)
    sent = [each for each in queries.extensions_of(ticket.id) if each.sent_at is not None]
    request = answers.meant(sent, given, _repeats)
    if request is None:
        raise RequestNotOpen(ticket.status, sent[-1].decided_by if sent else None)
    if request.state != OPEN:
        if _repeats(request, given):
            return True
        raise RequestNotOpen(ticket.status, request.decided_by)
    wrong = future_problems("decided_at", "批复时间", given.get("decided_at"), now)
    if (given.get("approved_days") or 0) > request.days:
        told = f"批准天数不能超过申请的{request.days}天"
        wrong.append(FieldError("approved_days", "most", told))
    if wrong:
        raise Invalid(wrong)
    _say(request, given["opinion"], given.get("decided_by"), given.get("decided_at") or now)
    request.approved_days = given.get("approved_days")
    clock.close(ticket, {extension_messages.DECISION}, now)
    state = runner.deliver_message(
        f"decision:{request.request_no}",
        "decide.extension",
        ticket.acceptance_no,
        {"extension_id": request.id, "extension_approved": given["approved"]},
        now=now,
    )
    if state != "delivered":
        raise StateConflict(ticket)
    return False


def grant(ticket: Ticket, request: Extension, now: datetime) -> None:
    """准予延期: the total and what is being handled are due later; 12345 is told the new date."""
    if request.state != OPEN:
        return
    days = request.approved_days or request.days
    unit = deadlines.extension_terms(ticket.id).unit
    deadlines.grant(ticket.id, days, now, unit=unit, actor_name=request.decided_by or SYSTEM.name)
    _close(ticket, request, AGREED, now)
    if ticket.partner_id is not None:
        extension_messages.granted(ticket, request, days, now)


def refuse(ticket: Ticket, request: Extension, now: datetime) -> None:
    """不予延期: the time limit stays, with a working day left at least."""
    if request.state == OPEN:
        by = request.decided_by or SYSTEM.name
        deadlines.refuse_extension(ticket.id, now, actor_name=by)
        _close(ticket, request, REFUSED, now)


def follow(ticket: Ticket, change: Change) -> None:
    """Let an open request lapse once the handling is over, or is another unit's.

    Until then the steps that open meanwhile are not overdue either.
    """
    settle(ticket, change.now, running=change.status == "open")
    for task in change.opened:
        if ticket.extension_until is not None and task.deadline_key in PLANNED:
            task.sort_at = ticket.extension_until


def settle(ticket: Ticket, now: datetime, *, running: bool = True) -> None:
    """No more time is needed when the handling has ended or the asking unit lost the ticket.

    12345, when it was asked, need not answer (O7); the branch of a running diagram ends.
    """
    request = queries.latest_extension(ticket.id) if ticket.extension_pending else None
    if request is None or (running and _is_wanted(ticket, request)):
        return
    deadlines.refuse_extension(ticket.id, now, reason="延期申请失效")
    _close(ticket, request, LAPSED, now)
    if running:
        _end_branch(ticket, request, now)
    if request.sent_at is not None:
        clock.close(ticket, {extension_messages.DECISION}, now, cancelled=True)
        extension_messages.cancel(ticket, request, now)


def of(data: Any) -> Extension:
    """The request a branch of the diagram is about."""
    request = session().get(Extension, data["extension_id"])
    if request is None:
        raise LookupError(f"extension {data['extension_id']} of a running process is missing")
    return request


def _refuse_more_than_allowed(allowed: ExtensionTerms, earlier: list[Extension], days: int) -> None:
    had = [each.approved_days or each.days for each in earlier if each.state == AGREED]
    if not allowed.max_times:
        raise ExtensionRefused("EXTENSION_NOT_FOR_TYPE", "该类工单不能延期")
    if len(had) >= allowed.max_times:
        raise ExtensionRefused("EXTENSION_USED_UP", f"每张工单最多延期{allowed.max_times}次")
    if sum(had) + days > allowed.max_days:
        most = allowed.max_days - sum(had)
        raise Invalid([FieldError("extension_days", "most", f"该类工单最多再延期{most}天")])


def _way(ticket: Ticket, principal: Principal) -> rules.Way:
    return rules.way(
        ticket.source,
        principal.level,
        has_city=ticket.city_unit_id is not None,
        is_citys_own=ticket.registered_unit_id is not None
        and ticket.registered_unit_id == ticket.city_unit_id,
    )


def _is_wanted(ticket: Ticket, request: Extension) -> bool:
    units = {ticket.province_unit_id, ticket.city_unit_id, ticket.county_unit_id}
    goes_on = ticket.status in IN_HANDLING or ticket.status == "suspended"
    return goes_on and request.unit_id in units


def _end_branch(ticket: Ticket, request: Extension, now: datetime) -> None:
    """Tell the diagram that nobody's opinion or decision is wanted any more."""
    if "lapse.extension" in queries.awaited(ticket.acceptance_no):
        runner.post_message(
            f"lapse:{request.request_no}", "lapse.extension", ticket.acceptance_no, {}, now=now
        )


def _say(request: Extension, opinion: str | None, by: str | None, at: datetime) -> None:
    request.opinion, request.decided_by, request.decided_at = opinion, by, at


def _close(ticket: Ticket, request: Extension, state: str, now: datetime) -> None:
    """End the request; what it kept from turning red shows its own time limit again."""
    ticket.extension_until = None
    request.state, request.due_after = state, ticket.due_at
    request.decided_at = request.decided_at or now
    _show(ticket)


def _show(ticket: Ticket) -> None:
    """Lists call nothing overdue before the date that was asked for (EX-03)."""
    session().flush()
    for task in queries.open_tasks(ticket.acceptance_no):
        if task.deadline_key in PLANNED and not stands_still(task):
            task.sort_at = ticket.extension_until or task.due_at or task.sort_at
    session().flush()


def _repeats(request: Extension, given: Mapping[str, Any]) -> bool:
    days = given.get("approved_days")
    state = AGREED if given["approved"] == YES else REFUSED
    return (request.state, request.opinion, request.approved_days) == (
        state,
        given["opinion"],
        days,
    )

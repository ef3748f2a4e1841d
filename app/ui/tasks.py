"""Doing a task (办理待办): claim, draft, complete. Forms are the diagram's, rules the handlers'.

An open task of the unit can be done without claiming it; a claim tells the colleagues.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from marshmallow import Schema
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from werkzeug.wrappers import Response as AnyResponse

from app.api.http import Malformed, answer
from app.core import clock
from app.core.clock import BEIJING
from app.core.db import session, transact
from app.core.errors import FieldError, HotlineError, Invalid
from app.engine import claims, registry, runner
from app.engine import queries as engine
from app.engine.models import UserTask
from app.engine.outcomes import Outcome
from app.files import services as files
from app.organisations import queries as organisations
from app.security.principal import Principal
from app.tickets import services as tickets
from app.tickets.access import actor_of, guard, may_do, telling_state
from app.tickets.duplicates import DECISIONS
from app.tickets.forms import SignInForm
from app.tickets.models import FormDraft, Ticket
from app.tickets.queries import find_ticket, ticket_for
from app.tickets.rules import STATES
from app.tickets.types import TICKET_TYPES
from app.ui import abouts, choices, duplicates, present, seats
from app.ui.files import take_uploads
from app.ui.forms import field_views, form_errors, parse_form
from app.ui.page import permitted
from app.ui.registration import in_order

blueprint = Blueprint("tasks", __name__)

_NO_FORM: Schema = SignInForm()
_SUBMIT = {
    "ticket.sign_in": "签收",
    "ticket.review": "提交初审",
    "ticket.dispatch": "确认分派",
    "ticket.city_decide": "确认",
    "ticket.county_decide": "签收",
    "ticket.investigate.complaint": "提交审核",
    "ticket.investigate.declaration": "提交审核",
    "ticket.investigate.consultation": "提交答复",
    "ticket.investigate.suggestion": "提交答复",
    "ticket.audit": "提交",
    "call.answer": "确认",
    "call.call_back": "提交回拨结果",
    "call.check": "提交核对",
    **{f"call.record.{code}": "登记受理" for code in TICKET_TYPES},
}


def task_view(
    principal: Principal,
    ticket: Ticket,
    waiting: Sequence[UserTask],
    values: dict[str, Any] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> dict[str, Any] | None:
    """The waiting step this person may do, as `ticket/_task.html` draws it, or None.

    Of several it is the one that the address names, or the first of the flow.
    """
    mine_to_do = [task for task in waiting if may_do(principal, task)]
    mine_to_do.sort(key=lambda task: task.element_id in abouts.BESIDE)
    if not mine_to_do:
        return None
    wanted = request.args.get("task", "")
    row = next((task for task in mine_to_do if str(task.id) == wanted), mine_to_do[0])
    mine = row.assignee_id == principal.user_id
    free = row.assignee_id is None
    if values is None:
        values = _draft(row.id, principal.user_id) or _first_values(row, ticket)
    owner = files.Owner(user_id=principal.user_id)
    return {
        "id": row.id,
        "name": row.name,
        "form": _fields(row, ticket),
        "values": values,
        "errors": errors or {},
        "version": row.version,
        "claimed_by": row.assignee_name,
        "mine": mine,
        "can_complete": mine or free,
        "claim_url": url_for("tasks.claim", task_id=row.id) if free else None,
        "unclaim_url": url_for("tasks.unclaim", task_id=row.id) if mine else None,
        "complete_url": url_for("tasks.complete", task_id=row.id),
        "upload_url": url_for("files.upload", task_id=row.id),
        "draft_url": url_for("tasks.save_draft", task_id=row.id),
        "files": [present.file_view(f) for f in files.drafts_of_task(row.id, owner)],
        "about": abouts.about(principal, ticket, row),
        "duplicates": duplicates.panel(principal, ticket, row, values) if mine or free else [],
        "others": [
            {"name": task.name, "url": f"?task={task.id}#task", "active": task is row}
            for task in mine_to_do
        ]
        if len(mine_to_do) > 1
        else [],
        "submit_label": _SUBMIT.get(row.form or "", "提交"),
    }


@blueprint.post("/tasks/<uuid:task_id>/claim")
@permitted("task.claim")
def claim(principal: Principal, task_id: UUID) -> AnyResponse:
    """Take the task into one's own hands."""

    def work() -> UserTask:
        with telling_state():
            return claims.claim(task_id, actor=actor_of(principal), authorise=guard(principal))

    row = transact(work)
    return redirect(url_for("tickets.show", acceptance_no=row.business_key))


@blueprint.post("/tasks/<uuid:task_id>/unclaim")
@permitted("task.claim")
def unclaim(principal: Principal, task_id: UUID) -> AnyResponse:
    """Put it back for the unit (退回待办池); what was drafted stays one's own."""

    def work() -> UserTask:
        with telling_state():
            return claims.unclaim(task_id, actor=actor_of(principal), authorise=guard(principal))

    row = transact(work)
    return redirect(url_for("tickets.show", acceptance_no=row.business_key))


@blueprint.post("/tasks/<uuid:task_id>/complete")
@permitted("task.complete")
def complete(principal: Principal, task_id: UUID) -> Any:
    """Complete it. What is wrong is shown in the form, with everything that was entered."""
    values, refused = _entered(principal, task_id)
    if refused:
        return _again(principal, task_id, values, Invalid(refused)), 422
    version = request.form.get("version", type=int)

    def work() -> Outcome:
        with telling_state():
            outcome = runner.complete_task(
                task_id,
                {k: v for k, v in values.items() if v is not None},
                actor=actor_of(principal),
                now=clock.now(),
                version=version,
                authorise=guard(principal),
            )
        session().execute(delete(FormDraft).where(FormDraft.task_id == task_id))
        return outcome

    try:
        outcome = transact(work)
    except Invalid as refusal:
        return _again(principal, task_id, values, refusal), 422
    row = engine.task(task_id)
    ticket = tickets.ticket_numbered(row.business_key)
    flash(f"“{row.name}”已提交{_whereto(outcome, ticket)}", "success")
    target = url_for("tickets.show", acceptance_no=row.business_key)
    if seats.is_at_the_seat(row):
        target = url_for("calls.show", acceptance_no=row.business_key)
    elif _is_out_of_hand(principal, row, outcome):
        target = url_for("worklist.index")
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target)


@blueprint.post("/tasks/<uuid:task_id>/draft")
@permitted("task.complete")
def save_draft(principal: Principal, task_id: UUID) -> Any:
    """Keep what has been entered, right or wrong (UI-02)."""
    values, refused = _entered(principal, task_id)
    row = engine.task(task_id)
    now = clock.now()
    transact(lambda: _keep(task_id, principal, values, now))
    if request.accept_mimetypes.best == "application/json":
        return answer({"saved_at": now.astimezone(BEIJING).strftime("%H:%M")})
    for error in refused:
        flash(error.message, "error")
    return redirect(_page_of(row))


@blueprint.post("/tasks/<uuid:task_id>/duplicates/<acceptance_no>")
@permitted("task.complete")
def decide_duplicate(principal: Principal, task_id: UUID, acceptance_no: str) -> Any:
    """并单, 关联 or 新诉求 of a likely duplicate; what has been entered is kept as a draft."""
    values, refused = _entered(principal, task_id)
    decision = request.form.get("duplicate", "")
    if decision not in DECISIONS:
        raise Malformed("页面已过期，请重新打开")
    now = clock.now()

    def work() -> None:
        row = engine.task(task_id)
        with telling_state():
            kept = duplicates.decide(principal, row, acceptance_no, decision, values, now)
        _keep(task_id, principal, kept, now)

    transact(work)
    row = engine.task(task_id)
    if request.headers.get("HX-Request"):
        ticket = ticket_for(principal, row.business_key)
        wrong = form_errors(Invalid(refused)) if refused else None
        task = task_view(principal, ticket, [row], errors=wrong)
        return render_template("ticket/_task.html", task=task)
    for error in refused:
        flash(error.message, "error")
    return redirect(_page_of(row))


def _keep(task_id: UUID, principal: Principal, values: dict[str, Any], now: datetime) -> None:
    statement = insert(FormDraft).values(
        task_id=task_id, user_id=principal.user_id, values=values, saved_at=now
    )
    session().execute(
        statement.on_conflict_do_update(
            index_elements=[FormDraft.task_id, FormDraft.user_id],
            set_={"values": statement.excluded["values"], "saved_at": now},
        )
    )


def _page_of(row: UserTask) -> str:
    """Where the form of a task is; `task` names it among several."""
    number = row.business_key
    if seats.is_at_the_seat(row):
        return url_for("calls.show", acceptance_no=number, _anchor="task")
    return url_for("tickets.show", acceptance_no=number, task=row.id, _anchor="task")


def _entered(principal: Principal, task_id: UUID) -> tuple[dict[str, Any], list[FieldError]]:
    """What the form holds, with the files that a browser without scripts sends along."""
    row = engine.task(task_id)
    guard(principal)(row)
    schema = _schema(row.form)
    values = parse_form(schema, request.form)
    refused: list[FieldError] = []
    for view in field_views(schema):
        if view.widget == "files":
            kept, problems = take_uploads(files.Owner.of(principal), task_id, view.name)
            if kept:
                values[view.name] = [*(values.get(view.name) or []), *kept]
            refused += problems
    return values, refused


def _again(
    principal: Principal, task_id: UUID, values: dict[str, Any], refusal: HotlineError
) -> str:
    row = engine.task(task_id)
    ticket = ticket_for(principal, row.business_key)
    task = task_view(principal, ticket, [row], values, form_errors(refusal))
    if request.headers.get("HX-Request"):
        return render_template("ticket/_task.html", task=task)
    from app.ui.tickets import page

    return page(principal, ticket, task=task)


def _is_out_of_hand(principal: Principal, row: UserTask, outcome: Outcome) -> bool:
    """Whether others go on, or the ticket was this unit's only for as long as it was asked."""
    others = bool(outcome.opened) and all(o["unit_id"] != principal.unit_id for o in outcome.opened)
    return others or find_ticket(principal, row.business_key) is None


def _whereto(outcome: Outcome, ticket: Ticket) -> str:
    """“，转入湄潭县农业农村局“县级签收””; where nobody has a step, the state of the ticket."""
    if not outcome.opened:
        if ticket.status == "result_pending":
            return "，办理结果正在回传 12345"
        return f"，工单现为“{STATES[ticket.status]}”"
    step = outcome.opened[0]
    unit = organisations.unit(step["unit_id"] or 0)
    return f"，转入{unit.name if unit else ''}“{step['name']}”"


def _schema(form: str | None) -> Schema:
    known = registry.form_named(form) if form else None
    return known.schema if known else _NO_FORM


def _fields(row: UserTask, ticket: Ticket) -> list[Any]:
    views = field_views(_schema(row.form), choices.options(row, ticket))
    views = choices.offered(row, ticket, views)
    return in_order(views) if seats.is_record(row) else views


def _first_values(row: UserTask, ticket: Ticket) -> dict[str, Any]:
    """What a form starts with: what is known so far, the unit that is responsible there."""
    started = choices.first_values(row, ticket)
    return seats.first_values(row, ticket) if started is None else started


def _draft(task_id: UUID, user_id: int) -> dict[str, Any] | None:
    return session().scalar(
        select(FormDraft.values).where(FormDraft.task_id == task_id, FormDraft.user_id == user_id)
    )

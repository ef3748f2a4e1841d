"""The seats' pages (来电): calls that wait, one call with its number's history, another matter."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, redirect, request, url_for
from marshmallow import Schema, ValidationError
from sqlalchemy import select

from app.api.http import Malformed, client_ip
from app.calls import queries, services
from app.calls.models import Call
from app.core import clock
from app.core.db import session, transact
from app.core.errors import Conflict, Invalid
from app.engine import claims
from app.engine.entry import field_errors
from app.engine.models import UserTask
from app.exchange import inbound
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.security import access
from app.security.principal import Principal
from app.tickets import types
from app.tickets.access import actor_of, guard
from app.tickets.fields import CallerNumber
from app.tickets.models import Ticket
from app.tickets.queries import ticket_for
from app.tickets.rules import STATES
from app.ui import present
from app.ui.forms import field_views, form_errors, parse_form
from app.ui.page import draw, permitted
from app.ui.tasks import task_view

blueprint = Blueprint("calls", __name__)

AGAIN_HOURS = 24
"""So long after a call another matter of it can be recorded."""


class ManualCallForm(Schema):
    """来电登记: without telephony the agent types the number (FLW-12)."""

    caller_number = CallerNumber(
        required=True,
        metadata={"label": "来电号码", "inputmode": "tel", "help": "号码隐藏时填“未知”"},
    )


_MANUAL = ManualCallForm()


@blueprint.get("/calls")
@permitted("call.answer")
def index(principal: Principal) -> str:
    """What waits for the seats of this province."""
    return _board(principal, uuid4())


@blueprint.post("/calls")
@permitted("call.answer")
def open_call(principal: Principal) -> Any:
    """Take a call down by hand (C01) and answer it; sent twice it is one call."""
    values, token = parse_form(_MANUAL, request.form), _token()

    def work() -> str:
        try:
            number = _MANUAL.load(values)["caller_number"]
        except ValidationError as error:
            raise Invalid(field_errors(error.messages_dict)) from None
        unit = _unit(principal)
        return _once(
            principal,
            token,
            lambda: services.open_call(
                unit,
                number,
                operator_no=principal.username,
                actor=actor_of(principal),
                now=clock.now(),
            ),
        )

    try:
        number = transact(work)
    except Invalid as refusal:
        return _board(principal, token, values, form_errors(refusal)), 422
    return redirect(url_for("calls.show", acceptance_no=number))


@blueprint.get("/calls/<acceptance_no>")
@permitted("call.answer")
def show(principal: Principal, acceptance_no: str) -> str:
    """One call: the number complete for the seat that talks to it, which the access log says."""

    def work() -> None:
        ticket = ticket_for(principal, acceptance_no)
        services.call_of(ticket)
        access.record(
            principal,
            "ticket.reveal",
            "ticket",
            ticket.acceptance_no,
            ip=client_ip(),
            now=clock.now(),
            reason="接听来电",
            detail={"fields": ["caller_number"]},
        )

    transact(work)
    ticket = ticket_for(principal, acceptance_no)
    call = services.call_of(ticket)
    waiting = session().scalars(
        select(UserTask).where(
            UserTask.business_key == ticket.acceptance_no, UserTask.state == "open"
        )
    )
    return draw(
        "calls/show.html",
        principal,
        active="calls",
        call=_call(call, ticket),
        ticket=_line(ticket),
        task=task_view(principal, ticket, list(waiting)),
        history=[_line(row) for row in queries.history(principal, ticket)],
        siblings=[_line(row) for row in queries.same_call(call)],
        attempts=[
            {
                "at": present.shown(attempt.at),
                "who": attempt.agent_name,
                "text": "已接通" if attempt.reached else "未接通",
            }
            for attempt in queries.attempts(call)
        ],
        again={"url": url_for("calls.open_another", acceptance_no=acceptance_no), "token": uuid4()}
        if call.outcome and _is_fresh(call)
        else None,
        list_url=url_for("calls.index"),
    )


@blueprint.post("/calls/<acceptance_no>/another")
@permitted("call.answer")
def open_another(principal: Principal, acceptance_no: str) -> Any:
    """再登记一件: another matter of the same call (FLW-11)."""
    token = _token()

    def work() -> str:
        call = services.call_of(ticket_for(principal, acceptance_no))
        if not _is_fresh(call):
            raise Conflict("来电已超过24小时，请另行登记", "CALL_OVER")
        return _once(
            principal,
            token,
            lambda: services.open_another(
                call,
                operator_no=principal.username,
                actor=actor_of(principal),
                now=clock.now(),
            ),
        )

    return redirect(url_for("calls.show", acceptance_no=transact(work)))


def _once(principal: Principal, token: UUID, make: Any) -> str:
    """Make the call once for this form, and put its first step into this agent's hands."""

    def work() -> str:
        ticket = session().get_one(Ticket, make().ticket_id)
        step = session().scalars(
            select(UserTask).where(
                UserTask.business_key == ticket.acceptance_no, UserTask.state == "open"
            )
        )
        actor = actor_of(principal)
        claims.claim(step.one().id, actor=actor, authorise=guard(principal))
        return ticket.acceptance_no

    client = f"call:{principal.user_id}"
    number, _ = inbound.idempotent(client, str(token), inbound.fingerprint(str(token)), work)
    return str(number)


def _board(
    principal: Principal,
    token: UUID,
    values: dict[str, Any] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> str:
    unit = _unit(principal)
    return draw(
        "calls/index.html",
        principal,
        active="calls",
        unit_name=unit.name,
        joined_by_calls=unit.mode == "call",
        form=field_views(_MANUAL),
        values=values or {},
        errors=errors or {},
        token=token,
        open_url=url_for("calls.open_call"),
        list_url=url_for("calls.index"),
        waiting=[
            {
                **_line(ticket),
                "step": task.name,
                "who": task.assignee_name,
                "since": present.shown(task.opened_at),
            }
            for task, ticket in queries.waiting(principal)
        ],
        planned=[
            {**_line(ticket), "next_at": present.shown(moment)}
            for ticket, moment in queries.planned(principal)
        ],
        recent=[
            {**_line(ticket), "who": call.agent_name} for call, ticket in queries.recent(principal)
        ],
    )


def _call(call: Call, ticket: Ticket) -> dict[str, Any]:
    number = "号码隐藏" if ticket.caller_number_unknown else ticket.caller_number
    satisfied = {True: "满意", False: "不满意"}
    return {
        "number": number,
        "arrived_at": present.shown(call.arrived_at),
        "source": "12345 预告" if call.source == "announced" else "坐席手工登记",
        "from_operator": call.from_operator,
        "agent": call.agent_name,
        "unreachable": call.caller_unreachable,
        "satisfied": satisfied.get(call.satisfied) if call.satisfied is not None else None,
        "article": call.article,
        "recorded": bool(ticket.content),
        "typed": (call.typed or {}).get("content"),
    }


def _line(ticket: Ticket) -> dict[str, Any]:
    return {
        "acceptance_no": ticket.acceptance_no,
        "query_code": ticket.query_code,
        "title": ticket.title,
        "type_label": types.title_of(ticket),
        "status_label": STATES[ticket.status],
        "at": present.shown(ticket.submitted_at),
        "due_text": present.shown(ticket.due_at),
        "url": url_for("tickets.show", acceptance_no=ticket.acceptance_no),
        "call_url": url_for("calls.show", acceptance_no=ticket.acceptance_no)
        if ticket.source == "call"
        else None,
    }


def _is_fresh(call: Call) -> bool:
    return (clock.now() - call.arrived_at).total_seconds() < AGAIN_HOURS * 3600


def _unit(principal: Principal) -> Unit:
    unit = organisations.unit(principal.unit_id)
    if unit is None:
        raise LookupError(f"unit {principal.unit_id} of a principal is missing")
    return unit


def _token() -> UUID:
    try:
        return UUID(request.form.get("token", ""))
    except ValueError:
        raise Malformed("页面已过期，请重新打开") from None

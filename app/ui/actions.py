"""What people may do with a ticket at any time (随时操作): one page for all that is registered."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, redirect, request, url_for
from marshmallow import Schema

from app.api.http import Malformed, answer, load
from app.core import clock
from app.core.db import session, transact
from app.core.errors import FieldError, Invalid, NotFound
from app.files import services as files
from app.organisations import queries as organisations
from app.security.permissions import require
from app.security.principal import Principal
from app.tickets.actions import ACTIONS, Action, Request, offered_to, perform
from app.tickets.disclosure import title_for
from app.tickets.models import Ticket
from app.tickets.queries import ticket_for
from app.tickets.rules import STATES
from app.ui import present
from app.ui.files import keep_upload, take_uploads
from app.ui.forms import field_views, form_errors, parse_form
from app.ui.page import draw, permitted

blueprint = Blueprint("actions", __name__)


def action_links(principal: Principal, ticket: Ticket) -> list[dict[str, str]]:
    """The buttons of the ticket page."""
    return [
        {"label": each.title, "icon": each.icon, "url": _url(ticket.acceptance_no, each.key)}
        for each in offered_to(principal, ticket)
    ]


@blueprint.get("/tickets/<acceptance_no>/actions/<key>")
@permitted("ticket.view")
def show(principal: Principal, acceptance_no: str, key: str) -> str:
    """The form of an action."""
    each = _action(key)
    require(principal, each.permission)
    return _page(principal, ticket_for(principal, acceptance_no), each, uuid4())


@blueprint.post("/tickets/<acceptance_no>/actions/<key>")
@permitted("ticket.view")
def act(principal: Principal, acceptance_no: str, key: str) -> Any:
    """Do it; what is wrong is shown in the form, with everything that was entered."""
    each = _action(key)
    require(principal, each.permission)
    action_id = _action_id()
    ticket = ticket_for(principal, acceptance_no)
    values, refused = _entered(principal, each.schema, action_id)

    def work() -> None:
        if refused:
            raise Invalid(refused)
        loaded = _loaded(each.schema, values)
        ticket = ticket_for(principal, acceptance_no)
        perform(each, Request(ticket, loaded, principal, clock.now(), action_id))

    try:
        transact(work)
    except Invalid as refusal:
        ticket = ticket_for(principal, acceptance_no)
        return _page(principal, ticket, each, action_id, values, form_errors(refusal)), 422
    flash(f"“{each.title}”已提交", "success")
    target = url_for("tickets.show", acceptance_no=acceptance_no)
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target)


@blueprint.post("/tickets/<acceptance_no>/actions/<key>/files/<uuid:action_id>")
@permitted("attachment.upload")
def upload(principal: Principal, acceptance_no: str, key: str, action_id: UUID) -> Any:
    """Take a file in as it is chosen; it is a draft of this action until that is done."""
    require(principal, _action(key).permission)
    ticket_for(principal, acceptance_no)
    session().rollback()
    given = request.files.get("file")
    if given is None:
        raise Invalid([FieldError("file", "required", "请选择文件")])
    stored = keep_upload(
        files.Owner.of(principal), action_id, request.form.get("field", "attachments"), given
    )
    return answer(present.file_view(stored), 201)


def _page(
    principal: Principal,
    ticket: Ticket,
    each: Action,
    action_id: UUID,
    values: dict[str, Any] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> str:
    owner = files.Owner(user_id=principal.user_id)
    return draw(
        "ticket/action.html",
        principal,
        ticket={
            "acceptance_no": ticket.acceptance_no,
            "title": title_for(principal, ticket),
            "status_label": STATES[ticket.status],
            "url": url_for("tickets.show", acceptance_no=ticket.acceptance_no),
        },
        title=each.title,
        help=each.help,
        form=field_views(each.schema, _options(principal, each.schema)),
        values=values or {},
        errors=errors or {},
        files=[present.file_view(f) for f in files.drafts_of_task(action_id, owner)],
        action_id=action_id,
        submit_url=_url(ticket.acceptance_no, each.key),
        upload_url=url_for(
            "actions.upload",
            acceptance_no=ticket.acceptance_no,
            key=each.key,
            action_id=action_id,
        ),
        active="tickets",
    )


def _options(principal: Principal, schema: Schema) -> dict[str, Any]:
    """Units below one's own, for a form that chooses one."""
    if "target_unit_id" not in schema.fields:
        return {}
    unit = organisations.unit(principal.unit_id)
    targets = organisations.delegation_targets(unit) if unit else []
    return {"target_unit_id": [(target.id, target.name) for target in targets]}


def _entered(
    principal: Principal, schema: Schema, action_id: UUID
) -> tuple[dict[str, Any], list[FieldError]]:
    values = parse_form(schema, request.form)
    refused: list[FieldError] = []
    for view in field_views(schema):
        if view.widget == "files":
            kept, problems = take_uploads(files.Owner.of(principal), action_id, view.name)
            if kept:
                values[view.name] = [*(values.get(view.name) or []), *kept]
            refused += problems
    return values, refused


def _loaded(schema: Schema, values: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in values.items() if value is not None}
    return load(schema, given)


def _action(key: str) -> Action:
    if key not in ACTIONS:
        raise NotFound("没有这项操作", "ACTION_NOT_FOUND")
    return ACTIONS[key]


def _action_id() -> UUID:
    try:
        return UUID(request.form.get("action_id", ""))
    except ValueError:
        raise Malformed("页面已过期，请重新打开") from None


def _url(acceptance_no: str, key: str) -> str:
    return url_for("actions.show", acceptance_no=acceptance_no, key=key)

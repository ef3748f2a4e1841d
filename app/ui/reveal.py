"""Showing masked fields of the caller (查看): for a reason, once, and on record (SEC-02)."""

from typing import Any

from flask import Blueprint, render_template, request

from app.api.http import client_ip
from app.core import clock
from app.core.db import transact
from app.core.errors import FieldError, Invalid, NotAllowed
from app.security import access
from app.security.principal import Principal
from app.tickets.models import Ticket
from app.tickets.queries import ticket_for
from app.ui import present, tickets
from app.ui.forms import form_errors
from app.ui.page import permitted

blueprint = Blueprint("reveal", __name__)

REASON = 5, 200
"""Fewest and most characters of the reason."""


@blueprint.post("/tickets/<acceptance_no>/reveal")
@permitted("ticket.reveal")
def reveal(principal: Principal, acceptance_no: str) -> Any:
    """Show the chosen fields unmasked, once: loading the page again masks them.

    The access log gets the names of the fields and the reason, in the transaction that reads.
    """

    def work() -> Ticket:
        ticket = ticket_for(principal, acceptance_no)
        if not present.may_reveal(principal, ticket):
            raise NotAllowed("诉求人身份已密封，您没有权限查看")
        fields = _fields(ticket)
        access.record(
            principal,
            "ticket.reveal",
            "ticket",
            ticket.acceptance_no,
            ip=client_ip(),
            now=clock.now(),
            reason=_reason(),
            detail={"fields": fields},
        )
        return ticket

    try:
        transact(work)
    except Invalid as refusal:
        ticket = ticket_for(principal, acceptance_no)
        return _draw(principal, ticket, errors=form_errors(refusal)), 422
    ticket = ticket_for(principal, acceptance_no)
    return _draw(principal, ticket, revealed=frozenset(_fields(ticket)))


def _fields(ticket: Ticket) -> list[str]:
    """The fields asked for that hold something."""
    known = [name for name, _ in present.revealable(ticket)]
    chosen = [name for name in known if name in request.form.getlist("field")]
    if not chosen:
        raise Invalid([FieldError("field", "required", "请选择要查看的内容")])
    return chosen


def _reason() -> str:
    reason = " ".join(request.form.get("reason", "").split())
    least, most = REASON
    if not least <= len(reason) <= most:
        raise Invalid([FieldError("reason", "length", f"请说明查看理由，{least}–{most} 个字")])
    return reason


def _draw(principal: Principal, ticket: Ticket, **changed: Any) -> str:
    if request.headers.get("HX-Request"):
        return render_template(
            "ticket/_summary.html", **tickets.summary(principal, ticket, **changed)
        )
    return tickets.page(principal, ticket, **changed)

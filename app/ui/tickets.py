"""The ticket page (工单) and the search (工单查询)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, request, url_for

from app.api.http import client_ip
from app.approvals import queries as approvals
from app.core import clock
from app.core.db import transact
from app.divisions import queries as divisions
from app.engine import queries as engine
from app.exchange import queries as exchange
from app.files import services as files
from app.files.models import Attachment
from app.matters import queries as matters
from app.organisations import queries as organisations
from app.security import access
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets import codes, disclosure, queries, types
from app.tickets.models import Ticket
from app.tickets.rules import STATES, is_sealed
from app.tickets.types import PROCESSES, TICKET_TYPES
from app.ui import clocks, places, present, progress
from app.ui.actions import action_links
from app.ui.compare import comparison
from app.ui.matters import matter_lines
from app.ui.page import draw, permitted
from app.ui.reports import report_views
from app.ui.requests import PENDING
from app.ui.tasks import task_view

blueprint = Blueprint("tickets", __name__)


@blueprint.get("/tickets/<acceptance_no>")
@permitted("ticket.view")
def show(principal: Principal, acceptance_no: str) -> str:
    """One ticket; opening it is written to the access log (SEC-05)."""

    def work() -> None:
        number = queries.ticket_for(principal, acceptance_no).acceptance_no
        access.record(principal, "ticket.open", "ticket", number, ip=client_ip(), now=clock.now())

    transact(work)
    return page(principal, queries.ticket_for(principal, acceptance_no))


def page(
    principal: Principal,
    ticket: Ticket,
    task: dict[str, Any] | None = None,
    **summary_changes: Any,
) -> str:
    """The whole page; `task` when a refused form is shown again, the rest is `summary`'s."""
    now = clock.now()
    instance = engine.instance_of(ticket.acceptance_no, PROCESSES)
    events = queries.events(ticket.acceptance_no)
    waiting = engine.open_tasks_of(instance.id) if instance else []
    opinions = queries.opinions(ticket.id)
    hears = partial(disclosure.hears, principal, ticket)
    reports = [each for each in queries.reports(ticket) if hears(each.unit_id)]
    attached = files.of_ticket(ticket.id)
    deliveries = exchange.deliveries_of(ticket.acceptance_no)
    matter = summary(principal, ticket, attached=attached, **summary_changes)
    late = matter["ticket"]["light"] == "red"
    step = task or task_view(principal, ticket, waiting)
    return draw(
        "ticket/index.html",
        principal,
        **matter,
        diagram=progress.view(instance, events, waiting, late=late) if instance else None,
        timeline=present.timeline(
            events,
            opinions,
            reports,
            waiting,
            approvals.returns_of(ticket.id),
            approvals.extensions_of(ticket.id),
            matter_lines(principal, ticket),
            hears=hears,
        ),
        reports=report_views(ticket, reports, opinions, attached),
        compare=comparison(
            reports,
            attached,
            request.args.get("left", type=int),
            request.args.get("right", type=int),
        ),
        deliveries=[_delivery(d) for d in deliveries],
        deadlines=clocks.view(ticket, now),
        undelivered=[d.title for d in deliveries if d.state == "dead"],
        operations_url=url_for("operations.index") if may(principal, "queue.view") else None,
        actions=action_links(principal, ticket),
        task=step,
        active="worklist" if step else "tickets",
        list_url=url_for("worklist.index" if step else "tickets.index"),
    )


def summary(
    principal: Principal,
    ticket: Ticket,
    *,
    attached: Sequence[Attachment] | None = None,
    revealed: frozenset[str] = frozenset(),
    errors: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    """What `ticket/_summary.html` draws: the matter, and the way to see the caller unmasked."""
    if attached is None:
        attached = files.of_ticket(ticket.id)
    may_see = present.may_see_files(principal, ticket)
    with_matters = matters.files_for(principal, ticket)
    fields = present.revealable(ticket) if present.may_reveal(principal, ticket) else []
    return {
        "ticket": _head(principal, ticket, revealed),
        "attachments": [
            present.file_view(f)
            for f in attached
            if with_matters.get(f.id, f.task_id is None and may_see)
        ],
        "reveal": {
            "url": url_for("reveal.reveal", acceptance_no=ticket.acceptance_no),
            "hide_url": url_for("tickets.show", acceptance_no=ticket.acceptance_no),
            "fields": fields,
            "shown": sorted(revealed),
            "chosen": request.form.getlist("field"),
            "reason": request.form.get("reason", ""),
            "errors": errors or {},
        }
        if fields
        else None,
    }


@blueprint.route("/tickets", methods=["GET", "POST"])
@permitted("ticket.search")
def index(principal: Principal) -> str:
    """Tickets in scope, newest first; a whole phone or ID number is looked up by its hash.

    What is searched for comes by POST: a citizen's number never stands in an address (SEC-06).
    """
    args = request.values
    text = request.form.get("q", "").strip()
    if text:
        transact(
            lambda: access.record(
                principal, "ticket.search", "ticket", "-", ip=client_ip(), now=clock.now()
            )
        )
    status, kind = args.get("status") or None, args.get("type") or None
    found = queries.search(
        principal, text or None, status, ticket_type=kind, before=args.get("before", type=int)
    )
    rows = found[: queries.PAGE]
    places = divisions.full_names(t.division_code for t in rows if t.division_code)
    holders = organisations.names(_holder_id(t) for t in rows)
    signs = clocks.signs(rows, clock.now())
    following = rows[-1].id if len(found) > queries.PAGE else None
    return draw(
        "tickets/index.html",
        principal,
        rows=[
            {
                "acceptance_no": t.acceptance_no,
                "external_ticket_no": t.external_ticket_no,
                "title": disclosure.title_for(principal, t),
                "type_label": types.title_of(t),
                "category": codes.PROBLEM_CATEGORY.label(t.problem_category),
                "status_label": STATES[t.status],
                "area": places.get(t.division_code or "", "") or "待确认",
                "source": present.SOURCES[t.source],
                "received_at": present.shown(t.submitted_at),
                "holder": holders.get(_holder_id(t), ""),
                "light": signs[t.id][0],
                "remaining_text": signs[t.id][1],
                "url": url_for("tickets.show", acceptance_no=t.acceptance_no),
                "urgent": t.urgency == 2,
                "pending": PENDING if t.extension_pending else "",
            }
            for t in rows
        ],
        filters={
            "q": text,
            "type": kind or "",
            "types": [(row.code, row.title) for row in TICKET_TYPES.values()],
            "status": status or "",
            "statuses": list(STATES.items()),
        },
        list_url=url_for("tickets.index"),
        next_url=url_for("tickets.index", type=kind, status=status, before=following)
        if following and not text
        else None,
        next_form={"q": text, "type": kind or "", "status": status or "", "before": following}
        if following and text
        else None,
        first_url=url_for("tickets.index", type=kind, status=status)
        if args.get("before")
        else None,
        total=None,
    )


@blueprint.get("/divisions.json")
@permitted("ticket.view")
def division_choices(principal: Principal) -> dict[str, Any]:
    """For the cascade of the forms: children of a division, or the way to one."""
    return division_items(request.args)


@blueprint.post("/places.json")
@permitted("ticket.view")
def find_places(principal: Principal) -> dict[str, Any]:
    """For the forms: places that fit what is typed or pasted."""
    return places.as_items(places.looked_for(request.form, principal.division_code))


def division_items(asked: Mapping[str, str]) -> dict[str, Any]:
    """What the cascade asks for: `path_of` a division, or the children of `parent_code`."""
    path_of = asked.get("path_of")
    rows = (
        divisions.path(path_of) if path_of else divisions.children(asked.get("parent_code") or None)
    )
    return {
        "items": [
            {
                "division_code": d.code,
                "division_name": d.name,
                "has_children": d.has_children,
            }
            for d in rows
        ]
    }


def _head(principal: Principal, ticket: Ticket, revealed: frozenset[str]) -> dict[str, Any]:
    now = clock.now()
    light, remaining = clocks.signs([ticket], now)[ticket.id]
    flags = []
    if ticket.round > 1:
        flags.append({"label": f"第 {ticket.round} 轮", "tone": "orange"})
    if ticket.extension_pending:
        flags.append({"label": PENDING, "tone": "blue"})
    return {
        "acceptance_no": ticket.acceptance_no,
        "external_ticket_no": ticket.external_ticket_no,
        "title": disclosure.title_for(principal, ticket),
        "status_label": STATES[ticket.status],
        "type_label": types.title_of(ticket),
        "category_label": codes.PROBLEM_CATEGORY.label(ticket.problem_category),
        "content": disclosure.content_for(principal, ticket),
        "is_summary": not disclosure.reads_original(principal, ticket),
        "facts": present.facts(principal, ticket, revealed),
        "sealed": is_sealed(ticket.is_anonymous, ticket.is_confidential),
        "urgent": ticket.urgency == 2,
        "due_text": present.shown(ticket.due_at),
        "light": light,
        "remaining_text": remaining,
        "flags": flags,
    }


def _holder_id(ticket: Ticket) -> int:
    """The unit it was handed to last."""
    return ticket.county_unit_id or ticket.city_unit_id or ticket.province_unit_id


_DELIVERY_STATES = {"pending": "ready", "delivered": "done", "settled_offline": "offline"}


def _delivery(row: exchange.Delivery) -> dict[str, Any]:
    return {
        "operation": row.title,
        "state": _DELIVERY_STATES.get(row.state, row.state),
        "receipt_no": row.receipt_no,
        "attempts": row.attempts,
        "at": present.shown(row.acknowledged_at or row.created_at),
        "error": present.delivery_error(row.last_error),
    }

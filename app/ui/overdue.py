"""Lists for supervisors (超期督办): what will be late soon, what is, and what has been for days."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, request, url_for
from sqlalchemy import Row

from app.core import clock
from app.core.errors import FieldError, Invalid
from app.deadlines import calendars, editions
from app.deadlines.ladder import LEADERS, NOTICE, SUPERVISE
from app.deadlines.models import PAUSED, Deadline, TicketClock
from app.divisions import queries as divisions
from app.matters import queries as matters
from app.matters import rules
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets import overdue, types
from app.tickets.actions import ACTIONS
from app.tickets.disclosure import title_for
from app.tickets.models import Ticket
from app.tickets.overdue import Place
from app.tickets.queries import PAGE
from app.tickets.rules import STATES
from app.ui import clocks
from app.ui.page import draw, permitted
from app.ui.present import shown

blueprint = Blueprint("overdue", __name__)

_TITLES = {
    "soon": ("即将超期", "orange"),
    "late": ("已超期", "red"),
    "leaders": ("领导督办 · 超期 3 日", "red"),
    "notice": ("通报 · 超期 5 日", "red"),
}
_STEPS = {SUPERVISE: "督办", LEADERS: "领导督办", NOTICE: "通报"}
_FLAGS = {"urge": "已催办", "supervise": "已督办"}


@blueprint.get("/overdue")
@permitted("statistics.view")
def index(principal: Principal) -> str:
    """One of the lists, of the own unit and those below it; at the top, of the whole country."""
    now = clock.now()
    chosen = request.args.get("list", "late")
    chosen = chosen if chosen in overdue.LISTS else "late"
    after = _place(request.args["after"]) if request.args.get("after") else None
    found = overdue.tickets(principal, chosen, after=after)
    page = found[:PAGE]
    last = page[-1][0] if len(found) > PAGE else None
    counts = overdue.counts(principal)
    return draw(
        "overdue/index.html",
        principal,
        active="overdue",
        lists=[
            {
                "key": name,
                "tone": tone,
                "label": label,
                "count": f"{counts[name]}+" if counts[name] == overdue.MOST else counts[name],
                "active": name == chosen,
                "url": url_for("overdue.index", list=name),
            }
            for name, (label, tone) in _TITLES.items()
        ],
        title=_TITLES[chosen][0],
        rows=_rows(principal, page, now),
        next_url=url_for("overdue.index", list=chosen, after=f"{last.due_at.isoformat()}_{last.id}")
        if last
        else None,
        first_url=url_for("overdue.index", list=chosen) if after else None,
    )


def _rows(
    principal: Principal, page: Sequence[Row[Ticket, TicketClock, Deadline]], now: datetime
) -> list[dict[str, Any]]:
    """A handful of statements for all rows of a page."""
    areas = divisions.full_names(t.division_code for t, _, _ in page if t.division_code)
    waiting = overdue.places([t.acceptance_no for t, _, _ in page])
    flags = matters.flags([t.id for t, _, _ in page])
    edition = editions.current().calendar
    rows = []
    for ticket, started, total in page:
        place = waiting.get(ticket.acceptance_no)
        may_read = _may_read(principal, ticket)
        number = ticket.acceptance_no
        rows.append(
            {
                "acceptance_no": number,
                "title": title_for(principal, ticket) if may_read else types.title_of(ticket),
                "url": url_for("tickets.show", acceptance_no=number) if may_read else None,
                "type_label": types.title_of(ticket),
                "area": areas.get(ticket.division_code or "", "") or "待确认",
                "step": place.step if place else STATES[ticket.status],
                "holder": place.unit_name if place else "",
                "due_text": shown(total.due_at),
                "light": "none" if total.state == PAUSED else clocks.lamp(total.light),
                "remaining_text": clocks.left(
                    total, started, now, calendars.of(started.division_code, edition)
                ),
                "tags": _tags(total, flags.get(ticket.id, frozenset())),
                "urgent": ticket.urgency == 2,
                "actions": _actions(principal, ticket, place) if may_read else [],
            }
        )
    return rows


def _may_read(principal: Principal, ticket: Ticket) -> bool:
    """The national level counts all tickets and reads its own; analysts read none."""
    own = principal.level != "national" or ticket.registered_unit_id == principal.unit_id
    return own and may(principal, "ticket.view")


def _actions(principal: Principal, ticket: Ticket, place: Place | None) -> list[dict[str, str]]:
    if place is None:
        return []
    same = place.unit_id == principal.unit_id
    offered = {
        "urge": rules.may_urge(principal.level, principal.roles, place.level, same_unit=same),
        "supervise": rules.is_above(principal.level, place.level),
    }
    return [
        {
            "label": each.title,
            "icon": each.icon,
            "url": url_for("actions.show", acceptance_no=ticket.acceptance_no, key=each.key),
        }
        for each in (ACTIONS[key] for key, holds in offered.items() if holds)
        if may(principal, each.permission) and ticket.status in each.states
    ]


def _tags(total: Deadline, waiting: frozenset[str]) -> list[dict[str, str]]:
    found = [{"label": _STEPS[total.light], "tone": "red"}] if total.light in _STEPS else []
    found += [{"label": _FLAGS[kind], "tone": "orange"} for kind in _FLAGS if kind in waiting]
    return found + ([{"label": "暂定", "tone": "yellow"}] if total.provisional else [])


def _place(text: str) -> tuple[datetime, int]:
    moment, _, number = text.partition("_")
    try:
        at, ticket_id = datetime.fromisoformat(moment), int(number)
    except ValueError:
        raise _no_place() from None
    if at.tzinfo is None:
        raise _no_place()
    return at, ticket_id


def _no_place() -> Invalid:
    return Invalid([FieldError("after", "cursor", "翻页游标无效")])

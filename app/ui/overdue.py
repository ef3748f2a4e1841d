"""Lists for supervisors (超期督办): what will be late soon, what is, and what has been for days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, request, url_for
from sqlalchemy import Row

from app.core import clock
from app.deadlines import calendars, editions
from app.deadlines.ladder import LEADERS, NOTICE, SUPERVISE
from app.deadlines.models import PAUSED, Deadline, TicketClock
from app.deadlines.policy import TITLES
from app.divisions import queries as divisions
from app.matters import queries as matters
from app.matters import rules
from app.organisations import queries as organisations
from app.organisations.models import Unit
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets import overdue, types
from app.tickets.actions import ACTIONS
from app.tickets.disclosure import title_for
from app.tickets.models import Ticket
from app.tickets.overdue import Counts, Place
from app.tickets.queries import PAGE
from app.tickets.rules import STATES
from app.ui import clocks
from app.ui.page import draw, permitted, read_place
from app.ui.present import shown

blueprint = Blueprint("overdue", __name__)

_TITLES = {
    "soon": ("即将超期", "orange"),
    "late": ("已超期", "red"),
    "supervise": ("待督办 · 超期 1 个工作日", "red"),
    "leaders": ("领导督办 · 超期 3 个工作日", "red"),
    "notice": ("通报 · 超期 5 个工作日", "red"),
}
_BY = {"total": "按总时限", "stage": "按环节时限"}
_STEPS = {SUPERVISE: "督办", LEADERS: "领导督办", NOTICE: "通报"}
_FLAGS = {"urge": "已催办", "supervise": "已督办"}
_FILTERS = ("list", "by", "unit", "type", "stage")


@blueprint.get("/overdue")
@permitted("statistics.view")
def index(principal: Principal) -> str:
    """One of the lists, of the own unit and those below it; at the top, of the whole country."""
    now = clock.now()
    chosen = request.args.get("list", "late")
    chosen = chosen if chosen in overdue.LISTS else "late"
    units = _units(principal)
    wanted = _wanted(units)
    after = read_place(request.args["after"]) if request.args.get("after") else None
    everybody = overdue.counts(principal, replace(wanted, unit=None))
    counted = overdue.counts(principal, wanted) if wanted.unit else everybody
    count = {name: sum(numbers[name] for numbers in counted.values()) for name in _TITLES}
    # nobody looks through all that is lit for what is known not to be there
    limit = min(PAGE, count[chosen])
    found = overdue.deadlines(principal, wanted, chosen, after=after, limit=limit) if limit else []
    page = found[:PAGE]
    last = page[-1][2] if len(found) > PAGE else None
    return draw(
        "overdue/index.html",
        principal,
        active="overdue",
        lists=[
            {
                "key": name,
                "tone": tone,
                "label": label,
                "count": count[name],
                "active": name == chosen,
                "url": _here(list=name),
            }
            for name, (label, tone) in _TITLES.items()
        ],
        title=_TITLES[chosen][0],
        ways=[
            {"label": label, "active": (key == "stage") == wanted.by_stage, "url": _here(by=key)}
            for key, label in _BY.items()
        ],
        filters={
            "kept": {"list": chosen, "by": "stage" if wanted.by_stage else "total"},
            "units": [(unit.id, _named(principal, unit.id, unit.name)) for unit in units],
            "unit": wanted.unit.id if wanted.unit else "",
            "types": [(each.code, each.title) for each in types.TICKET_TYPES.values()],
            "type": wanted.ticket_type or "",
            "stages": [(key, TITLES[key]) for key in overdue.STAGES],
            "stage": wanted.stage or "",
            "by_stage": wanted.by_stage,
            "reset_url": url_for("overdue.index", list=chosen, by=request.args.get("by")),
        },
        columns=[label.split(" · ")[0] for label, _ in _TITLES.values()],
        units=_numbers(principal, everybody),
        rows=_rows(principal, page, now, by_stage=wanted.by_stage),
        next_url=_here(after=f"{last.due_at.isoformat()}_{last.id}") if last else None,
        first_url=_here() if after else None,
    )


def _wanted(units: Sequence[Unit]) -> overdue.Wanted:
    """The filters of the address; what names nothing here is left out."""
    args = request.args
    by_stage, stage = args.get("by") == "stage", args.get("stage")
    unit_id = args.get("unit", type=int)
    return overdue.Wanted(
        by_stage=by_stage,
        stage=stage if by_stage and stage in overdue.STAGES else None,
        ticket_type=args["type"] if args.get("type") in types.TICKET_TYPES else None,
        unit=next((unit for unit in units if unit.id == unit_id), None),
    )


def _units(principal: Principal) -> list[Unit]:
    """The own unit and those below it; at the top, the provinces."""
    if principal.level == "national":
        return organisations.children(principal.unit_id)
    own = organisations.unit(principal.unit_id)
    return [*([own] if own else []), *organisations.all_below(principal.unit_id)]


def _named(principal: Principal, unit_id: int, name: str) -> str:
    return f"本级（{name}）" if unit_id == principal.unit_id else name


def _numbers(principal: Principal, counts: Counts) -> list[dict[str, Any]]:
    """A line for each unit that has something, the one with most that is late on top."""
    names = organisations.names(counts)
    order = sorted(counts, key=lambda each: (-counts[each]["late"], -counts[each]["soon"], each))
    return [
        {
            "name": _named(principal, unit_id, names.get(unit_id, "")),
            "url": _here(unit=unit_id),
            "numbers": [
                {"count": counts[unit_id][name], "url": _here(unit=unit_id, list=name)}
                for name in _TITLES
            ],
        }
        for unit_id in order
    ]


def _here(**changed: Any) -> str:
    """The same list with some filters changed, from its beginning."""
    kept = {name: request.args.get(name) for name in _FILTERS} | changed
    return url_for("overdue.index", **{k: v for k, v in kept.items() if v not in {None, ""}})


def _rows(
    principal: Principal,
    page: Sequence[Row[Ticket, TicketClock, Deadline]],
    now: datetime,
    *,
    by_stage: bool,
) -> list[dict[str, Any]]:
    """A handful of statements for all rows of a page."""
    areas = divisions.full_names(t.division_code for t, _, _ in page if t.division_code)
    waiting = overdue.places([t.acceptance_no for t, _, _ in page])
    flags = matters.flags([t.id for t, _, _ in page])
    holders = organisations.names({row.unit_id for _, _, row in page if row.unit_id})
    edition = editions.current().calendar
    rows = []
    for ticket, started, row in page:
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
                "step": TITLES[row.stage]
                if by_stage
                else (place.step if place else STATES[ticket.status]),
                "holder": holders.get(row.unit_id or 0) or (place.unit_name if place else ""),
                "due_text": shown(row.due_at),
                "light": "none" if row.state == PAUSED else clocks.lamp(row.light),
                "remaining_text": clocks.left(
                    row, started, now, calendars.of(started.division_code, edition)
                ),
                "tags": _tags(row, flags.get(ticket.id, frozenset())),
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

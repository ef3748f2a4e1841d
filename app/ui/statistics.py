"""按时办结率 and 退回上级 of a month (统计), and the list behind every figure."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from flask import Blueprint, request, url_for
from sqlalchemy import Row

from app.approvals import returned
from app.approvals.models import AGREED, LAPSED, OPEN, REFUSED, LowerReturn
from app.approvals.returned import Returned
from app.core import clock
from app.core.clock import BEIJING
from app.deadlines import calendars, editions
from app.organisations import queries as organisations
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets import timeliness, types
from app.tickets.disclosure import title_for
from app.tickets.models import Ticket
from app.tickets.queries import PAGE
from app.tickets.timeliness import RESULTS, Month, Tally, Wanted
from app.tickets.types import TICKET_TYPES
from app.ui import clocks
from app.ui.page import draw, permitted, read_place
from app.ui.present import shown

blueprint = Blueprint("statistics", __name__)

_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_TONES = {timeliness.IN_TIME: "green", timeliness.LATE: "orange", timeliness.OPEN: "red"}
_DECIDED = {
    OPEN: ("待上级审核", "blue"),
    AGREED: ("上级同意", "green"),
    REFUSED: ("上级不同意", "red"),
    LAPSED: ("已被收回", ""),
}


@blueprint.get("/statistics")
@permitted("statistics.view")
def index(principal: Principal) -> str:
    """A month of the own unit and those below it; at the top, of the whole country."""
    now = clock.now()
    this, month = _asked_month(now)
    wanted = Wanted(
        request.args.get("result") if request.args.get("result") in RESULTS else None,
        request.args.get("unit", type=int),
        request.args.get("type") if request.args.get("type") in TICKET_TYPES else None,
    )
    after = read_place(request.args["after"]) if request.args.get("after") else None
    figures = timeliness.figures(principal, month, now)
    found = timeliness.listed(principal, month, now, wanted, after=after)
    page = found[:PAGE]
    names = organisations.names({*figures.by_unit, *(row.unit_id for row in page)})

    def address(
        result: str | None, unit: int | None, kind: str | None, after: str | None = None
    ) -> str:
        return url_for(
            "statistics.index",
            month=_key(month),
            result=result,
            unit=unit,
            type=kind,
            after=after,
        )

    chosen = (wanted.result, wanted.branch, wanted.ticket_type)
    units = sorted(figures.by_unit.items(), key=lambda each: names.get(each[0], ""))
    last = page[-1].Deadline if len(found) > PAGE else None
    return draw(
        "statistics/index.html",
        principal,
        active="statistics",
        month=_title(month),
        previous=url_for("statistics.index", month=_key(month.previous)),
        next=url_for("statistics.index", month=_key(month.next))
        if month.first < this.first
        else None,
        whole=_line("合计", figures.whole, partial(address, unit=None, kind=None)),
        units=[
            _line(
                _branch(principal, unit, names),
                tally,
                partial(address, unit=unit, kind=None),
            )
            for unit, tally in units
        ],
        types=[
            _line(row.title, figures.by_type[code], partial(address, unit=None, kind=code))
            for code, row in TICKET_TYPES.items()
            if code in figures.by_type
        ],
        returned=_returned(principal, month),
        chosen=_chosen(wanted, names, principal),
        all_url=address(None, None, None),
        rows=_rows(principal, page, names, now),
        next_url=address(*chosen, f"{last.due_at.isoformat()}_{last.id}") if last else None,
        first_url=address(*chosen) if after else None,
    )


@blueprint.get("/statistics/returns")
@permitted("statistics.view")
def returns(principal: Principal) -> str:
    """The list behind the figures of 退回上级: of a unit with all below it, or of all."""
    _, month = _asked_month(clock.now())
    unit = request.args.get("unit", type=int)
    refused = request.args.get("result") == REFUSED
    after = read_place(request.args["after"]) if request.args.get("after") else None
    branches = organisations.branches(principal.unit_id)
    units = [each for each, branch in branches.items() if unit in {None, branch}]
    found = returned.listed(principal, units, month, refused=refused, after=after)
    page = found[:PAGE]
    names = organisations.names(
        {unit or principal.unit_id}
        | {row.LowerReturn.from_unit_id for row in page}
        | {row.LowerReturn.to_unit_id for row in page}
    )
    address = partial(
        url_for,
        "statistics.returns",
        month=_key(month),
        unit=unit,
        result=REFUSED if refused else None,
    )
    last = page[-1].LowerReturn if len(found) > PAGE else None
    return draw(
        "statistics/returns.html",
        principal,
        active="statistics",
        month=_title(month),
        back_url=url_for("statistics.index", month=_key(month)),
        chosen=" · ".join(
            part
            for part in (
                _branch(principal, unit, names) if unit else "",
                "上级不同意" if refused else "",
            )
            if part
        ),
        rows=[_returned_row(principal, row, names) for row in page],
        next_url=address(after=f"{last.asked_at.isoformat()}_{last.id}") if last else None,
        first_url=address() if after else None,
    )


def _returned(principal: Principal, month: Month) -> list[dict[str, Any]]:
    """Lines of 退回上级: all, then each unit directly below that has any, the most first."""
    branches = organisations.branches(principal.unit_id)
    by_branch: dict[int, Returned] = defaultdict(Returned)
    for unit_id, count in returned.counted(list(branches), month).items():
        by_branch[branches[unit_id]] += count
    names = organisations.names(by_branch)
    ordered = sorted(by_branch.items(), key=lambda each: (-each[1].asked, names.get(each[0], "")))
    whole: list[tuple[int | None, Returned]] = [(None, sum(by_branch.values(), Returned()))]

    def address(unit: int | None, result: str | None = None) -> str:
        return url_for("statistics.returns", month=_key(month), unit=unit, result=result)

    return [
        {
            "label": "合计" if unit is None else _branch(principal, unit, names),
            "asked": {"count": count.asked, "url": address(unit)},
            "refused": {"count": count.refused, "url": address(unit, REFUSED)},
        }
        for unit, count in whole + ordered
    ]


def _returned_row(
    principal: Principal, row: Row[LowerReturn, Ticket, bool], names: dict[int, str]
) -> dict[str, Any]:
    asked, ticket = row.LowerReturn, row.Ticket
    may_read = row.is_visible and may(principal, "ticket.view")
    number = ticket.acceptance_no
    result, tone = _DECIDED[asked.state]
    return {
        "acceptance_no": number,
        "title": title_for(principal, ticket) if may_read else types.title_of(ticket),
        "url": url_for("tickets.show", acceptance_no=number) if may_read else None,
        "type_label": types.title_of(ticket),
        "unit": names.get(asked.from_unit_id, ""),
        "to": names.get(asked.to_unit_id, ""),
        "asked_text": shown(asked.asked_at),
        "result": result,
        "tone": tone,
    }


def _branch(principal: Principal, unit: int, names: dict[int, str]) -> str:
    return "本级" if unit == principal.unit_id else names.get(unit, "")


def _asked_month(now: datetime) -> tuple[Month, Month]:
    """The running month, and the one asked for: the last that is over when none is."""
    this = Month(now.astimezone(BEIJING).date().replace(day=1))
    return this, _month(request.args.get("month", "")) or this.previous


def _line(label: str, tally: Tally, address: Callable[[str | None], str]) -> dict[str, Any]:
    """A line of figures, each with the address of its list."""
    return {
        "label": label,
        "rate": "—" if tally.rate is None else f"{tally.rate:.1%}",
        "due": {"count": tally.due, "url": address(None)},
        "results": [
            {
                "label": title,
                "tone": _TONES[name],
                "count": getattr(tally, name),
                "url": address(name),
            }
            for name, title in RESULTS.items()
        ],
    }


def _rows(
    principal: Principal, page: Sequence[Row[Any]], names: dict[int, str], now: datetime
) -> list[dict[str, Any]]:
    edition = editions.current().calendar
    rows = []
    for row in page:
        ticket, total = row.Ticket, row.Deadline
        may_read = row.is_visible and may(principal, "ticket.view")
        calendar = calendars.of(row.TicketClock.division_code, edition)
        number = ticket.acceptance_no
        rows.append(
            {
                "acceptance_no": number,
                "title": title_for(principal, ticket) if may_read else types.title_of(ticket),
                "url": url_for("tickets.show", acceptance_no=number) if may_read else None,
                "type_label": types.title_of(ticket),
                "round": f"第 {total.round} 轮" if total.round > 1 else "",
                "unit": names.get(row.unit_id, ""),
                "due_text": shown(total.due_at),
                "result": RESULTS[row.result],
                "tone": _TONES[row.result],
                "remaining_text": clocks.left(total, row.TicketClock, now, calendar),
            }
        )
    return rows


def _chosen(wanted: Wanted, names: dict[int, str], principal: Principal) -> str:
    """What the list is narrowed to, in words."""
    unit = _branch(principal, wanted.branch or 0, names)
    kind = TICKET_TYPES[wanted.ticket_type].title if wanted.ticket_type else ""
    return " · ".join(part for part in (unit, kind, RESULTS.get(wanted.result or "", "")) if part)


def _month(text: str) -> Month | None:
    try:
        month = Month(date.fromisoformat(f"{text}-01"))
    except ValueError:
        return None
    return month if _FIRST_YEAR <= month.first.year <= _LAST_YEAR else None


def _key(month: Month) -> str:
    return f"{month.first:%Y-%m}"


def _title(month: Month) -> str:
    return f"{month.first.year} 年 {month.first.month} 月"

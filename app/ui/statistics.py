"""按时办结率 of a month (统计): the rate, by unit and by type, and the list behind every figure."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from flask import Blueprint, request, url_for
from sqlalchemy import Row

from app.core import clock
from app.core.clock import BEIJING
from app.deadlines import calendars, editions
from app.organisations import queries as organisations
from app.security.permissions import may
from app.security.principal import Principal
from app.tickets import timeliness, types
from app.tickets.disclosure import title_for
from app.tickets.queries import PAGE
from app.tickets.timeliness import RESULTS, Month, Tally, Wanted
from app.tickets.types import TICKET_TYPES
from app.ui import clocks
from app.ui.page import draw, permitted, read_place
from app.ui.present import shown

blueprint = Blueprint("statistics", __name__)

_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_TONES = {timeliness.IN_TIME: "green", timeliness.LATE: "orange", timeliness.OPEN: "red"}


@blueprint.get("/statistics")
@permitted("statistics.view")
def index(principal: Principal) -> str:
    """A month of the own unit and those below it; at the top, of the whole country."""
    now = clock.now()
    this = Month(now.astimezone(BEIJING).date().replace(day=1))
    month = _month(request.args.get("month", "")) or this.previous
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
                "本级" if unit == principal.unit_id else names.get(unit, ""),
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
        chosen=_chosen(wanted, names, principal),
        all_url=address(None, None, None),
        rows=_rows(principal, page, names, now),
        next_url=address(*chosen, f"{last.due_at.isoformat()}_{last.id}") if last else None,
        first_url=address(*chosen) if after else None,
    )


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
    unit = "本级" if wanted.branch == principal.unit_id else names.get(wanted.branch or 0, "")
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

"""The worklist (待办) and what one has done (已办)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy import Row, select

from app.core import clock
from app.core.db import session
from app.deadlines import calendars, editions, ladder, wording
from app.deadlines.calendar import Calendar
from app.deadlines.models import Deadline
from app.divisions.models import Division
from app.engine import definitions
from app.engine.models import UserTask
from app.engine.queries import cursor, read_cursor
from app.matters import queries as matters
from app.security.principal import Principal
from app.security.sessions import session_principal
from app.tickets import codes, queries, types, worklist
from app.tickets.clock import place_of
from app.tickets.disclosure import title_for
from app.tickets.models import Opinion, Ticket
from app.tickets.rules import STATES
from app.ui import batch
from app.ui.page import draw, home_of, permitted
from app.ui.present import DECISIONS, SOURCES, shown
from app.ui.reports import outcome
from app.ui.requests import PENDING

blueprint = Blueprint("worklist", __name__)

_FILTERS = ("light", "scope", "step", "category")

_LIGHTS = (
    ("all", "全部待办"),
    ("red", "红灯 · 已逾期"),
    ("orange", "橙灯 · 将到期"),
    ("yellow", "黄灯 · 预警"),
    ("green", "绿灯 · 正常"),
)


@blueprint.get("/")
def home() -> Any:
    """The first page is the worklist, for those who have one."""
    principal = session_principal()
    return redirect(home_of(principal) if principal else url_for("sessions.sign_in"))


@blueprint.route("/worklist", methods=["GET", "POST"])
@permitted("task.view")
def index(principal: Principal) -> Any:
    """Open tasks of the own unit and role: the red ones first, within a light those due first.

    Filters come by POST: a word that is looked for may be a citizen's, and words never stand in an
    address (SEC-06). The other filters do, so that a list can be come back to.
    """
    now = clock.now()
    args = request.values
    text = request.form.get("q", "").strip()
    light = args.get("light") if args.get("light") in ladder.LIGHTS else None
    wanted = worklist.TaskFilter(
        mine=args.get("scope") == "mine",
        step=args.get("step") or None,
        category=args.get("category", type=int),
        text=text or None,
        light=light,
    )
    after = worklist.read_place(args["after"]) if args.get("after") else None
    counts = worklist.light_counts(principal, now)
    page, next_place = worklist.page(principal, wanted, now, after=after, counts=counts)
    following = str(next_place) if next_place else None
    places = _places([ticket for _, ticket, _ in page])
    flags = matters.flags([ticket.id for _, ticket, _ in page])
    edition = editions.current().calendar
    rows = [
        {
            **_row(principal, task, ticket, places),
            **_time(task, ticket, deadline, calendars.of(place_of(ticket), edition), now),
            "flags": _flags(ticket, flags.get(ticket.id, frozenset())),
        }
        for task, ticket, deadline in page
    ]
    context = {
        "lights": [
            {
                "key": key,
                "label": label,
                "count": counts[key],
                "active": (light or "all") == key,
                "url": _here(light=None if key == "all" else key),
            }
            for key, label in _LIGHTS
        ],
        "rows": rows,
        "batch": {"url": url_for("batch.sign_in"), "label": "批量签收"}
        if any(row["pickable"] for row in rows)
        else None,
        "filters": {
            "q": text,
            "scope": args.get("scope", ""),
            "scopes": [("", "本单位待办"), ("mine", "我认领的")],
            "step": args.get("step", ""),
            "steps": _steps(principal),
            "category": args.get("category", ""),
            "categories": codes.PROBLEM_CATEGORY.options(),
            "light": light,
        },
        "list_url": url_for("worklist.index"),
        "next_url": _here(after=following) if following and not text else None,
        "next_form": {**_kept(), "q": text, "after": following} if following and text else None,
        "first_url": _here(after=None) if after else None,
        "total": counts["all"]
        if not (wanted.mine or wanted.step or wanted.category or wanted.text) and light is None
        else None,
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        response = make_response(render_template("worklist/_rows.html", **context))
        response.headers["HX-Push-Url"] = _here()
        return response
    return draw("worklist/index.html", principal, counts={"worklist": counts["all"]}, **context)


@blueprint.get("/done")
@permitted("task.view")
def done(principal: Principal) -> str:
    """What this person has completed, newest first."""
    before = read_cursor(request.args["before"]) if request.args.get("before") else None
    found = queries.done_by(principal, before=before)
    page = found[: queries.PAGE]
    places = _places([ticket for _, ticket in page])
    outcomes = _outcomes(page)
    return draw(
        "done/index.html",
        principal,
        rows=[
            {
                "title": title_for(principal, ticket),
                "acceptance_no": ticket.acceptance_no,
                "type_label": types.title_of(ticket),
                "category": codes.PROBLEM_CATEGORY.label(ticket.problem_category),
                "step": task.name,
                "outcome": outcomes.get(task.id, ""),
                "status_label": STATES[ticket.status],
                "area": _area(ticket, places),
                "done_at": shown(task.closed_at),
                "url": url_for("tickets.show", acceptance_no=ticket.acceptance_no),
            }
            for task, ticket in page
        ],
        filters={},
        list_url=url_for("worklist.done"),
        next_url=_further(page[-1][0]) if len(found) > queries.PAGE else None,
        first_url=url_for("worklist.done") if before else None,
        total=None,
    )


def _outcomes(page: Sequence[Row[UserTask, Ticket]]) -> dict[UUID, str]:
    """What was decided at these tasks, or came out of the report that was handed in there."""
    task_ids = [task.id for task, _ in page]
    rows = session().execute(
        select(Opinion.task_id, Opinion.decision).where(Opinion.task_id.in_(task_ids))
    )
    decided = {task_id: DECISIONS.get(decision, "") for task_id, decision in rows}
    handed_in = queries.reports_by_task(task_ids, {ticket.ticket_type for _, ticket in page})
    return decided | {task_id: outcome(report) for task_id, report in handed_in.items()}


def _further(last: UserTask) -> str | None:
    if last.closed_at is None:
        return None
    return url_for("worklist.done", before=cursor(last.closed_at, last.id))


def _here(**changed: str | None) -> str:
    """The same list with some arguments changed; a change of filter starts at the first page."""
    wanted: dict[str, Any] = {k: v for k, v in (_kept() | changed).items() if v is not None}
    return url_for("worklist.index", **wanted)


def _kept() -> dict[str, str | None]:
    """The filters that may stand in an address."""
    return {k: request.values.get(k) for k in _FILTERS if request.values.get(k)}


def _steps(principal: Principal) -> list[tuple[str, str]]:
    """The steps that can wait for somebody with these roles, as the diagrams draw them."""
    drawn = [task for process in types.PROCESSES for task in definitions.user_tasks(process)]
    mine = {element_id: name for element_id, name, role in drawn if role in principal.roles}
    return sorted(mine.items(), key=lambda step: step[1])


def _row(
    principal: Principal,
    task: UserTask,
    ticket: Ticket,
    places: dict[str, str],
) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "title": title_for(principal, ticket),
        "acceptance_no": ticket.acceptance_no,
        "type_label": types.title_of(ticket),
        "category": codes.PROBLEM_CATEGORY.label(ticket.problem_category),
        "step": task.name,
        "area": _area(ticket, places),
        "source": SOURCES[ticket.source],
        "assignee": task.assignee_name,
        "url": url_for("tickets.show", acceptance_no=ticket.acceptance_no, task=task.id),
        "urgent": ticket.urgency == 2,
        "pickable": task.form in batch.FORMS and task.assignee_id in (None, principal.user_id),
    }


def _time(
    task: UserTask, ticket: Ticket, deadline: Deadline | None, calendar: Calendar, now: datetime
) -> dict[str, Any]:
    """The light of a row and what is left, both of its step; a clock that stands has neither."""
    due, started = task.due_at, deadline.start_at if deadline else task.opened_at
    if due is None:
        return {"light": "none", "remaining_text": wording.remaining(now, None, calendar)}
    used = calendar.working_time(started, now) / max(calendar.working_time(started, due), _LEAST)
    if worklist.stands_still(task):
        light, text = "none", "暂停计时"
    else:
        light = worklist.light_of(task, now)
        waits = light != ladder.RED and now > due
        text = PENDING if waits else wording.remaining(now, due, calendar)
    percent = min(100, max(0, round(used * 100)))
    return {"light": light, "remaining_text": text, "percent": percent}


_LEAST = timedelta(seconds=1)
_MATTER_FLAGS = {
    "supervise": {"label": "督办", "tone": "red"},
    "urge": {"label": "催办", "tone": "orange"},
    "withdraw": {"label": "申请撤回", "tone": "yellow"},
}
"""Matters that wait for an answer and change how urgent a row is."""


def _flags(ticket: Ticket, waiting: frozenset[str]) -> list[dict[str, str]]:
    found = [flag for kind, flag in _MATTER_FLAGS.items() if kind in waiting]
    if ticket.reworks:
        found.append({"label": "重办", "tone": "orange"})
    if ticket.is_anonymous:
        found.append({"label": "匿名", "tone": ""})
    return found + ([{"label": PENDING, "tone": "blue"}] if ticket.extension_pending else [])


def _places(tickets: list[Ticket]) -> dict[str, str]:
    """Names of the divisions on the page, in one query."""
    wanted = {c for t in tickets for c in (t.city_code, t.county_code) if c}
    if not wanted:
        return {}
    rows = session().execute(select(Division.code, Division.name).where(Division.code.in_(wanted)))
    return {code: name for code, name in rows}


def _area(ticket: Ticket, places: dict[str, str]) -> str:
    if ticket.division_unresolved:
        return f"{ticket.division_text or ''}（待确认）"
    names = [places.get(code, "") for code in (ticket.city_code, ticket.county_code) if code]
    return " ".join(n for n in names if n)
